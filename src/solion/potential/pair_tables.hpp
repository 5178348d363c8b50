// [[pairs]] of a potential's TOML file: parameters of every two elements, each given once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/structure/types.hpp"

namespace solion {

/// InputError about `key` if `name`, which stands there, is no element symbol.
void require_element(TomlTable& table, const std::string& key, const std::string& name);

/// Calls `read(item, a, b)` once for each [[pairs]] entry with the types of its two `elements`, then refuses
/// keys that `read` did not ask for. InputError if an element is not in the map, or a pair is given twice or
/// not at all.
void read_pairs(TomlTable& table, const TypeMap& type_map,
                const std::function<void(TomlTable& item, int a, int b)>& read);

}  // namespace solion
