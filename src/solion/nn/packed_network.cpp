// Layers as packed products; what lies between two products stays in the second-level cache for a block.
#include "solion/nn/packed_network.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"
#include "solion/nn/activation.hpp"

namespace solion::nn {
namespace {

using std::ptrdiff_t;
template <typename T>
using Out = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <typename T>
using In = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

/// h → state in place, n numbers.
template <typename T>
void activate_fast(Activation activation, T* h, ptrdiff_t n) {
  if (activation == Activation::tanh) {
    tanh_in_place(h, n);
  } else {
    activate(activation, h, n);
  }
}

template <typename T>
AlignedVector<T> padded_row(const Row<double>& row, ptrdiff_t width) {
  AlignedVector<T> values(static_cast<std::size_t>(width), T(0));
  for (Eigen::Index k = 0; k < row.size(); ++k) values[static_cast<std::size_t>(k)] = static_cast<T>(row[k]);
  return values;
}

}  // namespace

template <typename T>
PackedNetwork<T>::PackedNetwork(const Network& network) {
  if (network.n_out() != 1) throw InputError("a fitting net has {} outputs; expected one", network.n_out());
  for (const Layer& layer : network.layers) {
    const Matrix<T> w = layer.w.template cast<T>();
    Packed packed;
    packed.forward = PackedMatrix<T>(w.data(), w.rows(), w.cols(), w.cols(), false);
    packed.backward = PackedMatrix<T>(w.data(), w.cols(), w.rows(), w.cols(), true);
    packed.bias = padded_row<T>(layer.b, packed.width());
    if (layer.idt.size() > 0) packed.idt = padded_row<T>(layer.idt, packed.width());
    packed.activation = layer.activation;
    packed.skip = layer.skip();
    layers_.push_back(std::move(packed));
  }
}

template <typename T>
const T* PackedNetwork<T>::forward(ptrdiff_t m, const T* x, Workspace& work) const {
  const ptrdiff_t rows = PackedMatrix<T>::padded_rows(m);
  work.state.resize(std::max(work.state.size(), layers_.size()));
  work.out.resize(std::max(work.out.size(), layers_.size()));
  ptrdiff_t x_stride = row_stride();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Packed& layer = layers_[l];
    const ptrdiff_t width = layer.width();
    T* state = work.state[l].reserve(static_cast<std::size_t>(rows * width));
    layer.forward.multiply(m, x, x_stride, layer.bias.data(), state, width);
    activate_fast(layer.activation, state, rows * width);
    const bool is_value = layer.activation == Activation::tanh || layer.activation == Activation::linear;
    if (is_value && layer.idt.empty() && layer.skip == 0) {
      x = state;
    } else {
      T* y = work.out[l].reserve(static_cast<std::size_t>(rows * width));
      const ptrdiff_t n_in = layer.forward.n_in();
      for (ptrdiff_t r = 0; r < rows; ++r) {
        Out<T> row(y + r * width, width);
        if (is_value) {
          row = In<T>(state + r * width, width);
        } else {
          value(layer.activation, state + r * width, width, y + r * width);
        }
        if (!layer.idt.empty()) row *= In<T>(layer.idt.data(), width);
        const In<T> in(x + r * x_stride, n_in);
        if (layer.skip > 0) row.head(n_in) += in;
        if (layer.skip == 2) row.segment(n_in, n_in) += in;
      }
      x = y;
    }
    x_stride = width;
  }
  return x;
}

template <typename T>
void PackedNetwork<T>::backward(ptrdiff_t m, T* grad_x, Workspace& work) const {
  const ptrdiff_t rows = PackedMatrix<T>::padded_rows(m);
  ptrdiff_t widest = 0;
  for (const Packed& layer : layers_) widest = std::max(widest, layer.width());
  T* gh = work.slope.reserve(static_cast<std::size_t>(rows * widest));
  T* gy = work.gradient[0].reserve(static_cast<std::size_t>(rows * widest));
  T* next = work.gradient[1].reserve(static_cast<std::size_t>(rows * widest));
  std::fill_n(gy, rows * layers_.back().width(), T(1));
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Packed& layer = layers_[l];
    const ptrdiff_t width = layer.width();
    const T* state = work.state[l].data();
    const ptrdiff_t n_in = layer.forward.n_in();
    T* gx = l > 0 ? next : grad_x;
    const ptrdiff_t gx_stride = PackedMatrix<T>::padded_columns(n_in);
    for (ptrdiff_t r = 0; r < rows; ++r) {
      T* g = gh + r * width;
      slope(layer.activation, state + r * width, width, g);
      Out<T> row(g, width);
      row *= In<T>(gy + r * width, width);
      if (!layer.idt.empty()) row *= In<T>(layer.idt.data(), width);
    }
    layer.backward.multiply(m, gh, width, nullptr, gx, gx_stride);
    if (layer.skip > 0) {
      for (ptrdiff_t r = 0; r < rows; ++r) {
        Out<T> row(gx + r * gx_stride, n_in);
        row += In<T>(gy + r * width, n_in);
        if (layer.skip == 2) row += In<T>(gy + r * width + n_in, n_in);
      }
    }
    std::swap(gy, next);
  }
}

template class PackedNetwork<float>;
template class PackedNetwork<double>;

}  // namespace solion::nn
