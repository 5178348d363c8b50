// What this program was built from, with and for.
#pragma once

#include <string>

#include "solion/base/input.hpp"

namespace solion::cli {

/// version, commit, build type, compiler, instruction sets, libraries.
Json build_info();
/// The same as lines of text, as `solion --version` prints it.
std::string build_text();

}  // namespace solion::cli
