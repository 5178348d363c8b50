// The product in register tiles and tanh, compiled once for every instruction set (Highway).
#include "solion/nn/packed.hpp"

#include <algorithm>

#include "solion/base/instruction_sets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "solion/nn/packed.cpp"
#include <hwy/foreach_target.h>  // includes this file again
#include <hwy/highway.h>

// Come after the two above.
#include <hwy/contrib/math/math-inl.h>

#include "solion/nn/tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace solion::nn::HWY_NAMESPACE {

using std::ptrdiff_t;

template <typename T>
void multiply(ptrdiff_t m, ptrdiff_t n_in, ptrdiff_t n_out, const T* panels, const T* x, ptrdiff_t ldx,
              const T* bias, T* y, ptrdiff_t ldy) {
  const Tag<T> d;
  const ptrdiff_t n = static_cast<ptrdiff_t>(hn::Lanes(d));
  using Matrix = PackedMatrix<T>;
  const ptrdiff_t columns = Matrix::padded_columns(n_out);
  const ptrdiff_t rows = Matrix::padded_rows(m);
  for (ptrdiff_t p = 0; p < n_in; p += depth) {
    const ptrdiff_t k = std::min(depth, n_in - p);
    for (ptrdiff_t c = 0; c < columns; c += Matrix::panel_columns) {
      const ptrdiff_t width = std::min(Matrix::panel_columns, columns - c);
      const T* panel = panels + c * n_in + p * width;
      for (ptrdiff_t at = 0; at < width;) {
        const ptrdiff_t vectors = std::min<ptrdiff_t>(3, (width - at) / n);
        for (ptrdiff_t r = 0; r < rows; r += tile_rows) {
          const T* in = x + r * ldx + p;
          T* out = y + r * ldy + c + at;
          const T* start = p > 0 ? out : (bias != nullptr ? bias + c + at : nullptr);
          const ptrdiff_t lds = p > 0 ? ldy : 0;
          if (vectors == 3) {
            tile<tile_rows, 3>(k, in, ldx, 1, panel + at, width, start, lds, out, ldy);
          } else if (vectors == 2) {
            tile<tile_rows, 2>(k, in, ldx, 1, panel + at, width, start, lds, out, ldy);
          } else {
            tile<tile_rows, 1>(k, in, ldx, 1, panel + at, width, start, lds, out, ldy);
          }
        }
        at += vectors * n;
      }
    }
  }
}

/// 1 − 2/(e²ˣ + 1). Beyond |x| = 20 the result is ±1 to the last bit, and the exponential does not overflow.
template <typename T>
void tanh_all(T* x, ptrdiff_t count) {
  const Tag<T> d;
  const ptrdiff_t n = static_cast<ptrdiff_t>(hn::Lanes(d));
  const auto limit = hn::Set(d, T(20));
  const auto one = hn::Set(d, T(1));
  const auto two = hn::Set(d, T(2));
  const auto of = [&](auto v) HWY_ATTR {
    // A NaN stays one: Min and Max may drop it, so it is put back.
    const auto bounded = hn::Min(hn::Max(v, hn::Neg(limit)), limit);
    const auto e = hn::Exp(d, hn::Mul(two, bounded));
    const auto t = hn::Sub(one, hn::Div(two, hn::Add(e, one)));
    return hn::IfThenElse(hn::Eq(v, v), t, v);
  };
  ptrdiff_t i = 0;
  for (; i + n <= count; i += n) hn::StoreU(of(hn::LoadU(d, x + i)), d, x + i);
  if (i == count) return;
  HWY_ALIGN T rest[64 / sizeof(T)] = {};
  for (ptrdiff_t k = i; k < count; ++k) rest[k - i] = x[k];
  hn::Store(of(hn::Load(d, rest)), d, rest);
  for (ptrdiff_t k = i; k < count; ++k) x[k] = rest[k - i];
}

void multiply_float(ptrdiff_t m, ptrdiff_t n_in, ptrdiff_t n_out, const float* panels, const float* x,
                    ptrdiff_t ldx, const float* bias, float* y, ptrdiff_t ldy) {
  multiply(m, n_in, n_out, panels, x, ldx, bias, y, ldy);
}
void multiply_double(ptrdiff_t m, ptrdiff_t n_in, ptrdiff_t n_out, const double* panels, const double* x,
                     ptrdiff_t ldx, const double* bias, double* y, ptrdiff_t ldy) {
  multiply(m, n_in, n_out, panels, x, ldx, bias, y, ldy);
}
void tanh_float(float* x, ptrdiff_t n) { tanh_all(x, n); }
void tanh_double(double* x, ptrdiff_t n) { tanh_all(x, n); }

}  // namespace solion::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace solion::nn {

HWY_EXPORT(multiply_float);
HWY_EXPORT(multiply_double);
HWY_EXPORT(tanh_float);
HWY_EXPORT(tanh_double);

template <typename T>
PackedMatrix<T>::PackedMatrix(const T* w, std::ptrdiff_t n_in, std::ptrdiff_t n_out, std::ptrdiff_t ldw,
                              bool transposed)
    : n_in_(n_in), n_out_(n_out) {
  const std::ptrdiff_t columns = padded_columns(n_out);
  panels_.assign(static_cast<std::size_t>(columns * n_in), T(0));
  for (std::ptrdiff_t c = 0; c < n_out; ++c) {
    const std::ptrdiff_t first = c / panel_columns * panel_columns;
    const std::ptrdiff_t width = std::min(panel_columns, columns - first);
    T* panel = panels_.data() + first * n_in;
    for (std::ptrdiff_t p = 0; p < n_in; ++p)
      panel[p * width + c - first] = transposed ? w[c * ldw + p] : w[p * ldw + c];
  }
}

template <typename T>
void PackedMatrix<T>::multiply(std::ptrdiff_t m, const T* x, std::ptrdiff_t ldx, const T* bias, T* y,
                               std::ptrdiff_t ldy) const {
  if constexpr (sizeof(T) == sizeof(float)) {
    HWY_DYNAMIC_DISPATCH(multiply_float)(m, n_in_, n_out_, panels_.data(), x, ldx, bias, y, ldy);
  } else {
    HWY_DYNAMIC_DISPATCH(multiply_double)(m, n_in_, n_out_, panels_.data(), x, ldx, bias, y, ldy);
  }
}

void tanh_in_place(float* x, std::ptrdiff_t n) { HWY_DYNAMIC_DISPATCH(tanh_float)(x, n); }
void tanh_in_place(double* x, std::ptrdiff_t n) { HWY_DYNAMIC_DISPATCH(tanh_double)(x, n); }

template class PackedMatrix<float>;
template class PackedMatrix<double>;

}  // namespace solion::nn
#endif  // HWY_ONCE
