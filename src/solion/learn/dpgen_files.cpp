// Patterns, cells and INCARs.
#include "solion/learn/dpgen_files.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/dataset/system.hpp"
#include "solion/io/extxyz.hpp"
#include "solion/io/lammps_data.hpp"
#include "solion/io/lammps_dump.hpp"
#include "solion/io/poscar.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<io::FrameReader> open_as(const fs::path& path, const std::string& format,
                                         const io::ReadOptions& options) {
  if (format == "vasp/poscar" || format == "vasp/contcar" || format == "poscar")
    return io::read_poscar(io::LineReader(path), options);
  if (format == "lammps/lmp" || format == "lmp") return io::read_lammps_data(io::LineReader(path), options);
  if (format == "lammps/dump" || format == "dump") return io::read_lammps_dump(io::LineReader(path), options);
  if (format == "extxyz" || format == "xyz" || format == "quip/gap/xyz")
    return io::read_extxyz(io::LineReader(path), options);
  throw InputError("{}: the format {} is not read", path.string(), format);
}

}  // namespace

std::vector<fs::path> expand_pattern(const fs::path& pattern) {
  std::vector<fs::path> found;
  glob_t result{};
  if (::glob(pattern.c_str(), 0, nullptr, &result) == 0) {
    for (std::size_t i = 0; i < result.gl_pathc; ++i) found.emplace_back(result.gl_pathv[i]);
  }
  ::globfree(&result);
  return found;
}

bool has_virials(const fs::path& folder) {
  for (const fs::path& system : dataset::find_systems(folder)) {
    bool sets = false;
    for (const auto& entry : fs::directory_iterator(system)) {
      if (!entry.is_directory() || !entry.path().filename().string().starts_with("set.")) continue;
      sets = true;
      if (!fs::exists(entry.path() / "virial.npy")) return false;
    }
    if (!sets && !fs::exists(system / "virial.raw")) return false;
  }
  return true;
}

Frame read_as(const fs::path& path, const std::string& format, const std::vector<std::string>& type_map) {
  io::ReadOptions options;
  options.type_names = type_map;
  options.atom_style = "atomic";  // what DP-GEN writes and dpdata reads
  const auto reader = open_as(path, format, options);
  Frame frame, more;
  if (!reader->next(frame)) throw InputError("{}: no frame", path.string());
  if (reader->next(more)) throw InputError("{}: more than one frame", path.string());
  return frame;
}

std::map<std::string, std::string> incar_tags(const std::string& text) {
  std::map<std::string, std::string> tags;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find_first_of("#!"));
    std::transform(line.begin(), line.end(), line.begin(), [](unsigned char c) { return std::toupper(c); });
    std::istringstream parts(line);
    for (std::string part; std::getline(parts, part, ';');) {
      std::string tag, value;
      const auto equals = part.find('=');
      if (equals == std::string::npos) continue;
      std::istringstream(part.substr(0, equals)) >> tag;
      std::istringstream(part.substr(equals + 1)) >> value;
      tags[tag] = value;
    }
  }
  return tags;
}

std::string incar_text(const Json& tags) {
  const auto word = [](const Json& value) {
    if (value.is_boolean()) return std::string(value.get<bool>() ? ".TRUE." : ".FALSE.");
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  std::string text;
  for (const auto& [tag, value] : tags.items()) {
    if (value.is_null() || value.is_object() || tag.starts_with('_')) continue;
    std::string all;
    if (value.is_array()) {
      for (const Json& item : value) all += (all.empty() ? "" : " ") + word(item);
    } else {
      all = word(value);
    }
    text += fmt::format("{} = {}\n", tag, all);
  }
  return text;
}

}  // namespace solion::learn
