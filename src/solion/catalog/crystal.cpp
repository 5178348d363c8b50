// Crystals by name or file.
#include "solion/catalog/crystal.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"

namespace solion {
namespace {

Crystal without_chemistry(const std::filesystem::path& file) {
  const Frame read = io::read_frame(file);
  if (!read.cell) throw InputError("{}: the frame has no cell; a crystal needs one", file.string());
  Crystal crystal;
  crystal.name = file.filename().string();
  crystal.summary = read.formula();
  crystal.frame.type_map = read.type_map;
  crystal.frame.types = read.types;
  crystal.frame.positions = read.positions;
  crystal.frame.cell = read.cell;
  return crystal;
}

/// A known name first: a folder of the example's name beside the user must not hide the crystal.
Crystal by_name_or_file(const std::string& name) {
  if (const auto known = known_crystals(); std::ranges::find(known, name) != known.end())
    return known_crystal(name);
  const std::filesystem::path path(name);
  if (!std::filesystem::exists(path)) {
    if (path.has_extension() || path.has_parent_path()) throw InputError("{}: no such file", name);
    return known_crystal(name);
  }
  if (path.extension() != ".toml") return without_chemistry(path);
  TomlTable table = TomlTable::read(path);
  return parse_crystal(table);
}

}  // namespace

Crystal open_crystal(const std::string& name_or_file, const std::filesystem::path& reactions) {
  Crystal crystal = by_name_or_file(name_or_file);
  std::string told_by = name_or_file;
  if (!reactions.empty()) {
    TomlTable table = TomlTable::read(reactions);
    crystal.chemistry.merge(Chemistry::parse(table));
    table.refuse_unknown();
    if (table.has("oxidation_states")) told_by = reactions.string();
  }
  // A wrong state would pass every reaction that does not touch its element.
  check_neutral(crystal.frame, crystal.chemistry, told_by + ": oxidation_states");
  return crystal;
}

std::string crystal_at(TomlTable& table, const std::string& key, const std::string& fallback) {
  if (!table.has(key)) return fallback;
  const std::string text = table.text(key);
  const std::filesystem::path beside = table.path(key);
  return std::filesystem::is_regular_file(beside) ? beside.string() : text;
}

}  // namespace solion
