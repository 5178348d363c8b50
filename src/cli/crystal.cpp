// Names, TOML files and structure files as crystals.
#include "cli/crystal.hpp"

#include <filesystem>

#include "solion/base/errors.hpp"
#include "solion/base/input.hpp"
#include "solion/io/formats.hpp"

namespace solion::cli {
namespace {

Crystal crystal_of(const std::string& name) {
  const std::filesystem::path path(name);
  if (!std::filesystem::exists(path)) {
    if (path.has_extension() || path.has_parent_path()) throw InputError("{}: no such file", name);
    return known_crystal(name);
  }
  if (path.extension() == ".toml") {
    TomlTable table = TomlTable::read(path);
    return parse_crystal(table);
  }
  const Frame read = io::read_frame(path);
  if (!read.cell) throw InputError("{}: the frame has no cell; a crystal needs one", name);
  Crystal crystal;
  crystal.name = path.filename().string();
  crystal.summary = read.formula();
  crystal.frame.type_map = read.type_map;
  crystal.frame.types = read.types;
  crystal.frame.positions = read.positions;
  crystal.frame.cell = read.cell;
  return crystal;
}

}  // namespace

Crystal load_crystal(const std::string& name, const std::string& reactions_file) {
  Crystal crystal = crystal_of(name);
  if (!reactions_file.empty()) {
    TomlTable table = TomlTable::read(reactions_file);
    crystal.chemistry.merge(Chemistry::parse(table));
    table.refuse_unknown();
  }
  return crystal;
}

IntMat3 supercell_matrix(const std::vector<int>& n) {
  if (n.size() == 3) return diagonal({n[0], n[1], n[2]});
  if (n.size() != 9)
    throw InputError("--supercell: {} numbers; expected 3, or 9 (the rows of a matrix)", n.size());
  IntMat3 matrix;
  for (int k = 0; k < 9; ++k) matrix(k / 3, k % 3) = n[static_cast<std::size_t>(k)];
  return matrix;
}

}  // namespace solion::cli
