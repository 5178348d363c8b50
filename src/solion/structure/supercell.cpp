// Exact integer arithmetic modulo a superlattice.
#include "solion/structure/supercell.hpp"

#include "solion/base/errors.hpp"

namespace solion {
namespace {

int floor_div(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

IntMat3 adjugate_of(const IntMat3& m) {
  IntMat3 a;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      const int r1 = (j + 1) % 3, r2 = (j + 2) % 3, c1 = (i + 1) % 3, c2 = (i + 2) % 3;
      a(i, j) = m(r1, c1) * m(r2, c2) - m(r1, c2) * m(r2, c1);
    }
  }
  return a;
}

}  // namespace

LatticePoints::LatticePoints(const IntMat3& matrix) : matrix_(matrix), adjugate_(adjugate_of(matrix)) {
  if (matrix.cwiseAbs().maxCoeff() > 100)
    throw InputError("supercell {}: an entry is above 100", describe_supercell(matrix));
  determinant_ = matrix.row(0).dot(adjugate_.col(0));
  if (determinant_ < 1) {
    throw InputError("supercell {}: determinant {}; expected whole numbers that span a right-handed cell",
                     describe_supercell(matrix), determinant_);
  }
  if (determinant_ > 1000000)
    throw InputError("supercell {}: {} unit cells are more than 1000000", describe_supercell(matrix),
                     determinant_);
  low_ = Int3::Zero();
  Int3 high = Int3::Zero();
  for (int i = 0; i < 3; ++i) {
    low_ += matrix.row(i).transpose().cwiseMin(0);
    high += matrix.row(i).transpose().cwiseMax(0);
  }
  extent_ = high - low_ + Int3::Ones();
  lookup_.assign(static_cast<std::size_t>(extent_[0]) * static_cast<std::size_t>(extent_[1]) *
                     static_cast<std::size_t>(extent_[2]),
                 -1);
  std::size_t slot = 0;
  for (int x = low_[0]; x <= high[0]; ++x) {
    for (int y = low_[1]; y <= high[1]; ++y) {
      for (int z = low_[2]; z <= high[2]; ++z, ++slot) {
        const Int3 n(x, y, z);
        if (reduce(n) != n) continue;
        lookup_[slot] = static_cast<int>(points_.size());
        points_.push_back(n);
      }
    }
  }
}

Int3 LatticePoints::reduce(const Int3& n) const {
  const Int3 along = adjugate_.transpose() * n;  // coordinates along the rows of M, times det M
  Int3 whole;
  for (int k = 0; k < 3; ++k) whole[k] = floor_div(along[k], determinant_);
  return n - matrix_.transpose() * whole;
}

int LatticePoints::index(const Int3& n) const {
  const Int3 at = reduce(n) - low_;
  const int cell = (at[0] * extent_[1] + at[1]) * extent_[2] + at[2];
  return lookup_[static_cast<std::size_t>(cell)];
}

IntMat3 diagonal(const std::array<int, 3>& n) {
  IntMat3 m = IntMat3::Zero();
  for (int k = 0; k < 3; ++k) m(k, k) = n[static_cast<std::size_t>(k)];
  return m;
}

Frame supercell(const Frame& frame, const IntMat3& matrix) {
  if (!frame.cell) throw InputError("supercell: the frame has no cell");
  const LatticePoints lattice(matrix);
  Frame result;
  result.type_map = frame.type_map;
  result.info = frame.info;
  result.cell = Cell(Mat3(matrix.cast<double>() * frame.cell->matrix()));
  for (const Int3& n : lattice.points()) {
    const Vec3 shift = frame.cell->to_cartesian(n.cast<double>());
    for (const Vec3& r : frame.positions) result.positions.push_back(r + shift);
    result.types.insert(result.types.end(), frame.types.begin(), frame.types.end());
  }
  return result;
}

std::string describe_supercell(const IntMat3& m) {
  const IntMat3 off = m - IntMat3(m.diagonal().asDiagonal());
  if (off.isZero(0)) return fmt::format("{}x{}x{}", m(0, 0), m(1, 1), m(2, 2));
  return fmt::format("{},{},{};{},{},{};{},{},{}", m(0, 0), m(0, 1), m(0, 2), m(1, 0), m(1, 1), m(1, 2),
                     m(2, 0), m(2, 1), m(2, 2));
}

}  // namespace solion
