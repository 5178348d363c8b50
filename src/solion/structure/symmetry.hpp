// Space-group symmetry of a frame (spglib): operations, equivalent atoms, Wyckoff letters.
#pragma once

#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion {

using IntMat3 = Eigen::Matrix<int, 3, 3, Eigen::RowMajor>;

/// f' = rotation·f + translation on fractional column vectors f of the frame's own cell.
struct SymmetryOperation {
  IntMat3 rotation;
  Vec3 translation;
};

struct Symmetry {
  int space_group = 0;               ///< number in the International Tables, 1…230
  std::string symbol;                ///< Hermann–Mauguin, short ("Pm-3m")
  std::string point_group;           ///< of the crystal ("m-3m")
  std::vector<std::string> wyckoff;  ///< letter of each atom, in the standardised cell
  std::vector<int> orbit;            ///< of each atom: the first atom that an operation maps onto it
  std::vector<SymmetryOperation>
      operations;  ///< of this cell, its pure translations included; identity first
};

/// Symmetry of a periodic frame by spglib (Togo and Tanaka, arXiv:1808.01590). Atoms within `tolerance_A` of
/// an image count as equivalent. InputError without a cell, or if no symmetry can be found (overlapping
/// atoms).
Symmetry find_symmetry(const Frame& frame, double tolerance_A = 1e-3);

/// The settings (spglib's numbers, 1…530, of Hall's table) that go by these names, any of which may be empty;
/// blanks, underscores and case do not count. By Hall's symbol, else by Hermann and Mauguin's (short or full,
/// with the origin or axes behind it as in Fd-3m:2, R-3c:H, Fd-3mZ) among those of the space group's number,
/// else by the number.
std::vector<int> find_settings(const std::string& hall, const std::string& hermann_mauguin,
                               const std::string& number);
/// The operations of a setting.
std::vector<SymmetryOperation> operations_of_setting(int setting);

/// Fractional coordinates moved into [0, 1), with values that rounding left just below 1 at 0.
Vec3 wrap_fractional(const Vec3& f);

}  // namespace solion
