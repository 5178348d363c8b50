// Thin products in register tiles, compiled once for every instruction set (Highway).
#include "solion/nn/thin_products.hpp"

#include <algorithm>

#include "solion/base/aligned.hpp"
#include "solion/base/instruction_sets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "solion/nn/thin_products.cpp"
#include <hwy/foreach_target.h>  // includes this file again
#include <hwy/highway.h>

// Comes after the two above.
#include "solion/nn/tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace solion::nn::HWY_NAMESPACE {

using std::ptrdiff_t;

/// The operands, with A and B from the inner index of one stretch on.
template <typename T>
struct Operands {
  ptrdiff_t m, k;
  const T* a;
  ptrdiff_t a_row, a_inner;
  const T* b;
  ptrdiff_t ldb;
  bool add;
  T* c;
  ptrdiff_t ldc;
};

/// `rows` rows of C from row i on, `vectors` vectors from column `at` on.
template <int rows, int vectors, bool fetch = false, typename T>
HWY_INLINE void one_tile(const Operands<T>& o, ptrdiff_t i, ptrdiff_t at, ptrdiff_t ahead = 0) {
  T* c = o.c + i * o.ldc + at;
  tile<rows, vectors, fetch>(o.k, o.a + i * o.a_row, o.a_row, o.a_inner, o.b + at, o.ldb, o.add ? c : nullptr,
                             o.ldc, c, o.ldc, ahead);
}

/// All rows of `vectors` vectors from column `at` on. The first rows fetch what follows `ahead` numbers on: B
/// comes from far away, and few rows do not take long enough to hide that.
template <int vectors, typename T>
HWY_INLINE void columns(const Operands<T>& o, ptrdiff_t at, ptrdiff_t ahead = 0) {
  ptrdiff_t i = 0;
  if (ahead != 0 && tile_rows <= o.m) {
    one_tile<tile_rows, vectors, true>(o, i, at, ahead);
    i += tile_rows;
  }
  for (; i + tile_rows <= o.m; i += tile_rows) one_tile<tile_rows, vectors>(o, i, at);
  if (tile_rows > 4 && i + 4 <= o.m) {
    one_tile<4, vectors>(o, i, at);
    i += 4;
  }
  if (i + 2 <= o.m) {
    one_tile<2, vectors>(o, i, at);
    i += 2;
  }
  if (i < o.m) one_tile<1, vectors>(o, i, at);
}

/// The last columns, fewer than a vector: through copies that are filled up with zeros.
template <typename T>
void last_columns(const Operands<T>& o, ptrdiff_t at, ptrdiff_t width) {
  const ptrdiff_t lanes = static_cast<ptrdiff_t>(hn::Lanes(Tag<T>()));
  HWY_ALIGN T b[depth * (64 / sizeof(T))];
  HWY_ALIGN T c[tile_rows * (64 / sizeof(T))];
  for (ptrdiff_t p = 0; p < o.k; ++p) {
    for (ptrdiff_t j = 0; j < lanes; ++j) b[p * lanes + j] = j < width ? o.b[p * o.ldb + at + j] : T(0);
  }
  for (ptrdiff_t i = 0; i < o.m; i += tile_rows) {
    const ptrdiff_t rows = std::min<ptrdiff_t>(tile_rows, o.m - i);
    for (ptrdiff_t r = 0; r < rows; ++r) {
      for (ptrdiff_t j = 0; j < lanes; ++j)
        c[r * lanes + j] = o.add && j < width ? o.c[(i + r) * o.ldc + at + j] : T(0);
    }
    columns<1>(Operands<T>{rows, o.k, o.a + i * o.a_row, o.a_row, o.a_inner, b, lanes, true, c, lanes}, 0);
    for (ptrdiff_t r = 0; r < rows; ++r) std::copy_n(c + r * lanes, width, o.c + (i + r) * o.ldc + at);
  }
}

template <typename T>
void multiply(ptrdiff_t n, ptrdiff_t k, Operands<T> o) {
  const ptrdiff_t lanes = static_cast<ptrdiff_t>(hn::Lanes(Tag<T>()));
  if (k == 0 && !o.add) {
    for (ptrdiff_t i = 0; i < o.m; ++i) std::fill_n(o.c + i * o.ldc, n, T(0));
  }
  for (ptrdiff_t p = 0; p < k; p += depth) {
    o.k = std::min(depth, k - p);
    ptrdiff_t at = 0;
    for (; at + 3 * lanes <= n; at += 3 * lanes) {
      const bool last = at + 6 * lanes > n;
      columns<3>(o, at, last ? o.k * o.ldb - at : 3 * lanes);
    }
    if (at + 2 * lanes <= n) {
      columns<2>(o, at);
      at += 2 * lanes;
    } else if (at + lanes <= n) {
      columns<1>(o, at);
      at += lanes;
    }
    if (at < n) last_columns(o, at, n - at);
    o.a += o.k * o.a_inner;
    o.b += o.k * o.ldb;
    o.add = true;
  }
}

/// The rows of A, `vectors` vectors' worth of them, against all of B: C of a group of B's rows stands
/// transposed, A and the sums in `columns`, `sums` of k and tile_rows rows of so many vectors. C = A·Bᵀ.
template <int vectors, typename T>
HWY_INLINE void against_rows(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const T* columns, const T* b,
                             ptrdiff_t ldb, T* sums, T* c, ptrdiff_t ldc) {
  const ptrdiff_t wide = vectors * static_cast<ptrdiff_t>(hn::Lanes(Tag<T>()));
  ptrdiff_t j = 0;
  for (; j + tile_rows <= n; j += tile_rows) {
    tile<tile_rows, vectors>(k, b + j * ldb, ldb, 1, columns, wide, static_cast<const T*>(nullptr), 0, sums,
                             wide);
    for (ptrdiff_t i = 0; i < m; ++i) {
      SOLION_UNROLL
      for (int r = 0; r < tile_rows; ++r) c[i * ldc + j + r] = sums[r * wide + i];
    }
  }
  for (; j < n; ++j) {
    tile<1, vectors>(k, b + j * ldb, ldb, 1, columns, wide, static_cast<const T*>(nullptr), 0, sums, wide);
    for (ptrdiff_t i = 0; i < m; ++i) c[i * ldc + j] = sums[i];
  }
}

/// C = A·Bᵀ: few rows of A are turned, B stays as it lies. `room`: (k + tile_rows)·3 vectors.
template <typename T>
void multiply_bt(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const T* a, ptrdiff_t lda, const T* b, ptrdiff_t ldb,
                 T* c, ptrdiff_t ldc, T* room) {
  const ptrdiff_t lanes = static_cast<ptrdiff_t>(hn::Lanes(Tag<T>()));
  for (ptrdiff_t i = 0; i < m;) {
    const ptrdiff_t vectors = std::min<ptrdiff_t>(3, (m - i + lanes - 1) / lanes);
    const ptrdiff_t wide = vectors * lanes;
    const ptrdiff_t rows = std::min(wide, m - i);
    for (ptrdiff_t r = 0; r < wide; ++r) {
      for (ptrdiff_t p = 0; p < k; ++p) room[p * wide + r] = r < rows ? a[(i + r) * lda + p] : T(0);
    }
    T* sums = room + k * wide;
    T* out = c + i * ldc;
    if (vectors == 3) {
      against_rows<3>(rows, n, k, room, b, ldb, sums, out, ldc);
    } else if (vectors == 2) {
      against_rows<2>(rows, n, k, room, b, ldb, sums, out, ldc);
    } else {
      against_rows<1>(rows, n, k, room, b, ldb, sums, out, ldc);
    }
    i += rows;
  }
}

void multiply_bt_float(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float* a, ptrdiff_t lda, const float* b,
                       ptrdiff_t ldb, float* c, ptrdiff_t ldc, float* room) {
  multiply_bt(m, n, k, a, lda, b, ldb, c, ldc, room);
}
void multiply_bt_double(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const double* a, ptrdiff_t lda,
                        const double* b, ptrdiff_t ldb, double* c, ptrdiff_t ldc, double* room) {
  multiply_bt(m, n, k, a, lda, b, ldb, c, ldc, room);
}
void multiply_float(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float* a, ptrdiff_t a_row, ptrdiff_t a_inner,
                    const float* b, ptrdiff_t ldb, bool add, float* c, ptrdiff_t ldc) {
  multiply(n, k, Operands<float>{m, k, a, a_row, a_inner, b, ldb, add, c, ldc});
}
void multiply_double(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const double* a, ptrdiff_t a_row,
                     ptrdiff_t a_inner, const double* b, ptrdiff_t ldb, bool add, double* c, ptrdiff_t ldc) {
  multiply(n, k, Operands<double>{m, k, a, a_row, a_inner, b, ldb, add, c, ldc});
}

}  // namespace solion::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace solion::nn {

HWY_EXPORT(multiply_float);
HWY_EXPORT(multiply_double);
HWY_EXPORT(multiply_bt_float);
HWY_EXPORT(multiply_bt_double);

namespace {

/// Bᵀ (k, n) behind `out`.
template <typename T>
void transpose(std::ptrdiff_t n, std::ptrdiff_t k, const T* b, std::ptrdiff_t ldb, T* out) {
  for (std::ptrdiff_t j = 0; j < n; ++j) {
    for (std::ptrdiff_t p = 0; p < k; ++p) out[p * n + j] = b[j * ldb + p];
  }
}

template <typename T, typename Turned>
void choose_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const T* a, std::ptrdiff_t lda,
               const T* b, std::ptrdiff_t ldb, T* c, std::ptrdiff_t ldc, const Turned& few_rows) {
  static thread_local AlignedVector<T> room;
  if (m >= n) {  // turning B costs least
    room.resize(std::max(room.size(), static_cast<std::size_t>(n * k)));
    transpose(n, k, b, ldb, room.data());
    thin_product(m, n, k, a, lda, 1, room.data(), n, false, c, ldc);
  } else {
    constexpr auto widest = static_cast<std::ptrdiff_t>(3 * 64 / sizeof(T));
    room.resize(std::max(room.size(), static_cast<std::size_t>((k + 8) * widest)));
    few_rows(room.data());
  }
}

}  // namespace

void thin_product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t a_row,
                  std::ptrdiff_t a_inner, const float* b, std::ptrdiff_t ldb, bool add, float* c,
                  std::ptrdiff_t ldc) {
  HWY_DYNAMIC_DISPATCH(multiply_float)(m, n, k, a, a_row, a_inner, b, ldb, add, c, ldc);
}
void thin_product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t a_row,
                  std::ptrdiff_t a_inner, const double* b, std::ptrdiff_t ldb, bool add, double* c,
                  std::ptrdiff_t ldc) {
  HWY_DYNAMIC_DISPATCH(multiply_double)(m, n, k, a, a_row, a_inner, b, ldb, add, c, ldc);
}
void thin_product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
                     const float* b, std::ptrdiff_t ldb, float* c, std::ptrdiff_t ldc) {
  choose_bt(m, n, k, a, lda, b, ldb, c, ldc, [&](float* room) {
    HWY_DYNAMIC_DISPATCH(multiply_bt_float)(m, n, k, a, lda, b, ldb, c, ldc, room);
  });
}
void thin_product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a,
                     std::ptrdiff_t lda, const double* b, std::ptrdiff_t ldb, double* c, std::ptrdiff_t ldc) {
  choose_bt(m, n, k, a, lda, b, ldb, c, ldc, [&](double* room) {
    HWY_DYNAMIC_DISPATCH(multiply_bt_double)(m, n, k, a, lda, b, ldb, c, ldc, room);
  });
}

}  // namespace solion::nn
#endif  // HWY_ONCE
