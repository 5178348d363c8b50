// LAMMPS data files (units metal; atom styles atomic, charge, molecular, full).
#pragma once

#include <memory>

#include "solion/io/frames.hpp"

namespace solion::io {

/// Reads one periodic frame: header, Masses, Atoms (with image flags), Velocities (Å/ps), Atom Type Labels;
/// other sections are read over. The atom style is that of `Atoms # style`, else `options.atom_style`;
/// without both only the 5 or 8 columns of style atomic are clear. Elements of the types come from
/// `options.type_names`, else from Atom Type Labels, else from comments after the masses, else from masses
/// that fit one element within 0.05 amu, else from `options.fallback_names`. Sorted by id. InputError if the
/// title says other units.
std::unique_ptr<FrameReader> read_lammps_data(LineReader lines, const ReadOptions& options);

/// Appends the frame in style atomic and LAMMPS's orientation (`to_lammps_orientation`), type t + 1 for type
/// t of the map. InputError without a cell.
void append_lammps_data(std::string& out, const Frame& frame);

}  // namespace solion::io
