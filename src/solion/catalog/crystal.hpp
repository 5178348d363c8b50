// Any crystal from what the user typed: a name, its TOML file, or a structure file.
#pragma once

#include <filesystem>
#include <string>

#include "solion/structure/crystal.hpp"

namespace solion {

/// A built-in crystal by name, a crystal's TOML file (structure/crystal.hpp), or any structure file, whose
/// chemistry `reactions` must tell: a TOML file with [oxidation_states] and [reactions], merged into the
/// crystal's own. Empty: none. InputError for an unknown name, a missing file, a frame without a cell,
/// unknown keys, oxidation states of all elements that do not make the crystal neutral.
Crystal open_crystal(const std::string& name_or_file, const std::filesystem::path& reactions = {});

/// The value of `key`, made a path beside the table's file where such a file exists.
std::string crystal_at(TomlTable& table, const std::string& key, const std::string& fallback);

}  // namespace solion
