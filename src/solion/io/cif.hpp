// CIF (crystallographic information file): crystals as databases give them, symmetry multiplied out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "solion/io/frames.hpp"
#include "solion/structure/symmetry.hpp"

namespace solion::io {

/// "x, -y, z+1/2" (International Tables): InputError with `where` for anything else.
SymmetryOperation parse_operation(std::string_view text, const std::string& where);

/// One frame for every data block that has atoms: all atoms of its conventional cell, a along x and b in the
/// xy plane. Symmetry is that of the file's operations; where there are none, that of its Hall or
/// Hermann–Mauguin symbol if it names one setting (spglib's table). Equivalent positions closer than 0.1 Å
/// are one atom, and coordinates given as 0.3333 are thirds. Read by libcif (COMCIFS; CIF 1.1 and 2.0).
/// InputError for a file without atoms, operations that do not keep the cell's lengths to 1 %, sites that are
/// partly occupied or meet, and what is unknown. Deuterium becomes hydrogen, with a warning.
std::unique_ptr<FrameReader> read_cif(std::string text, const std::string& name, const ReadOptions& options);

}  // namespace solion::io
