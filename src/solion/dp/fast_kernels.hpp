// The bodies for one pair and one atom: small inline functions without allocation, over plain arrays.
// Theory: docs/theory/dp.md, section 4. Channels are padded to whole vectors (`stride`) with zeros.
#pragma once

#include "solion/dp/environment.hpp"
#include "solion/dp/model.hpp"
#include "solion/dp/simd.hpp"
#include "solion/dp/tables.hpp"

// Short loops over rows and columns must vanish, so that their sums stay in registers: GCC does it at -O3
// only.
#ifdef __clang__
#define SOLION_UNROLL _Pragma("unroll")
#else
#define SOLION_UNROLL _Pragma("GCC unroll 8")
#endif

namespace solion::dp {

/// One pair within the cutoff.
template <typename T>
struct PairData {
  T row[4];  ///< normalised row R of the environment matrix
  T r[3];    ///< r_ij, Å
  T inverse_r;
  T q, ds, dq;  ///< see environment.hpp
  T t;          ///< place in the interval of the table
  T inverse_h;
  int owner;                   ///< local atom that the neighbour is an image of
  const T* nodes;              ///< two nodes, [6][stride]
  const T* inverse_deviation;  ///< [4]
};

template <typename T>
inline void fill_pair(PairData<T>& p, const Vec3& r, T distance, const Descriptor& d, const T* mean,
                      const T* inverse_deviation) {
  const Switched<T> w = switched(distance, static_cast<T>(d.rcut), static_cast<T>(d.rcut_smth),
                                 static_cast<T>(d.env_protection));
  SOLION_UNROLL
  for (int k = 0; k < 3; ++k) p.r[k] = static_cast<T>(r[k]);
  p.inverse_r = 1 / distance;
  p.q = w.q;
  p.ds = w.ds;
  p.dq = w.dq;
  p.row[0] = (w.s - mean[0]) * inverse_deviation[0];
  SOLION_UNROLL
  for (int c = 1; c < 4; ++c) p.row[c] = (w.q * p.r[c - 1] - mean[c]) * inverse_deviation[c];
}

/// t += Σ Rᵀ·G over `n` pairs at once, so that t is loaded and stored once for all of them.
template <int n, typename T>
inline void add_some(const PairData<T>* pairs, int stride, T* t) {
  using S = Simd<T>;
  HermiteWeights<T> w[n];
  SOLION_UNROLL
  for (int k = 0; k < n; ++k) w[k] = hermite(pairs[k].t, pairs[k].inverse_h);
  for (int c = 0; c < stride; c += S::lanes) {
    typename S::Vector sum[4];
    SOLION_UNROLL
    for (int x = 0; x < 4; ++x) sum[x] = S::load(t + x * stride + c);
    SOLION_UNROLL
    for (int k = 0; k < n; ++k) {
      const T* node = pairs[k].nodes + c;
      typename S::Vector g = w[k].value[0] * S::load(node);
      SOLION_UNROLL
      for (int m = 1; m < 6; ++m) g += w[k].value[m] * S::load(node + m * stride);
      SOLION_UNROLL
      for (int x = 0; x < 4; ++x) sum[x] += pairs[k].row[x] * g;
    }
    SOLION_UNROLL
    for (int x = 0; x < 4; ++x) S::store(t + x * stride + c, sum[x]);
  }
}

/// t [4][stride] += Rᵀ·G of the pairs [p, end).
template <typename T>
inline void add_environment(const PairData<T>* p, const PairData<T>* end, int stride, T* t) {
  for (; end - p >= 4; p += 4) add_some<4>(p, stride, t);
  for (; p != end; ++p) add_some<1>(p, stride, t);
}

/// d [m2][m1] = T[:m2]ᵀ-wise products: d[k][c] = Σ_x t[x][k]·t[x][c]. Writes up to one vector behind the end.
template <typename T>
inline void make_descriptor(const T* t, int stride, int m1, int m2, T* d) {
  using S = Simd<T>;
  for (int k = 0; k < m2; ++k) {
    for (int c = 0; c < m1; c += S::lanes) {
      typename S::Vector sum = t[k] * S::load(t + c);
      SOLION_UNROLL
      for (int x = 1; x < 4; ++x) sum += t[x * stride + k] * S::load(t + x * stride + c);
      S::store(d + k * m1 + c, sum);
    }
  }
}

/// grad_t [4][stride] = scale·∂E/∂T from a = ∂E/∂d [m2][m1]. Reads up to one vector behind the end of `a`;
/// what comes of it stands in channels behind the last, which no later product uses (zeros of the tables).
template <typename T>
inline void descriptor_gradient(const T* a, const T* t, int stride, int m1, int m2, T scale, T* grad_t) {
  using S = Simd<T>;
  for (int c = 0; c < m1; c += S::lanes) {
    typename S::Vector sum[4] = {S::zero(), S::zero(), S::zero(), S::zero()};
    for (int k = 0; k < m2; ++k) {
      const typename S::Vector row = S::load(a + k * m1 + c);
      SOLION_UNROLL
      for (int x = 0; x < 4; ++x) sum[x] += t[x * stride + k] * row;
    }
    SOLION_UNROLL
    for (int x = 0; x < 4; ++x) S::store(grad_t + x * stride + c, scale * sum[x]);
  }
  for (int k = 0; k < m2; ++k) {
    typename S::Vector sum[4] = {S::zero(), S::zero(), S::zero(), S::zero()};
    for (int c = 0; c < m1; c += S::lanes) {
      const typename S::Vector row = S::load(a + k * m1 + c);
      SOLION_UNROLL
      for (int x = 0; x < 4; ++x) sum[x] += S::load(t + x * stride + c) * row;
    }
    SOLION_UNROLL
    for (int x = 0; x < 4; ++x) grad_t[x * stride + k] += scale * S::sum(sum[x]);
  }
}

/// ∂E/∂r_ij of one pair.
template <typename T>
inline void pair_gradient(const PairData<T>& p, const T* grad_t, int stride, T* gradient) {
  using S = Simd<T>;
  const HermiteWeights<T> w = hermite(p.t, p.inverse_h);
  typename S::Vector by_row[4] = {S::zero(), S::zero(), S::zero(), S::zero()};
  typename S::Vector by_x = S::zero();
  for (int c = 0; c < stride; c += S::lanes) {
    const T* node = p.nodes + c;
    typename S::Vector row = S::load(node);
    typename S::Vector g = w.value[0] * row;
    typename S::Vector slope = w.slope[0] * row;
    SOLION_UNROLL
    for (int m = 1; m < 6; ++m) {
      row = S::load(node + m * stride);
      g += w.value[m] * row;
      slope += w.slope[m] * row;
    }
    typename S::Vector grad_g = S::zero();
    SOLION_UNROLL
    for (int x = 0; x < 4; ++x) {
      const typename S::Vector dt = S::load(grad_t + x * stride + c);
      by_row[x] += g * dt;
      grad_g += p.row[x] * dt;
    }
    by_x += slope * grad_g;
  }
  const T y0 = (S::sum(by_row[0]) + S::sum(by_x)) * p.inverse_deviation[0];
  T y[3];
  SOLION_UNROLL
  for (int x = 0; x < 3; ++x) y[x] = S::sum(by_row[x + 1]) * p.inverse_deviation[x + 1];
  const T along = (y0 * p.ds + (y[0] * p.r[0] + y[1] * p.r[1] + y[2] * p.r[2]) * p.dq) * p.inverse_r;
  SOLION_UNROLL
  for (int x = 0; x < 3; ++x) gradient[x] = along * p.r[x] + p.q * y[x];
}

}  // namespace solion::dp

#undef SOLION_UNROLL
