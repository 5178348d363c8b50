// Kernels over pairs and channels, compiled once for every instruction set (Highway).
#include "solion/dp/kernels.hpp"

#include <algorithm>

#include "solion/base/instruction_sets.hpp"
#include "solion/base/unroll.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "solion/dp/kernels.cpp"
#include <hwy/foreach_target.h>  // includes this file again
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace solion::dp::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using std::ptrdiff_t;

template <typename T>
using Tag = hn::CappedTag<T, 64 / sizeof(T)>;
template <typename T>
using V = hn::Vec<Tag<T>>;
template <typename T>
HWY_INLINE ptrdiff_t lanes() {
  return static_cast<ptrdiff_t>(hn::Lanes(Tag<T>()));
}
template <typename T>
HWY_INLINE V<T> set(T value) {
  return hn::Set(Tag<T>(), value);
}
template <typename T>
HWY_INLINE V<T> load(const T* p) {
  return hn::LoadU(Tag<T>(), p);
}
template <typename T>
HWY_INLINE void store(V<T> v, T* p) {
  hn::StoreU(v, Tag<T>(), p);
}

/// So many vectors of channels are worked on together, by the number of registers.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int vectors_together = 4;
#else
constexpr int vectors_together = 2;
#endif

/// n rounded up to 64 bytes.
template <typename T>
HWY_INLINE ptrdiff_t padded(ptrdiff_t n) {
  constexpr ptrdiff_t line = 64 / static_cast<ptrdiff_t>(sizeof(T));
  return (n + line - 1) / line * line;
}

/// environment.hpp, for many pairs.
template <typename T>
void prepare(ptrdiff_t n, const T* x, const T* y, const T* z, const T* r2, T rcut, T rcut_smth, T protection,
             const PairKind<T>& kind, const Pairs<T>& out) {
  const auto one = set(T(1)), zero = set(T(0));
  const auto width = set(T(1) / (rcut - rcut_smth));
  const auto last = set(kind.segments - T(1));
  const Tag<T> d;
  for (ptrdiff_t i = 0; i < n; i += lanes<T>()) {
    const auto r = hn::Sqrt(load(r2 + i));
    const auto inverse_r = hn::Div(one, r);
    const auto inverse = protection == T(0) ? inverse_r : hn::Div(one, hn::Add(r, set(protection)));
    const auto u = hn::Min(hn::Max(hn::Mul(hn::Sub(r, set(rcut_smth)), width), zero), one);
    const auto u2 = hn::Mul(u, u);
    const auto poly = hn::NegMulAdd(u, hn::NegMulAdd(u, set(T(6)), set(T(15))), set(T(10)));
    const auto w = hn::NegMulAdd(hn::Mul(u, u2), poly, one);
    const auto rest = hn::Sub(one, u);
    const auto dw = hn::Mul(hn::Mul(set(T(-30)), width), hn::Mul(u2, hn::Mul(rest, rest)));
    const auto s = hn::Mul(w, inverse);
    const auto q = hn::Mul(s, inverse);
    const auto ds = hn::MulSub(dw, inverse, q);
    const auto dq = hn::Mul(hn::Sub(ds, q), inverse);
    const auto vx = load(x + i), vy = load(y + i), vz = load(z + i);
    store<T>(vx, out.x + i);
    store<T>(vy, out.y + i);
    store<T>(vz, out.z + i);
    store<T>(inverse_r, out.inverse_r + i);
    store<T>(q, out.q + i);
    store<T>(ds, out.ds + i);
    store<T>(dq, out.dq + i);
    const auto row = hn::Mul(hn::Sub(s, set(kind.mean[0])), set(kind.inverse_deviation[0]));
    store<T>(row, out.row[0] + i);
    store<T>(hn::Mul(hn::MulSub(q, vx, set(kind.mean[1])), set(kind.inverse_deviation[1])), out.row[1] + i);
    store<T>(hn::Mul(hn::MulSub(q, vy, set(kind.mean[2])), set(kind.inverse_deviation[2])), out.row[2] + i);
    store<T>(hn::Mul(hn::MulSub(q, vz, set(kind.mean[3])), set(kind.inverse_deviation[3])), out.row[3] + i);
    const auto place = hn::Mul(hn::Sub(row, set(kind.low)), set(kind.inverse_width));
    // NaN, which may stand behind the last pair, is no place either.
    const auto segment = hn::Floor(hn::Min(hn::IfThenElseZero(hn::Gt(place, zero), place), last));
    const auto index = hn::ConvertTo(hn::RebindToSigned<Tag<T>>(), segment);
    const auto splits = hn::GatherIndex(d, kind.splits, index);
    const auto within = hn::Mul(hn::Sub(place, segment), splits);
    const auto interval = hn::Floor(hn::Min(hn::Max(within, zero), hn::Sub(splits, one)));
    store<T>(hn::Min(hn::Max(hn::Sub(within, interval), zero), one), out.t + i);
    store<T>(hn::Mul(splits, set(kind.inverse_width)), out.inverse_h + i);
    const auto left = hn::Add(hn::GatherIndex(d, kind.first, index), interval);
    store<T>(hn::IfThenElse(hn::Le(place, set(kind.segments)), left, set(T(-1))), out.left + i);
  }
}

/// hermite() of tables.hpp for many pairs: value [6][size] and, if wanted, slope [6][size].
template <bool with_slope, typename T>
HWY_INLINE void hermite_weights(ptrdiff_t n, const Pairs<T>& pairs, ptrdiff_t size, T* value, T* slope) {
  const auto half = set(T(0.5)), one = set(T(1));
  const auto c = [](double number) HWY_ATTR { return set(static_cast<T>(number)); };
  for (ptrdiff_t i = 0; i < n; i += lanes<T>()) {
    const auto t = load(pairs.t + i);
    const auto t2 = hn::Mul(t, t);
    const auto t3 = hn::Mul(t2, t);
    const auto rest = hn::Sub(one, t);
    const auto rise = hn::Mul(t3, hn::NegMulAdd(t, hn::NegMulAdd(c(6), t, c(15)), c(10)));
    store<T>(hn::Sub(one, rise), value + i);
    store<T>(hn::NegMulAdd(t3, hn::NegMulAdd(t, hn::NegMulAdd(c(3), t, c(8)), c(6)), t), value + size + i);
    store<T>(hn::Mul(hn::Mul(half, t2), hn::NegMulAdd(t, hn::NegMulAdd(t, hn::Sub(c(3), t), c(3)), one)),
             value + 2 * size + i);
    store<T>(rise, value + 3 * size + i);
    store<T>(hn::Neg(hn::Mul(t3, hn::NegMulAdd(t, hn::NegMulAdd(c(3), t, c(7)), c(4)))),
             value + 4 * size + i);
    store<T>(hn::Mul(hn::Mul(half, t3), hn::Mul(rest, rest)), value + 5 * size + i);
    if constexpr (with_slope) {
      const auto h = load(pairs.inverse_h + i);
      const auto steep = hn::Mul(hn::Mul(c(30), hn::Mul(t2, h)), hn::Mul(rest, rest));
      store<T>(hn::Neg(steep), slope + i);
      store<T>(hn::Mul(h, hn::NegMulAdd(t2, hn::NegMulAdd(t, hn::NegMulAdd(c(15), t, c(32)), c(18)), one)),
               slope + size + i);
      store<T>(hn::Mul(hn::Mul(half, hn::Mul(t, h)),
                       hn::NegMulAdd(t, hn::NegMulAdd(t, hn::NegMulAdd(c(5), t, c(12)), c(9)), c(2))),
               slope + 2 * size + i);
      store<T>(steep, slope + 3 * size + i);
      store<T>(hn::Neg(hn::Mul(hn::Mul(t2, h), hn::NegMulAdd(t, hn::NegMulAdd(c(15), t, c(28)), c(12)))),
               slope + 4 * size + i);
      store<T>(hn::Mul(hn::Mul(half, hn::Mul(t2, h)), hn::NegMulAdd(t, hn::NegMulAdd(c(5), t, c(8)), c(3))),
               slope + 5 * size + i);
    }
  }
}

/// `vectors` vectors of channels of T over all pairs, in registers.
template <int vectors, typename T>
HWY_INLINE void environment_columns(ptrdiff_t n, const Pairs<T>& pairs, ptrdiff_t column, ptrdiff_t stride,
                                    ptrdiff_t size, const T* HWY_RESTRICT weights, T* HWY_RESTRICT t) {
  const ptrdiff_t lane = lanes<T>();
  V<T> sum[4][vectors];
  SOLION_UNROLL
  for (int x = 0; x < 4; ++x) {
    SOLION_UNROLL
    for (int v = 0; v < vectors; ++v) sum[x][v] = load(t + x * stride + column + v * lane);
  }
  for (ptrdiff_t p = 0; p < n; ++p) {
    const T* HWY_RESTRICT node = pairs.node[p] + column;
    V<T> g[vectors];
    const auto first = set(weights[p]);
    SOLION_UNROLL
    for (int v = 0; v < vectors; ++v) g[v] = hn::Mul(first, load(node + v * lane));
    SOLION_UNROLL
    for (int m = 1; m < 6; ++m) {
      const auto w = set(weights[m * size + p]);
      SOLION_UNROLL
      for (int v = 0; v < vectors; ++v) g[v] = hn::MulAdd(w, load(node + m * stride + v * lane), g[v]);
    }
    SOLION_UNROLL
    for (int x = 0; x < 4; ++x) {
      const auto r = set(pairs.row[x][p]);
      SOLION_UNROLL
      for (int v = 0; v < vectors; ++v) sum[x][v] = hn::MulAdd(r, g[v], sum[x][v]);
    }
  }
  SOLION_UNROLL
  for (int x = 0; x < 4; ++x) {
    SOLION_UNROLL
    for (int v = 0; v < vectors; ++v) store<T>(sum[x][v], t + x * stride + column + v * lane);
  }
}

template <typename T>
void environment(ptrdiff_t n, const Pairs<T>& pairs, ptrdiff_t stride, T* weights, T* t) {
  const ptrdiff_t size = padded<T>(n);
  hermite_weights<false>(n, pairs, size, weights, weights);
  const ptrdiff_t lane = lanes<T>();
  ptrdiff_t c = 0;
  for (; c + vectors_together * lane <= stride; c += vectors_together * lane)
    environment_columns<vectors_together>(n, pairs, c, stride, size, weights, t);
  const ptrdiff_t left = (stride - c) / lane;
  if (left == 3) environment_columns<3>(n, pairs, c, stride, size, weights, t);
  if (left == 2) environment_columns<2>(n, pairs, c, stride, size, weights, t);
  if (left == 1) environment_columns<1>(n, pairs, c, stride, size, weights, t);
}

template <typename T>
void descriptor(const T* t, ptrdiff_t stride, ptrdiff_t m1, ptrdiff_t m2, T* d) {
  for (ptrdiff_t k = 0; k < m2; ++k) {
    const auto t0 = set(t[k]), t1 = set(t[stride + k]), t2 = set(t[2 * stride + k]),
               t3 = set(t[3 * stride + k]);
    for (ptrdiff_t c = k; c < m1; c += lanes<T>()) {
      auto sum = hn::Mul(t0, load(t + c));
      sum = hn::MulAdd(t1, load(t + stride + c), sum);
      sum = hn::MulAdd(t2, load(t + 2 * stride + c), sum);
      sum = hn::MulAdd(t3, load(t + 3 * stride + c), sum);
      store<T>(sum, d + c - k);
    }
    d += m1 - k;
  }
}

/// The channels [c, c + lanes) of row k, zero below k.
template <typename T>
HWY_INLINE V<T> row_piece(const T* row, ptrdiff_t k, ptrdiff_t c) {
  const auto v = load(row + c - k);
  return c >= k ? v : hn::IfThenZeroElse(hn::FirstN(Tag<T>(), static_cast<std::size_t>(k - c)), v);
}

#if HWY_TARGET == HWY_SCALAR
template <typename T>
HWY_INLINE void store_sums(V<T> a, V<T> b, V<T> c, V<T> d, T* out) {
  out[0] = hn::GetLane(a);
  out[1] = hn::GetLane(b);
  out[2] = hn::GetLane(c);
  out[3] = hn::GetLane(d);
}
#else
/// One vector from four: lanes (Σa, Σb, Σc, Σd), written to out[4].
HWY_INLINE void store_sums(V<float> a, V<float> b, V<float> c, V<float> d, float* out) {
  const Tag<float> tag;
  const hn::Repartition<double, Tag<float>> wide;
  const auto ab = hn::Add(hn::InterleaveLower(tag, a, b), hn::InterleaveUpper(tag, a, b));
  const auto cd = hn::Add(hn::InterleaveLower(tag, c, d), hn::InterleaveUpper(tag, c, d));
  const auto low = hn::BitCast(tag, hn::InterleaveLower(wide, hn::BitCast(wide, ab), hn::BitCast(wide, cd)));
  const auto high = hn::BitCast(tag, hn::InterleaveUpper(wide, hn::BitCast(wide, ab), hn::BitCast(wide, cd)));
  const auto sum = hn::Add(low, high);
  HWY_ALIGN float blocks[16];
  hn::Store(sum, tag, blocks);
  const hn::CappedTag<float, 4> quad;
  auto total = hn::Load(quad, blocks);
  for (ptrdiff_t i = 4; i < lanes<float>(); i += 4) total = hn::Add(total, hn::Load(quad, blocks + i));
  hn::StoreU(total, quad, out);
}
HWY_INLINE void store_sums(V<double> a, V<double> b, V<double> c, V<double> d, double* out) {
  const Tag<double> tag;
  const auto ab = hn::Add(hn::InterleaveLower(tag, a, b), hn::InterleaveUpper(tag, a, b));
  const auto cd = hn::Add(hn::InterleaveLower(tag, c, d), hn::InterleaveUpper(tag, c, d));
  HWY_ALIGN double blocks[2][8];
  hn::Store(ab, tag, blocks[0]);
  hn::Store(cd, tag, blocks[1]);
  const hn::CappedTag<double, 2> two;
  for (int half = 0; half < 2; ++half) {
    auto total = hn::Load(two, blocks[half]);
    for (ptrdiff_t i = 2; i < lanes<double>(); i += 2)
      total = hn::Add(total, hn::Load(two, blocks[half] + i));
    hn::StoreU(total, two, out + 2 * half);
  }
}
#endif

template <typename T>
void descriptor_gradient(const T* a, const T* t, ptrdiff_t stride, ptrdiff_t m1, ptrdiff_t m2, T* grad_t) {
  const ptrdiff_t lane = lanes<T>();
  for (ptrdiff_t c = 0; c < m1; c += lane) {
    auto s0 = set(T(0)), s1 = s0, s2 = s0, s3 = s0;
    const T* row = a;
    const ptrdiff_t rows = std::min(m2, c + lane);
    for (ptrdiff_t k = 0; k < rows; ++k) {
      const auto v = row_piece(row, k, c);
      s0 = hn::MulAdd(set(t[k]), v, s0);
      s1 = hn::MulAdd(set(t[stride + k]), v, s1);
      s2 = hn::MulAdd(set(t[2 * stride + k]), v, s2);
      s3 = hn::MulAdd(set(t[3 * stride + k]), v, s3);
      row += m1 - k;
    }
    store<T>(s0, grad_t + c);
    store<T>(s1, grad_t + stride + c);
    store<T>(s2, grad_t + 2 * stride + c);
    store<T>(s3, grad_t + 3 * stride + c);
  }
  const T* row = a;
  for (ptrdiff_t k = 0; k < m2; ++k) {
    auto s0 = set(T(0)), s1 = s0, s2 = s0, s3 = s0;
    for (ptrdiff_t c = k / lane * lane; c < m1; c += lane) {
      const auto v = row_piece(row, k, c);
      s0 = hn::MulAdd(load(t + c), v, s0);
      s1 = hn::MulAdd(load(t + stride + c), v, s1);
      s2 = hn::MulAdd(load(t + 2 * stride + c), v, s2);
      s3 = hn::MulAdd(load(t + 3 * stride + c), v, s3);
    }
    T sum[4];
    store_sums(s0, s1, s2, s3, sum);
    for (ptrdiff_t x = 0; x < 4; ++x) grad_t[x * stride + k] += sum[x];
    row += m1 - k;
  }
}

/// ∂E/∂R of pair p: sums[4], the part through G in the first. One pair at a time, so that its 16 weights stay
/// in registers while the channels go by.
template <typename T>
HWY_INLINE void row_gradient(ptrdiff_t p, const Pairs<T>& pairs, const T* HWY_RESTRICT grad_t,
                             ptrdiff_t stride, ptrdiff_t size, const T* HWY_RESTRICT value,
                             const T* HWY_RESTRICT slope, T* sums) {
  V<T> by_row[4], row[4], w[6], dw[6];
  auto by_x = set(T(0));
  SOLION_UNROLL
  for (int x = 0; x < 4; ++x) {
    by_row[x] = set(T(0));
    row[x] = set(pairs.row[x][p]);
  }
  SOLION_UNROLL
  for (int m = 0; m < 6; ++m) {
    w[m] = set(value[m * size + p]);
    dw[m] = set(slope[m * size + p]);
  }
  const T* HWY_RESTRICT node = pairs.node[p];
  for (ptrdiff_t c = 0; c < stride; c += lanes<T>()) {
    auto v = load(node + c);
    auto g = hn::Mul(w[0], v);
    auto dg = hn::Mul(dw[0], v);
    SOLION_UNROLL
    for (int m = 1; m < 6; ++m) {
      v = load(node + m * stride + c);
      g = hn::MulAdd(w[m], v, g);
      dg = hn::MulAdd(dw[m], v, dg);
    }
    auto dt = load(grad_t + c);
    auto grad_g = hn::Mul(row[0], dt);
    by_row[0] = hn::MulAdd(g, dt, by_row[0]);
    SOLION_UNROLL
    for (int x = 1; x < 4; ++x) {
      dt = load(grad_t + x * stride + c);
      by_row[x] = hn::MulAdd(g, dt, by_row[x]);
      grad_g = hn::MulAdd(row[x], dt, grad_g);
    }
    by_x = hn::MulAdd(dg, grad_g, by_x);
  }
  store_sums(hn::Add(by_row[0], by_x), by_row[1], by_row[2], by_row[3], sums);
}

template <typename T>
void gradients(ptrdiff_t n, const Pairs<T>& pairs, const PairKind<T>& kind, const T* grad_t, ptrdiff_t stride,
               T* weights, T* sums, T* gx, T* gy, T* gz, double* virial) {
  const Tag<T> d;
  const ptrdiff_t size = padded<T>(n);
  T* slope = weights + 6 * size;
  hermite_weights<true>(n, pairs, size, weights, slope);
  for (ptrdiff_t p = 0; p < n; ++p)
    row_gradient(p, pairs, grad_t, stride, size, weights, slope, sums + 4 * p);
  V<T> w[9];
  SOLION_UNROLL
  for (int k = 0; k < 9; ++k) w[k] = set(T(0));
  for (ptrdiff_t i = 0; i < n; i += lanes<T>()) {
    V<T> y0, y1, y2, y3;
    hn::LoadInterleaved4(d, sums + 4 * i, y0, y1, y2, y3);
    y0 = hn::Mul(y0, set(kind.inverse_deviation[0]));
    y1 = hn::Mul(y1, set(kind.inverse_deviation[1]));
    y2 = hn::Mul(y2, set(kind.inverse_deviation[2]));
    y3 = hn::Mul(y3, set(kind.inverse_deviation[3]));
    const auto x = load(pairs.x + i), y = load(pairs.y + i), z = load(pairs.z + i), q = load(pairs.q + i);
    const auto dot = hn::MulAdd(y1, x, hn::MulAdd(y2, y, hn::Mul(y3, z)));
    const auto along = hn::Mul(hn::MulAdd(y0, load(pairs.ds + i), hn::Mul(dot, load(pairs.dq + i))),
                               load(pairs.inverse_r + i));
    auto vx = hn::MulAdd(along, x, hn::Mul(q, y1));
    auto vy = hn::MulAdd(along, y, hn::Mul(q, y2));
    auto vz = hn::MulAdd(along, z, hn::Mul(q, y3));
    store<T>(vx, gx + i);
    store<T>(vy, gy + i);
    store<T>(vz, gz + i);
    // What stands behind the last pair must not enter the sums, whatever it is.
    const auto real = hn::FirstN(d, static_cast<std::size_t>(std::min(lanes<T>(), n - i)));
    const auto rx = hn::IfThenElseZero(real, x), ry = hn::IfThenElseZero(real, y),
               rz = hn::IfThenElseZero(real, z);
    vx = hn::IfThenElseZero(real, vx);
    vy = hn::IfThenElseZero(real, vy);
    vz = hn::IfThenElseZero(real, vz);
    w[0] = hn::NegMulAdd(rx, vx, w[0]);
    w[1] = hn::NegMulAdd(rx, vy, w[1]);
    w[2] = hn::NegMulAdd(rx, vz, w[2]);
    w[3] = hn::NegMulAdd(ry, vx, w[3]);
    w[4] = hn::NegMulAdd(ry, vy, w[4]);
    w[5] = hn::NegMulAdd(ry, vz, w[5]);
    w[6] = hn::NegMulAdd(rz, vx, w[6]);
    w[7] = hn::NegMulAdd(rz, vy, w[7]);
    w[8] = hn::NegMulAdd(rz, vz, w[8]);
  }
  T sum[4];
  store_sums(w[0], w[1], w[2], w[3], sum);
  for (int k = 0; k < 4; ++k) virial[k] += static_cast<double>(sum[k]);
  store_sums(w[4], w[5], w[6], w[7], sum);
  for (int k = 0; k < 4; ++k) virial[4 + k] += static_cast<double>(sum[k]);
  virial[8] += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, w[8])));
}

Kernels<float> single_kernels() {
  return {prepare<float>, environment<float>, descriptor<float>, descriptor_gradient<float>,
          gradients<float>};
}
Kernels<double> double_kernels() {
  return {prepare<double>, environment<double>, descriptor<double>, descriptor_gradient<double>,
          gradients<double>};
}

}  // namespace solion::dp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace solion::dp {

HWY_EXPORT(single_kernels);
HWY_EXPORT(double_kernels);

template <>
Kernels<float> kernels() {
  return HWY_DYNAMIC_DISPATCH(single_kernels)();
}
template <>
Kernels<double> kernels() {
  return HWY_DYNAMIC_DISPATCH(double_kernels)();
}

}  // namespace solion::dp
#endif  // HWY_ONCE
