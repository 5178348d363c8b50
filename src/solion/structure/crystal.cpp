// Crystals from TOML text.
#include "solion/structure/crystal.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/structure/crystal_data.hpp"
#include "solion/structure/elements.hpp"

namespace solion {
namespace {

Cell parse_cell(TomlTable& table) {
  const std::vector<double> v = table.numbers("cell_A");
  Mat3 h = Mat3::Zero();
  if (v.size() == 1) {
    h = Mat3::Identity() * v[0];
  } else if (v.size() == 3) {
    for (int k = 0; k < 3; ++k) h(k, k) = v[static_cast<std::size_t>(k)];
  } else if (v.size() == 9) {
    for (int k = 0; k < 9; ++k) h(k / 3, k % 3) = v[static_cast<std::size_t>(k)];
  } else {
    table.fail("cell_A", "expected 1 number (cubic), 3 (orthorhombic) or 9 (rows a, b, c)");
  }
  try {
    return Cell(h);
  } catch (const InputError& error) {
    table.fail("cell_A", error.what());
  }
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

TomlTable built_in(std::string_view text) { return TomlTable::parse(text, "built-in crystal"); }

}  // namespace

Crystal parse_crystal(TomlTable& table) {
  Crystal crystal;
  crystal.name = table.text("name");
  crystal.summary = table.text("summary", crystal.name);
  crystal.frame.cell = parse_cell(table);
  for (const std::string& site : table.texts("sites")) {
    std::istringstream words(site);
    std::string element, rest;
    Vec3 f;
    if (!(words >> element >> f[0] >> f[1] >> f[2]) || (words >> rest) || atomic_number(element) == 0)
      table.fail("sites", fmt::format("'{}': expected an element and three fractional coordinates", site));
    crystal.frame.add_atom(element, crystal.frame.cell->to_cartesian(f));
  }
  crystal.chemistry = Chemistry::parse(table);
  table.refuse_unknown();
  validate(crystal.frame, table.file().string());
  return crystal;
}

std::vector<std::string> known_crystals() {
  std::vector<std::string> names;
  names.reserve(crystal_texts().size());
  for (const std::string_view text : crystal_texts()) names.push_back(built_in(text).text("name"));
  return names;
}

Crystal known_crystal(const std::string& name) {
  for (const std::string_view text : crystal_texts()) {
    TomlTable table = built_in(text);
    if (table.text("name") == lower(name)) return parse_crystal(table);
  }
  throw InputError("'{}' is neither a file nor a crystal known by name; known: {}", name,
                   fmt::join(known_crystals(), ", "));
}

void set_lattice_constant(Frame& frame, double a_A) {
  if (!(a_A > 0)) throw InputError("lattice constant {} Å; expected a length above 0", a_A);
  if (!frame.cell) throw InputError("lattice constant: the frame has no cell");
  const double scale = a_A / frame.cell->vector(0).norm();
  frame.cell = Cell(Mat3(frame.cell->matrix() * scale));
  for (Vec3& r : frame.positions) r *= scale;
}

}  // namespace solion
