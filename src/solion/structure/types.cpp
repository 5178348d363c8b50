// The type map.
#include "solion/structure/types.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"

namespace solion {

TypeMap::TypeMap(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].empty()) throw InputError("type map: the name of type {} is empty", i);
    if (find(names_[i]) != static_cast<int>(i)) throw InputError("type map: '{}' stands twice", names_[i]);
  }
}

int TypeMap::find(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
}

int TypeMap::find_or_add(std::string_view name) {
  if (const int type = find(name); type >= 0) return type;
  names_.emplace_back(name);
  return size() - 1;
}

std::vector<int> TypeMap::to(const TypeMap& other) const {
  std::vector<int> map;
  map.reserve(names_.size());
  for (const std::string& name : names_) map.push_back(other.find(name));
  return map;
}

}  // namespace solion
