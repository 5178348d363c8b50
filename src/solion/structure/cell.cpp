// Cell geometry.
#include "solion/structure/cell.hpp"

#include <Eigen/Geometry>
#include <cmath>

#include "solion/base/errors.hpp"

namespace solion {

Cell::Cell(const Mat3& h) : h_(h), inverse_(Mat3::Zero()), volume_(h.determinant()) {
  if (!h.allFinite()) throw InputError("cell: a component is not a finite number");
  const double scale = h.row(0).norm() * h.row(1).norm() * h.row(2).norm();
  if (!(std::abs(volume_) > 1e-6 * scale)) {
    throw InputError(
        "cell: the three vectors span no volume ({:g} Å³): a = ({}, {}, {}), b = ({}, {}, {}), c = ({}, {}, "
        "{})",
        volume_, h(0, 0), h(0, 1), h(0, 2), h(1, 0), h(1, 1), h(1, 2), h(2, 0), h(2, 1), h(2, 2));
  }
  if (volume_ < 0) {
    throw InputError("cell: the vectors a, b, c are left-handed (volume {:g} Å³); exchange two of them",
                     volume_);
  }
  inverse_ = h.inverse();
}

Vec3 Cell::widths() const {
  Vec3 w;
  for (int k = 0; k < 3; ++k) w[k] = volume_ / vector((k + 1) % 3).cross(vector((k + 2) % 3)).norm();
  return w;
}

Vec3 Cell::minimum_image(const Vec3& d) const {
  Vec3 f = to_fractional(d);
  f -= f.array().round().matrix();
  const Vec3 start = to_cartesian(f);
  // In a skewed cell a neighbouring image may be shorter: look as far as the length found so far reaches.
  const Vec3 reach = (start.norm() * widths().cwiseInverse().array() + f.cwiseAbs().array()).floor();
  Vec3 best = start;
  const Int3 n = reach.cast<int>();
  for (int i = -n[0]; i <= n[0]; ++i) {
    for (int j = -n[1]; j <= n[1]; ++j) {
      for (int k = -n[2]; k <= n[2]; ++k) {
        const Vec3 candidate = start + to_cartesian(Vec3(i, j, k));
        if (candidate.squaredNorm() < best.squaredNorm()) best = candidate;
      }
    }
  }
  return best;
}

void Cell::wrap(Vec3& r, Int3& image) const {
  const Vec3 f = to_fractional(r);
  const Vec3 n = f.array().floor();
  if (n.isZero(0)) return;
  r -= to_cartesian(n);
  image += n.cast<int>();
}

}  // namespace solion
