// Supercells of a crystal by any 3×3 integer matrix, and the arithmetic of lattice points modulo it.
#pragma once

#include <vector>

#include "solion/structure/frame.hpp"
#include "solion/structure/symmetry.hpp"

namespace solion {

/// The lattice points n (whole numbers along a, b, c of the unit cell) modulo the superlattice spanned by the
/// rows of M: row vector n ~ n + m·M. There are det M classes; each has one representative whose
/// coordinates along the rows of M lie in [0, 1).
class LatticePoints {
 public:
  /// InputError if det M < 1 (singular or left-handed) or more than 10⁶ cells.
  explicit LatticePoints(const IntMat3& matrix);

  [[nodiscard]] const IntMat3& matrix() const { return matrix_; }
  /// Representatives in ascending order, the last index runs fastest (for a diagonal M the order of
  /// `repeat`).
  [[nodiscard]] const std::vector<Int3>& points() const { return points_; }
  /// Number of the representative of any lattice point.
  [[nodiscard]] int index(const Int3& n) const;

 private:
  [[nodiscard]] Int3 reduce(const Int3& n) const;

  IntMat3 matrix_;
  IntMat3 adjugate_;  ///< M·adjugate = det
  int determinant_;
  std::vector<Int3> points_;
  std::vector<int> lookup_;  ///< over the bounding box of the representatives
  Int3 low_, extent_;
};

/// diag(n1, n2, n3).
IntMat3 diagonal(const std::array<int, 3>& n);

/// The frame repeated to the cell M·h (rows a' = M₁₁ a + M₁₂ b + M₁₃ c, …); atoms of one unit cell stand
/// together in the order of LatticePoints. Labels, velocities and images are dropped. InputError without a
/// cell or if det M < 1.
Frame supercell(const Frame& frame, const IntMat3& matrix);

/// "2x2x2", or "a,b,c;d,e,f;g,h,i" for a matrix that is not diagonal.
std::string describe_supercell(const IntMat3& matrix);

}  // namespace solion
