// Extended XYZ (ASE, OVITO, GPUMD, MACE …) and plain XYZ.
#pragma once

#include <memory>

#include "solion/io/frames.hpp"

namespace solion::io {

/// Reads extended XYZ: Lattice (rows a, b, c), Properties in any order, pbc all T or all F, free_energy or
/// energy (eV), stress (eV/Å³, ASE's sign, becomes a virial) or virial (eV), in other units where the file
/// states them; columns species or Z, pos (Å), forces or force (eV/Å), vel or velocities (Å/fs), momenta
/// (ASE: √(amu·eV)), images, energies or atomic_energies (eV). Labels may have REF_ or dft_ in front. Other
/// keys go to `Frame::info`; other columns are left out with one warning. A file without Properties and
/// Lattice is plain XYZ: no cell, the comment in info["comment"], a step that LAMMPS or CP2K wrote there in
/// info["step"].
std::unique_ptr<FrameReader> read_extxyz(LineReader lines, const ReadOptions& options);

/// Appends the frame: what read_extxyz reads, every number with the digits that bring it back exactly.
void append_extxyz(std::string& out, const Frame& frame);

}  // namespace solion::io
