// The built-in crystals as TOML text.
#pragma once

#include <string_view>
#include <vector>

namespace solion {

/// One text a crystal, in the format of `parse_crystal`.
const std::vector<std::string_view>& crystal_texts();

}  // namespace solion
