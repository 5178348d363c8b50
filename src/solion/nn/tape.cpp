// The passes over a network: matrix products for the linear parts, short cache-resident loops for the rest.
#include "solion/nn/tape.hpp"

#include <algorithm>
#include <array>

#include "solion/nn/activation.hpp"
#include "solion/nn/products.hpp"

namespace solion::nn {
namespace {

using std::ptrdiff_t;
template <typename T>
using Array = Eigen::Array<T, Eigen::Dynamic, 1>;
template <typename T>
using Out = Eigen::Map<Array<T>>;
template <typename T>
using In = Eigen::Map<const Array<T>>;

/// So many numbers stay in the first-level cache through the few sweeps of one layer.
constexpr ptrdiff_t chunk = 1024;
template <typename T>
struct Scratch {
  alignas(64) std::array<T, chunk> a;
  alignas(64) std::array<T, chunk> b;
};

/// Calls body(offset, length, column) on pieces of the rows [begin, end); pieces stay inside a row where the
/// column matters.
template <typename F>
void for_chunks(ptrdiff_t begin, ptrdiff_t end, ptrdiff_t width, bool by_row, const F& body) {
  const ptrdiff_t line = by_row ? width : (end - begin) * width;
  const ptrdiff_t lines = by_row ? end - begin : (line > 0 ? 1 : 0);
  for (ptrdiff_t i = 0; i < lines; ++i) {
    for (ptrdiff_t c = 0; c < line; c += chunk) {
      body(begin * width + i * line + c, std::min(chunk, line - c), c);
    }
  }
}

/// out += skip(x): x itself, or x twice side by side.
template <typename T>
void add_skip(const LayerLayout& layer, const T* x, ptrdiff_t begin, ptrdiff_t end, T* out) {
  if (layer.skip == 0) return;
  if (layer.skip == 1) {
    const ptrdiff_t n = (end - begin) * layer.n_out;
    Out<T>(out + begin * layer.n_out, n) += In<T>(x + begin * layer.n_in, n);
    return;
  }
  for (ptrdiff_t r = begin; r < end; ++r) {
    const In<T> row(x + r * layer.n_in, layer.n_in);
    Out<T>(out + r * layer.n_out, layer.n_in) += row;
    Out<T>(out + r * layer.n_out + layer.n_in, layer.n_in) += row;
  }
}

/// gx += skipᵀ(gy).
template <typename T>
void add_skip_transposed(const LayerLayout& layer, const T* gy, ptrdiff_t begin, ptrdiff_t end, T* gx) {
  if (layer.skip == 0) return;
  if (layer.skip == 1) {
    const ptrdiff_t n = (end - begin) * layer.n_out;
    Out<T>(gx + begin * layer.n_in, n) += In<T>(gy + begin * layer.n_out, n);
    return;
  }
  for (ptrdiff_t r = begin; r < end; ++r) {
    const T* g = gy + r * layer.n_out;
    Out<T>(gx + r * layer.n_in, layer.n_in) += In<T>(g, layer.n_in) + In<T>(g + layer.n_in, layer.n_in);
  }
}

/// h = xW (+ b).
template <typename T>
void linear(const LayerLayout& layer, const T* flat, bool bias, const T* x, ptrdiff_t begin, ptrdiff_t end,
            T* h) {
  const bool with_b = bias && layer.b != absent;
  if (layer.n_in == 1) {  // the embedding net's scalar input: no product worth a library call
    const In<T> w(flat + layer.w, layer.n_out);
    for (ptrdiff_t r = begin; r < end; ++r) {
      Out<T> row(h + r * layer.n_out, layer.n_out);
      if (with_b) {
        row = w * x[r] + In<T>(flat + layer.b, layer.n_out);
      } else {
        row = w * x[r];
      }
    }
    return;
  }
  if (with_b) {
    for (ptrdiff_t r = begin; r < end; ++r) std::copy_n(flat + layer.b, layer.n_out, h + r * layer.n_out);
  }
  product(end - begin, layer.n_out, layer.n_in, x + begin * layer.n_in, layer.n_in, flat + layer.w,
          layer.n_out, with_b ? T(1) : T(0), h + begin * layer.n_out, layer.n_out);
}

/// gx = gh·Wᵀ + skipᵀ(gy).
template <typename T>
void linear_transposed(const LayerLayout& layer, const T* flat, const T* gh, const T* gy, ptrdiff_t begin,
                       ptrdiff_t end, T* gx) {
  product_bt(end - begin, layer.n_in, layer.n_out, gh + begin * layer.n_out, layer.n_out, flat + layer.w,
             layer.n_out, T(0), gx + begin * layer.n_in, layer.n_in);
  add_skip_transposed(layer, gy, begin, end, gx);
}

/// Numbers, up to a whole cache line.
template <typename T>
ptrdiff_t whole_lines(ptrdiff_t n) {
  constexpr auto line = static_cast<ptrdiff_t>(cache_line / sizeof(T));
  return (n + line - 1) / line * line;
}

}  // namespace

template <typename T>
LayerRows<T> rows_in(const T* memory, const NetworkLayout& layout, std::size_t layer, ptrdiff_t n) {
  for (std::size_t l = 0; l < layer; ++l)
    memory += whole_lines<T>(2 * n * layout.layers[l].n_in) + whole_lines<T>(2 * n * layout.layers[l].n_out);
  return {memory, memory + whole_lines<T>(2 * n * layout.layers[layer].n_in), n};
}

template <typename T>
std::size_t rows_size(const NetworkLayout& layout, ptrdiff_t n) {
  ptrdiff_t size = 0;
  for (const LayerLayout& layer : layout.layers)
    size += whole_lines<T>(2 * n * layer.n_in) + whole_lines<T>(2 * n * layer.n_out);
  return static_cast<std::size_t>(size);
}

template <typename T>
void Tape<T>::resize(ptrdiff_t n, T* rows) {
  n_ = n;
  buffers_.resize(layers() + 1);
  for (std::size_t level = 0; level <= layers(); ++level) {
    const auto size = static_cast<std::size_t>(n * width(level));
    Buffers& b = buffers_[level];
    b.cotangent.reserve(2 * size);
    if (rows != nullptr && level < layers()) {
      b.out.lie_at(rows + (rows_in<T>(rows, layout_, level, n).input - rows));
    } else {
      b.out.reserve(2 * size);
    }
    if (level == 0) continue;
    b.state.reserve(size);
    b.h_tangent.reserve(size);
    if (rows != nullptr) {
      b.h_cotangent.lie_at(rows + (rows_in<T>(rows, layout_, level - 1, n).cotangent - rows));
    } else {
      b.h_cotangent.reserve(2 * size);
    }
  }
}

template <typename T>
void Tape<T>::forward(const T* flat, ptrdiff_t begin, ptrdiff_t end) {
  for (std::size_t l = 0; l < layers(); ++l) {
    const LayerLayout& layer = layout_.layers[l];
    Buffers& b = buffers_[l + 1];
    const T* x = buffers_[l].out.data();
    T* state = b.state.data();
    T* y = b.out.data();
    linear(layer, flat, true, x, begin, end, state);
    for_chunks(begin, end, layer.n_out, layer.idt != absent,
               [&](ptrdiff_t at, ptrdiff_t n, ptrdiff_t column) {
                 activate(layer.activation, state + at, n);
                 value(layer.activation, state + at, n, y + at);
                 if (layer.idt != absent) Out<T>(y + at, n) *= In<T>(flat + layer.idt + column, n);
               });
    add_skip(layer, x, begin, end, y);
  }
}

template <typename T>
void Tape<T>::tangent(const T* flat, ptrdiff_t begin, ptrdiff_t end) {
  for (std::size_t l = 0; l < layers(); ++l) {
    const LayerLayout& layer = layout_.layers[l];
    Buffers& b = buffers_[l + 1];
    const T* dx = second(buffers_[l].out, l);
    const T* state = b.state.data();
    T* dh = b.h_tangent.data();
    T* dy = second(b.out, l + 1);
    linear(layer, flat, false, dx, begin, end, dh);
    for_chunks(begin, end, layer.n_out, layer.idt != absent,
               [&](ptrdiff_t at, ptrdiff_t n, ptrdiff_t column) {
                 slope(layer.activation, state + at, n, dy + at);
                 Out<T>(dy + at, n) *= In<T>(dh + at, n);
                 if (layer.idt != absent) Out<T>(dy + at, n) *= In<T>(flat + layer.idt + column, n);
               });
    add_skip(layer, dx, begin, end, dy);
  }
}

template <typename T>
void Tape<T>::backward(const T* flat, ptrdiff_t begin, ptrdiff_t end, bool to_input) {
  for (std::size_t l = layers(); l-- > 0;) {
    const LayerLayout& layer = layout_.layers[l];
    Buffers& b = buffers_[l + 1];
    const T* state = b.state.data();
    const T* gy = second(b.cotangent, l + 1);
    T* gh = second(b.h_cotangent, l + 1);
    for_chunks(begin, end, layer.n_out, layer.idt != absent,
               [&](ptrdiff_t at, ptrdiff_t n, ptrdiff_t column) {
                 slope(layer.activation, state + at, n, gh + at);
                 Out<T>(gh + at, n) *= In<T>(gy + at, n);
                 if (layer.idt != absent) Out<T>(gh + at, n) *= In<T>(flat + layer.idt + column, n);
               });
    if (l > 0 || to_input) {
      linear_transposed(layer, flat, gh, gy, begin, end, second(buffers_[l].cotangent, l));
    }
  }
}

template <typename T>
void Tape<T>::tangent_backward(const T* flat, ptrdiff_t begin, ptrdiff_t end, bool to_input) {
  Scratch<T> scratch;
  for (std::size_t l = layers(); l-- > 0;) {
    const LayerLayout& layer = layout_.layers[l];
    Buffers& b = buffers_[l + 1];
    const T* state = b.state.data();
    const T* dh = b.h_tangent.data();
    const T* y_bar = b.cotangent.data();
    const T* gy = second(b.cotangent, l + 1);
    T* h_bar = b.h_cotangent.data();
    for_chunks(begin, end, layer.n_out, layer.idt != absent,
               [&](ptrdiff_t at, ptrdiff_t n, ptrdiff_t column) {
                 slope_and_curvature(layer.activation, state + at, n, scratch.a.data(), scratch.b.data());
                 Out<T> h(h_bar + at, n);
                 h = In<T>(scratch.a.data(), n) * In<T>(y_bar + at, n) +
                     In<T>(scratch.b.data(), n) * In<T>(gy + at, n) * In<T>(dh + at, n);
                 if (layer.idt != absent) h *= In<T>(flat + layer.idt + column, n);
               });
    if (l > 0 || to_input) {
      linear_transposed(layer, flat, h_bar, y_bar, begin, end, buffers_[l].cotangent.data());
    }
  }
}

template <typename T>
void weight_gradient(const LayerLayout& layer, const LayerRows<T>& rows, ptrdiff_t in_begin, ptrdiff_t in_end,
                     bool add, T* grad) {
  if (rows.n == 0) {
    if (!add) std::fill_n(grad, (in_end - in_begin) * layer.n_out, T(0));
    return;
  }
  // Both terms of ∂J/∂W = xᵀ·∂J/∂h + ẋᵀ·∂J/∂ḣ in one product: the halves of the rows follow each other.
  product_at(in_end - in_begin, layer.n_out, 2 * rows.n, rows.input + in_begin, layer.n_in, rows.cotangent,
             layer.n_out, add ? T(1) : T(0), grad, layer.n_out);
}

template <typename T>
void Tape<T>::bias_gradient(std::size_t l, T* grad) const {
  const LayerLayout& layer = layout_.layers[l];
  const Buffers& b = buffers_[l + 1];
  const T* h_bar = b.h_cotangent.data();
  if (layer.b != absent) {
    Out<T> sum(grad + layer.b, layer.n_out);
    sum.setZero();
    for (ptrdiff_t r = 0; r < n_; ++r) sum += In<T>(h_bar + r * layer.n_out, layer.n_out);
  }
  if (layer.idt == absent) return;
  Out<T>(grad + layer.idt, layer.n_out).setZero();
  const T* y_bar = b.cotangent.data();
  const T* gy = y_bar + n_ * layer.n_out;
  const T* state = b.state.data();
  const T* dh = b.h_tangent.data();
  Scratch<T> scratch;
  for_chunks(0, n_, layer.n_out, true, [&](ptrdiff_t at, ptrdiff_t n, ptrdiff_t column) {
    value(layer.activation, state + at, n, scratch.a.data());
    slope(layer.activation, state + at, n, scratch.b.data());
    Out<T>(grad + layer.idt + column, n) +=
        In<T>(scratch.a.data(), n) * In<T>(y_bar + at, n) +
        In<T>(scratch.b.data(), n) * In<T>(gy + at, n) * In<T>(dh + at, n);
  });
}

template std::size_t rows_size<float>(const NetworkLayout&, ptrdiff_t);
template LayerRows<float> rows_in<float>(const float*, const NetworkLayout&, std::size_t, ptrdiff_t);
template void weight_gradient<float>(const LayerLayout&, const LayerRows<float>&, ptrdiff_t, ptrdiff_t, bool,
                                     float*);
template std::size_t rows_size<double>(const NetworkLayout&, ptrdiff_t);
template LayerRows<double> rows_in<double>(const double*, const NetworkLayout&, std::size_t, ptrdiff_t);
template void weight_gradient<double>(const LayerLayout&, const LayerRows<double>&, ptrdiff_t, ptrdiff_t,
                                      bool, double*);
template class Tape<float>;
template class Tape<double>;

}  // namespace solion::nn
