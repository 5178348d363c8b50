// Files that DP-GEN's inputs name: cells in a stated format, INCARs, data with or without virials.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/structure/frame.hpp"

namespace solion::learn {

/// What a pattern with * and ? stands for, sorted.
std::vector<std::filesystem::path> expand_pattern(const std::filesystem::path& pattern);

/// Whether every set below the folder (or the text files of deepmd/raw) has virials, which a campaign trains
/// on. InputError if there is no system.
bool has_virials(const std::filesystem::path& folder);

/// The one frame of a file in the format that `sys_format` names (dpdata's: "vasp/poscar", "lammps/lmp",
/// "lammps/dump", "extxyz"), whatever the file is called; `type_map` has the elements of LAMMPS's types.
/// InputError for another format or a file that is not of it.
Frame read_as(const std::filesystem::path& path, const std::string& format,
              const std::vector<std::string>& type_map);

/// The tags of an INCAR in capitals: comments behind # and !, several settings on a line with a semicolon.
std::map<std::string, std::string> incar_tags(const std::string& text);

/// An object of tags (DP-GEN's `user_fp_params`) as an INCAR, as DP-GEN writes it.
std::string incar_text(const Json& tags);

}  // namespace solion::learn
