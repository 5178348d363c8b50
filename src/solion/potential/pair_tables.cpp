// Reading [[pairs]].
#include "solion/potential/pair_tables.hpp"

#include "solion/base/errors.hpp"
#include "solion/base/row_major.hpp"
#include "solion/structure/elements.hpp"

namespace solion {

void require_element(TomlTable& table, const std::string& key, const std::string& name) {
  if (atomic_number(name) == 0)
    table.fail(key, fmt::format("'{}' is not an element symbol; expected one such as Li, Cl", name));
}

void read_pairs(TomlTable& table, const TypeMap& type_map,
                const std::function<void(TomlTable& item, int a, int b)>& read) {
  const int n = type_map.size();
  std::vector<bool> given(row_major(n, 0, n));
  for (TomlTable& item : table.tables("pairs")) {
    const std::vector<std::string> names = item.texts("elements");
    if (names.size() != 2) item.fail("elements", "expected two elements");
    const int a = type_map.find(names[0]), b = type_map.find(names[1]);
    if (a < 0 || b < 0) {
      item.fail("elements", fmt::format("'{}' is not one of this potential's elements ({})",
                                        a < 0 ? names[0] : names[1], fmt::join(type_map.names(), ", ")));
    }
    if (given[row_major(a, b, n)]) item.fail("elements", "this pair was given before");
    given[row_major(a, b, n)] = given[row_major(b, a, n)] = true;
    read(item, a, b);
    item.refuse_unknown();
  }
  for (int a = 0; a < n; ++a) {
    for (int b = a; b < n; ++b) {
      if (given[row_major(a, b, n)]) continue;
      throw InputError("{}: [[pairs]] of {} and {} is missing (one that feels nothing has zeros)",
                       table.file().string(), type_map.name(a), type_map.name(b));
    }
  }
}

}  // namespace solion
