// The ideal Li3OCl cell and the project's own reference potential, for tests of any room.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "solion/potential/from_toml.hpp"
#include "solion/structure/frame.hpp"

namespace solion::testing {

/// Pm-3m: Cl at the corner, O at the body centre, Li at the face centres.
inline Frame li3ocl_cell(double a = 3.91) {
  Frame frame;
  frame.cell = Cell::cubic(a);
  frame.add_atom("Li", a * Vec3(0.5, 0.5, 0.0));
  frame.add_atom("Li", a * Vec3(0.5, 0.0, 0.5));
  frame.add_atom("Li", a * Vec3(0.0, 0.5, 0.5));
  frame.add_atom("O", a * Vec3(0.5, 0.5, 0.5));
  frame.add_atom("Cl", Vec3::Zero());
  return frame;
}

inline std::unique_ptr<Potential> li3ocl_buckingham() {
  return potential_from_toml(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml");
}

/// Without the atoms of these numbers.
inline Frame without(const Frame& frame, const std::vector<std::size_t>& gone) {
  Frame result;
  result.type_map = frame.type_map;
  result.cell = frame.cell;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (std::find(gone.begin(), gone.end(), i) != gone.end()) continue;
    result.types.push_back(frame.types[i]);
    result.positions.push_back(frame.positions[i]);
  }
  return result;
}

}  // namespace solion::testing
