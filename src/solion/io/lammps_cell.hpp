// LAMMPS's cell convention: a along +x, b in the xy plane with y > 0, c with z > 0; and its units.
#pragma once

#include "solion/io/frames.hpp"

namespace solion::io {

/// Velocities: Å/ps (LAMMPS units metal) in files, Å/fs here.
inline constexpr double A_per_ps_in_A_per_fs = 1e-3;

/// The frame turned so that its cell is lower triangular with a positive diagonal, as LAMMPS wants it.
/// Positions, velocities, forces and virial turn with it, fractional coordinates and image flags stay. A
/// frame that fits already is given back unchanged, bit for bit; without a cell nothing happens.
Frame to_lammps_orientation(const Frame& frame);

}  // namespace solion::io
