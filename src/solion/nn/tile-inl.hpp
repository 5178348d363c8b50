// A register tile of a matrix product, compiled for every instruction set by the files that include it
// (Highway). The guard is Highway's: such a file, and so this one, is read once for each target.
#if defined(SOLION_NN_TILE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef SOLION_NN_TILE_INL_HPP
#undef SOLION_NN_TILE_INL_HPP
#else
#define SOLION_NN_TILE_INL_HPP
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>

#include "solion/base/unroll.hpp"

HWY_BEFORE_NAMESPACE();
namespace solion::nn::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Vectors of at most 64 bytes.
template <typename T>
using Tag = hn::CappedTag<T, 64 / sizeof(T)>;

/// Rows of a tile: 8 or 4, so that with three vectors 24 or 12 sums stay in 32 or 16 registers.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int tile_rows = 8;
#else
constexpr int tile_rows = 4;
#endif

/// So many inner indices at a time: three vectors' share of B stays in the first-level cache for all rows.
constexpr std::ptrdiff_t depth = 96;

/// c[rows][vectors] = Σ_p a[row, p]·b[p], p < k, added to `start` (one row for all: lds = 0; c itself: lds =
/// ldc; null: zero). Element (row, p) of A lies at a[row·a_row + p·a_inner]. With `fetch` the same vectors of
/// B `ahead` numbers on are asked for on the way, for the next tile.
template <int rows, int vectors, bool fetch = false, typename T>
HWY_INLINE void tile(std::ptrdiff_t k, const T* HWY_RESTRICT a, std::ptrdiff_t a_row, std::ptrdiff_t a_inner,
                     const T* HWY_RESTRICT b, std::ptrdiff_t ldb, const T* start, std::ptrdiff_t lds, T* c,
                     std::ptrdiff_t ldc, std::ptrdiff_t ahead = 0) {
  const Tag<T> d;
  using V = hn::Vec<Tag<T>>;
  const std::ptrdiff_t n = static_cast<std::ptrdiff_t>(hn::Lanes(d));
  V sum[rows][vectors];
  SOLION_UNROLL
  for (int r = 0; r < rows; ++r) {
    SOLION_UNROLL
    for (int v = 0; v < vectors; ++v)
      sum[r][v] = start != nullptr ? hn::LoadU(d, start + r * lds + v * n) : hn::Zero(d);
  }
  for (std::ptrdiff_t p = 0; p < k; ++p) {
    V w[vectors];
    SOLION_UNROLL
    for (int v = 0; v < vectors; ++v) w[v] = hn::LoadU(d, b + v * n);
    if constexpr (fetch) {
      hwy::Prefetch(b + ahead);
      hwy::Prefetch(b + ahead + vectors * n - 1);
    }
    SOLION_UNROLL
    for (int r = 0; r < rows; ++r) {
      const V x = hn::Set(d, a[r * a_row + p * a_inner]);
      SOLION_UNROLL
      for (int v = 0; v < vectors; ++v) sum[r][v] = hn::MulAdd(x, w[v], sum[r][v]);
    }
    b += ldb;
  }
  SOLION_UNROLL
  for (int r = 0; r < rows; ++r) {
    SOLION_UNROLL
    for (int v = 0; v < vectors; ++v) hn::StoreU(sum[r][v], d, c + r * ldc + v * n);
  }
}

}  // namespace solion::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
