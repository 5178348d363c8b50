// First paths between two structures: straight lines, and distances that change evenly (IDPP).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::relax {

/// The final structure with every atom at its periodic image nearest to where it starts, so that a straight
/// line leads there. InputError if the two are not of the same atoms in the same order, or their cells
/// differ by more than 1e-6 Å; `what` stands in front of the message.
Frame nearest_images(const Frame& initial, const Frame& final_frame, const std::string& what);

/// How far the whole of the final structure (as `nearest_images` gives it) stands from the initial one, Å:
/// what more than half of the atoms share; zero below 0.1 Å. Energies do not know it, and a path needs none
/// of it.
Vec3 rigid_shift(const Frame& initial, const Frame& final_frame);

/// Rings of atoms of one element that end (in a structure as `nearest_images` gives it) where others of them
/// begin: mostly two files that number the same atoms differently, which is no path.
std::vector<std::vector<std::size_t>> exchanged_atoms(const Frame& initial, const Frame& final_frame);

/// `n_images` frames between the ends and the ends: straight lines, evenly spaced. Positions are taken as
/// they stand (no periodic images).
std::vector<Frame> linear_path(const Frame& initial, const Frame& final_frame, int n_images);

/// The path on which the distances between atoms change as evenly as three-dimensional space allows: the
/// minimum-energy path of S = Σ (d_target − d)²/d⁴ (Smidstrup, Pedersen, Stokbro and Jónsson, J. Chem. Phys.
/// 140, 214106 (2014), eq 3), over pairs that come within 6 Å, from the straight line. Where the straight
/// line runs through another atom (nearer than 1 Å, with no side to prefer by symmetry) the moving atom first
/// gets 0.2 Å to one side.
std::vector<Frame> idpp_path(const Frame& initial, const Frame& final_frame, int n_images);

}  // namespace solion::relax
