// Matching a frame's elements to a potential's.
#include "solion/potential/potential.hpp"

#include "solion/base/errors.hpp"

namespace solion {

std::vector<int> match_types(const Frame& frame, const Potential& potential) {
  std::vector<int> map = frame.type_map.to(potential.type_map());
  for (const int t : frame.types) {
    if (map[static_cast<std::size_t>(t)] >= 0) continue;
    throw InputError("the potential ({}) does not know the element '{}' of the frame {}; it knows {}",
                     potential.description(), frame.type_map.name(t), frame.formula(),
                     fmt::join(potential.type_map().names(), ", "));
  }
  return map;
}

}  // namespace solion
