// Checks of frames read from files.
#include "solion/io/frames.hpp"

#include <algorithm>

#include "solion/structure/elements.hpp"

namespace solion::io {

Cell make_cell(const Mat3& h, const std::string& where) {
  if (!(h.cwiseAbs().maxCoeff() <= largest_coordinate_A)) {
    throw InputError("{}: a cell vector is longer than {:g} Å; are the units right?", where,
                     largest_coordinate_A);
  }
  try {
    return Cell(h);
  } catch (const InputError& error) {
    throw InputError("{}: {}", where, error.what());
  }
}

int type_of(TypeMap& map, std::string_view element, const LineReader& lines) {
  if (const int type = map.find(element); type >= 0) return type;
  if (atomic_number(element) == 0) {
    const bool number = !element.empty() && element.find_first_not_of("0123456789") == std::string_view::npos;
    lines.fail("{} is not an element symbol{}", shown(element),
               number ? "; LAMMPS writes numbers of types where no dump_modify element names them" : "");
  }
  return map.find_or_add(element);
}

void check_frame(const Frame& frame, const std::string& where, const ReadOptions& options) {
  if (frame.cell && frame.n_atoms() > 0) {
    const double each = frame.cell->volume() / static_cast<double>(frame.n_atoms());
    const bool sparse_enough = options.accept_sparse || each <= largest_volume_per_atom_A3;
    if (!options.accept_any_density && !(each >= least_volume_per_atom_A3 && sparse_enough)) {
      throw InputError(
          "{}: {:.4g} Å³ of cell per atom; expected {} to {} Å³. Are the lengths in Å (not nm, pm or "
          "fractions)? If they are, accept any density (--any-density)",
          where, each, least_volume_per_atom_A3, largest_volume_per_atom_A3);
    }
    if (!(frame.cell->widths().minCoeff() >= thinnest_cell_A)) {
      throw InputError("{}: the cell is only {:.3g} Å thick; are the units right?", where,
                       frame.cell->widths().minCoeff());
    }
  }
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (!(frame.positions[i].cwiseAbs().maxCoeff() <= largest_coordinate_A)) {
      throw InputError("{}: atom {} lies at ({:g}, {:g}, {:g}) Å; are the units right?", where, i + 1,
                       frame.positions[i][0], frame.positions[i][1], frame.positions[i][2]);
    }
  }
  validate(frame, where, options.closest_A);
}

void check_count(std::uint64_t count, std::uint64_t bytes_each, const LineReader& lines,
                 std::string_view what) {
  if (count == 0) lines.fail("0 {}; expected at least one", what);
  // The last line may lack its end of line, so one byte less is enough.
  if (lines.bytes_left() == UINT64_MAX || count <= (lines.bytes_left() + 1) / bytes_each) return;
  lines.fail("{} {} announced, but only {} bytes follow; the file is truncated or the number wrong", count,
             what, lines.bytes_left());
}

std::size_t safe_reserve(std::uint64_t count) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(count, std::uint64_t{1} << 16));
}

}  // namespace solion::io
