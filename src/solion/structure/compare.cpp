// Comparison of two frames atom by atom, ending at the first difference.
#include "solion/structure/compare.hpp"

namespace solion {

bool same_configuration(const Frame& a, const Frame& b, double tolerance_A) {
  if (a.n_atoms() != b.n_atoms() || a.cell.has_value() != b.cell.has_value()) return false;
  if (a.cell) {
    const double change = (a.cell->matrix() - b.cell->matrix()).cwiseAbs().maxCoeff();
    if (!(change <= tolerance_A)) return false;
  }
  for (std::size_t i = 0; i < a.n_atoms(); ++i) {
    Vec3 d = b.positions[i] - a.positions[i];
    if (!(d.norm() <= tolerance_A)) {
      if (!a.cell) return false;
      // Subtracting whole cells is enough here: only a displacement near a lattice vector can become small.
      const Vec3 f = a.cell->to_fractional(d);
      d = a.cell->to_cartesian(f - Vec3(f.array().round()));
      if (!(d.norm() <= tolerance_A)) return false;
    }
    if (a.element(i) != b.element(i)) return false;
  }
  return true;
}

}  // namespace solion
