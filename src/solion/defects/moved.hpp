// How many atoms a relaxation moved: about a defect a few, far more where the crystal itself gives way.
#pragma once

#include <cstddef>

#include "solion/structure/frame.hpp"

namespace solion::defects {

/// Atoms that stand farther than 1 Å from where they were; the frames have them in one order, and one cell
/// or none.
int moved_atoms(const Frame& from, const Frame& to);

/// Whether as few moved as do about defects: at most five, or a tenth of all.
bool as_about_defects(int moved, std::size_t atoms);

}  // namespace solion::defects
