// VASP's POSCAR and CONTCAR: one periodic frame.
#pragma once

#include <memory>

#include "solion/io/frames.hpp"

namespace solion::io {

/// Reads one frame: scale (one factor, a negative volume, or three factors), element line (VASP 5 and later;
/// required), selective dynamics (flags are read over), Direct or Cartesian, and velocities in Å/fs if they
/// follow.
std::unique_ptr<FrameReader> read_poscar(LineReader lines, const ReadOptions& options);

/// What follows the title line, up to the numbers of atoms: fills cell, type map and types. `scale` is the
/// first line of it, already read. Returns the scale of each axis, for Cartesian coordinates.
Vec3 read_poscar_header(std::string_view scale, LineReader& lines, Frame& frame);

/// Appends the frame with Cartesian coordinates and velocities if any. Atoms keep their order: elements that
/// change back and forth give a species line with repeats. InputError without a cell.
void append_poscar(std::string& out, const Frame& frame);

}  // namespace solion::io
