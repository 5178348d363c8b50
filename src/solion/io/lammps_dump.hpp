// LAMMPS text dumps (units metal), as written by `dump custom`.
#pragma once

#include <cstdint>
#include <memory>

#include "solion/io/frames.hpp"

namespace solion::io {

/// Reads frames with orthogonal, triclinic or general (`abc origin`) boxes, all periodic or none; columns in
/// any order: id, type, element, x|xu|xs|xsu …, ix iy iz, vx vy vz (Å/ps), fx fy fz (eV/Å); others are left
/// out. Atoms are sorted by id. Elements come from `options.type_names` if given, else from the element
/// column, else from `options.fallback_names`. The timestep goes to info["timestep"], a time (ps) to
/// info["time_fs"], and where the file says its units info["units"] is "metal". A frame of as many atoms as
/// the first one, but with other ids, says so in info["atom_ids_changed"]. Positions: x with image flags if
/// both are there, else unwrapped ones (with image flags of zero) if there, else x or xs.
std::unique_ptr<FrameReader> read_lammps_dump(LineReader lines, const ReadOptions& options);

/// Appends one frame in LAMMPS's orientation (`to_lammps_orientation`) with the columns id type element, x y
/// z and, if the frame has image flags, ix iy iz, vx vy vz (Å/ps), fx fy fz. The timestep is info["step"],
/// info["timestep"] or info["vasp_configuration"], the first that is a whole number, else `number`, which is
/// one above it afterwards. Without a cell the box is the bounding box, marked `ff`.
void append_lammps_dump(std::string& out, const Frame& frame, std::int64_t& number);

}  // namespace solion::io
