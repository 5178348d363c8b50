// One row of the environment matrix and its derivative: what every path and the training share.
// Theory: docs/theory/dp.md, section 1.
#pragma once

#include "solion/base/both.hpp"

namespace solion::dp {

/// Atoms closer than this (Å) lie at the same place: what rounding leaves between an atom and the image of
/// another.
constexpr double same_place_A = 1e-6;

/// s = w(r)/(r + p), q = w(r)/(r + p)², and their derivatives by r. The row of a neighbour at r⃗ is
/// (s, q·x, q·y, q·z); with p = 0 it is (s, s·x/r, s·y/r, s·z/r).
template <typename T>
struct Switched {
  T s, q, ds, dq;
};

/// w = 1 − 10u³ + 15u⁴ − 6u⁵ with u = (r − rcut_smth)/(rcut − rcut_smth) clipped to [0, 1]; p = `protection`.
template <typename T>
SOLION_BOTH inline Switched<T> switched(T r, T rcut, T rcut_smth, T protection) {
  const T width = 1 / (rcut - rcut_smth);
  T u = (r - rcut_smth) * width;
  u = u < 0 ? T(0) : (u > 1 ? T(1) : u);
  const T w = 1 - u * u * u * (10 - u * (15 - u * 6));
  const T dw = -30 * u * u * (1 - u) * (1 - u) * width;
  const T inverse = 1 / (r + protection);
  const T s = w * inverse;
  const T q = s * inverse;
  const T ds = dw * inverse - q;
  return {s, q, ds, (ds - q) * inverse};
}

/// ∂E/∂r⃗ of a neighbour at r⃗ (r[3], with 1/r) from y[4] = ∂E/∂(s, q·x, q·y, q·z):
/// (y0·s' + (y⃗·r⃗)·q')·r⃗/r + q·y⃗.
template <typename T>
SOLION_BOTH inline void row_to_vector(const T* y, const T* r, T inverse_r, const Switched<T>& w,
                                      T* gradient) {
  const T along = (y[0] * w.ds + (y[1] * r[0] + y[2] * r[1] + y[3] * r[2]) * w.dq) * inverse_r;
  for (int a = 0; a < 3; ++a) gradient[a] = along * r[a] + w.q * y[a + 1];
}

}  // namespace solion::dp
