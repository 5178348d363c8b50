// The short sums between the rows of one atom's neighbours and its 4 × M1 matrix, kept in registers.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>

namespace solion::train {

/// So many channels go through the loops at once: two vector registers of the widest instruction set.
template <typename T>
constexpr std::ptrdiff_t lanes = 128 / static_cast<std::ptrdiff_t>(sizeof(T));

/// Calls body(m, size) for pieces of the m1 channels; `size` is a compile-time constant for whole pieces.
template <typename T, typename F>
inline void for_channels(std::ptrdiff_t m1, const F& body) {
  constexpr std::ptrdiff_t wide = lanes<T>;
  constexpr std::ptrdiff_t narrow = wide / 8;
  std::ptrdiff_t m = 0;
  for (; m + wide <= m1; m += wide) body(m, std::integral_constant<std::ptrdiff_t, wide>{});
  for (; m + narrow <= m1; m += narrow) body(m, std::integral_constant<std::ptrdiff_t, narrow>{});
  for (; m < m1; ++m) body(m, std::integral_constant<std::ptrdiff_t, 1>{});
}

/// t[k][m] += Σ_p r[p][k]·g[p][m], p < n, k < 4.
template <typename T>
inline void accumulate(std::ptrdiff_t n, std::ptrdiff_t m1, const T* r, const T* g, T* t) {
  for_channels<T>(m1, [&](std::ptrdiff_t m, auto size) {
    using Lane = Eigen::Array<T, decltype(size)::value, 1>;
    Lane t0 = Eigen::Map<const Lane>(t + m);
    Lane t1 = Eigen::Map<const Lane>(t + m1 + m);
    Lane t2 = Eigen::Map<const Lane>(t + 2 * m1 + m);
    Lane t3 = Eigen::Map<const Lane>(t + 3 * m1 + m);
    for (std::ptrdiff_t p = 0; p < n; ++p) {
      const Lane gp = Eigen::Map<const Lane>(g + p * m1 + m);
      const T* rp = r + 4 * p;
      t0 += rp[0] * gp;
      t1 += rp[1] * gp;
      t2 += rp[2] * gp;
      t3 += rp[3] * gp;
    }
    Eigen::Map<Lane>(t + m) = t0;
    Eigen::Map<Lane>(t + m1 + m) = t1;
    Eigen::Map<Lane>(t + 2 * m1 + m) = t2;
    Eigen::Map<Lane>(t + 3 * m1 + m) = t3;
  });
}

/// The four numbers Σ_m g[m]·t[k][m].
template <typename T>
inline std::array<T, 4> project(std::ptrdiff_t m1, const T* g, const T* t) {
  std::array<T, 4> sum{};
  for_channels<T>(m1, [&](std::ptrdiff_t m, auto size) {
    using Lane = Eigen::Array<T, decltype(size)::value, 1>;
    const Lane gm = Eigen::Map<const Lane>(g + m);
    for (std::size_t k = 0; k < 4; ++k) {
      sum[k] += (gm * Eigen::Map<const Lane>(t + static_cast<std::ptrdiff_t>(k) * m1 + m)).sum();
    }
  });
  return sum;
}

/// out[m] = Σ_k a[k]·t[k][m] + b[k]·u[k][m].
template <typename T>
inline void expand(std::ptrdiff_t m1, const T* a, const T* t, const T* b, const T* u, T* out) {
  for_channels<T>(m1, [&](std::ptrdiff_t m, auto size) {
    using Lane = Eigen::Array<T, decltype(size)::value, 1>;
    Lane sum = Lane::Zero();
    for (std::ptrdiff_t k = 0; k < 4; ++k) {
      sum += a[k] * Eigen::Map<const Lane>(t + k * m1 + m) + b[k] * Eigen::Map<const Lane>(u + k * m1 + m);
    }
    Eigen::Map<Lane>(out + m) = sum;
  });
}

/// out[m] = Σ_k a[k]·t[k][m].
template <typename T>
inline void expand(std::ptrdiff_t m1, const T* a, const T* t, T* out) {
  for_channels<T>(m1, [&](std::ptrdiff_t m, auto size) {
    using Lane = Eigen::Array<T, decltype(size)::value, 1>;
    Lane sum = Lane::Zero();
    for (std::ptrdiff_t k = 0; k < 4; ++k) sum += a[k] * Eigen::Map<const Lane>(t + k * m1 + m);
    Eigen::Map<Lane>(out + m) = sum;
  });
}

/// d[m·m2 + q] (+)= Σ_k t[k][m]·u[k][q], q < m2: the descriptor T·T[:M2]ᵀ and its tangent.
template <typename T>
inline void outer(std::ptrdiff_t m1, std::ptrdiff_t m2, const T* t, const T* u, bool add, T* d) {
  using Line = Eigen::Array<T, Eigen::Dynamic, 1>;
  const auto row = [&](std::ptrdiff_t k) { return Eigen::Map<const Line>(u + k * m1, m2); };
  for (std::ptrdiff_t m = 0; m < m1; ++m) {
    Eigen::Map<Line> out(d + m * m2, m2);
    if (add) {
      out += t[m] * row(0) + t[m1 + m] * row(1) + t[2 * m1 + m] * row(2) + t[3 * m1 + m] * row(3);
    } else {
      out = t[m] * row(0) + t[m1 + m] * row(1) + t[2 * m1 + m] * row(2) + t[3 * m1 + m] * row(3);
    }
  }
}

/// The transpose of `outer` for D = T·T[:M2]ᵀ: with a gradient g (m1, m2) by D,
/// out[k][m] += Σ_q g[m][q]·t[k][q] + (m < m2) Σ_m' g[m'][m]·t[k][m'].
template <typename T>
inline void outer_transposed(std::ptrdiff_t m1, std::ptrdiff_t m2, const T* g, const T* t, T* out) {
  using Line = Eigen::Array<T, Eigen::Dynamic, 1>;
  for (std::ptrdiff_t m = 0; m < m1; ++m) {
    const Eigen::Map<const Line> gm(g + m * m2, m2);
    for (std::ptrdiff_t k = 0; k < 4; ++k) {
      const T* tk = t + k * m1;
      T* ok = out + k * m1;
      ok[m] += (gm * Eigen::Map<const Line>(tk, m2)).sum();
      Eigen::Map<Line>(ok, m2) += tk[m] * gm;
    }
  }
}

}  // namespace solion::train
