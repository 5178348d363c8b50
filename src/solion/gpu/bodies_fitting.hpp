// Kernel bodies between the matrix products of the fitting nets. Theory: docs/theory/gpu.md, section 4.
#pragma once

#include "solion/gpu/block.hpp"
#include "solion/nn/activation_point.hpp"

namespace solion::gpu {

/// A layer of a net that never changes: y = φ(x·W + b)∘idt, plus x, [x, x] or nothing (`skip` 1, 2, 0).
template <typename T>
struct LayerView {
  int n_in, n_out, skip;
  nn::Activation activation;
  const T* bias;
  const T* idt;  ///< or null
};

/// From z = x·W (rows of `stride` numbers) to y and ∂y/∂z. One item a number: row·n_out + column.
template <typename T>
struct Activate {
  LayerView<T> layer;
  const T* z;
  Operand<T> x;  ///< the layer's input, where it skips
  Operand<T> y;
  T* slope;
  std::int64_t stride;  ///< of z and slope

  SOLION_BOTH void operator()(std::int64_t item) const {
    const std::int64_t row = item / layer.n_out;
    const int c = static_cast<int>(item % layer.n_out);
    const std::int64_t at = row * stride + c;
    const nn::Point<T> point = nn::point(layer.activation, z[at] + layer.bias[c]);
    const T idt = layer.idt == nullptr ? T(1) : layer.idt[c];
    T value = point.value * idt;
    if (layer.skip != 0) value += x.value(row, c % layer.n_in);
    y.store(row, c, value);
    slope[at] = point.slope * idt;
  }
};

/// E = y·w + b + bias of the net's last layer, summed in double; rows_each rows a block.
template <typename T>
struct AtomicEnergies {
  static constexpr bool blocks = true;
  static constexpr int rows_each = 8;
  Operand<T> y;
  const T* w;
  double bias;
  const int* order;  ///< of the first row
  int n_rows;
  double* energies;  ///< [atom]
  [[nodiscard]] static std::size_t scratch() { return 0; }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t b) const {
    const int begin = static_cast<int>(b) * rows_each;
    const int n = n_rows - begin < rows_each ? n_rows - begin : rows_each;
    block.template sum_each<1, double>(
        n, y.width,
        [&](int p, int c, double* sum) {
          sum[0] += static_cast<double>(y.value(begin + p, c)) * static_cast<double>(w[c]);
        },
        [&](int p, const double* sum) { energies[order[begin + p]] = sum[0] + bias; });
  }
};

/// One step of the way back: ∂E/∂y of a layer, from the layer behind it, and ∂E/∂z = ∂E/∂y∘∂y/∂z. The last
/// hidden layer gets the weights of the last one. One item a number.
template <typename T>
struct Backward {
  int width;         ///< of this layer
  int skip;          ///< of the layer behind, whose grad_y comes through it
  const T* product;  ///< ∂E/∂z·Wᵀ of the layer behind, or null: `w` for every row
  const T* w;
  const T* grad_y_behind;
  const T* slope;
  T* grad_y;
  Operand<T> grad_z;
  std::int64_t stride;

  SOLION_BOTH void operator()(std::int64_t item) const {
    const std::int64_t row = item / width;
    const int c = static_cast<int>(item % width);
    const std::int64_t at = row * stride + c;
    T value = product == nullptr ? w[c] : product[at];
    if (skip != 0) value += grad_y_behind[row * stride + c];
    if (skip == 2) value += grad_y_behind[row * stride + c + width];
    grad_y[at] = value;
    grad_z.store(row, c, value * slope[at]);
  }
};

}  // namespace solion::gpu
