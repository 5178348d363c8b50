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

/// The bodies below for a width of T[:M2] that the compiler knows, so that its rows stay in registers; 0: any
/// width.
template <typename T, int Width>
struct Axis {
  using Line = Eigen::Array<T, Width == 0 ? Eigen::Dynamic : Width, 1>;

  static void outer(std::ptrdiff_t m1, std::ptrdiff_t m2, const T* t, const T* u, bool add, T* d) {
    const std::array<Line, 4> rows = first_columns(m1, m2, u);
    for (std::ptrdiff_t m = 0; m < m1; ++m) {
      Eigen::Map<Line> out(d + m * m2, m2);
      const auto sum =
          t[m] * rows[0] + t[m1 + m] * rows[1] + t[2 * m1 + m] * rows[2] + t[3 * m1 + m] * rows[3];
      if (add) {
        out += sum;
      } else {
        out = sum;
      }
    }
  }

  static void outer_transposed(std::ptrdiff_t m1, std::ptrdiff_t m2, const T* g, const T* t, T* out) {
    const std::array<Line, 4> rows = first_columns(m1, m2, t);
    std::array<Line, 4> columns;
    for (Line& line : columns) line.setZero(m2);
    for (std::ptrdiff_t m = 0; m < m1; ++m) {
      const Line gm = Eigen::Map<const Line>(g + m * m2, m2);
      for (std::size_t k = 0; k < 4; ++k) {
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(k) * m1 + m;
        out[at] += (gm * rows[k]).sum();
        columns[k] += t[at] * gm;
      }
    }
    for (std::size_t k = 0; k < 4; ++k)
      Eigen::Map<Line>(out + static_cast<std::ptrdiff_t>(k) * m1, m2) += columns[k];
  }

 private:
  static std::array<Line, 4> first_columns(std::ptrdiff_t m1, std::ptrdiff_t m2, const T* t) {
    std::array<Line, 4> rows;
    for (std::size_t k = 0; k < 4; ++k)
      rows[k] = Eigen::Map<const Line>(t + static_cast<std::ptrdiff_t>(k) * m1, m2);
    return rows;
  }
};

/// d[m·m2 + q] (+)= Σ_k t[k][m]·u[k][q], q < m2: the descriptor T·T[:M2]ᵀ and its tangent.
template <typename T>
inline void outer(std::ptrdiff_t m1, std::ptrdiff_t m2, const T* t, const T* u, bool add, T* d) {
  if (m2 == 16) return Axis<T, 16>::outer(m1, m2, t, u, add, d);
  if (m2 == 8) return Axis<T, 8>::outer(m1, m2, t, u, add, d);
  Axis<T, 0>::outer(m1, m2, t, u, add, d);
}

/// The transpose of `outer` for D = T·T[:M2]ᵀ: with a gradient g (m1, m2) by D,
/// out[k][m] += Σ_q g[m][q]·t[k][q] + (m < m2) Σ_m' g[m'][m]·t[k][m'].
template <typename T>
inline void outer_transposed(std::ptrdiff_t m1, std::ptrdiff_t m2, const T* g, const T* t, T* out) {
  if (m2 == 16) return Axis<T, 16>::outer_transposed(m1, m2, g, t, out);
  if (m2 == 8) return Axis<T, 8>::outer_transposed(m1, m2, g, t, out);
  Axis<T, 0>::outer_transposed(m1, m2, g, t, out);
}

}  // namespace solion::train
