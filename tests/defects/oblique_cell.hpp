// A crystal whose lattice has operations that its atoms have not.
#pragma once

#include "solion/structure/frame.hpp"

namespace solion::testing {

/// A crystal without axes in a cubic cell: `turned`, by a quarter about c, it has the same lattice and other
/// atoms.
inline Frame oblique_cell(bool turned) {
  Frame frame;
  frame.cell = Cell::cubic(6.0);
  const auto add = [&](const char* element, double x, double y, double z) {
    frame.add_atom(element, 6.0 * (turned ? Vec3(-y, x, z) : Vec3(x, y, z)));
  };
  add("Cl", 0, 0, 0);
  add("O", 0.31, 0.46, 0.12);
  add("Li", 0.05, 0.40, 0.35);
  add("Li", 0.62, 0.20, 0.43);
  add("Li", 0.37, 0.83, 0.71);
  return frame;
}

}  // namespace solion::testing
