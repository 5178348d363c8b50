// Kernel bodies between the matrix products of nets that are being trained: forward, tangent, backward and
// tangent-backward of a layer, item by item. Theory: docs/theory/train.md; nn/tape.hpp has the same on the
// processor. One item a number: row·n_out + column.
#pragma once

#include "solion/gpu/bodies_fitting.hpp"

namespace solion::gpu {

/// h = x·W becomes h + b; y = φ(h)∘idt + skip(x).
template <typename T>
struct TapeForward {
  LayerView<T> layer;
  const T* x;
  T* h;
  T* y;

  SOLION_BOTH void operator()(std::int64_t item) const {
    const std::int64_t row = item / layer.n_out;
    const int c = static_cast<int>(item % layer.n_out);
    const T z = h[item] + (layer.bias == nullptr ? T(0) : layer.bias[c]);
    h[item] = z;
    T value = nn::point(layer.activation, z).value;
    if (layer.idt != nullptr) value *= layer.idt[c];
    if (layer.skip != 0) value += x[row * layer.n_in + c % layer.n_in];
    y[item] = value;
  }
};

/// From ḣ = ẋ·W: ẏ = φ'(h)∘ḣ∘idt + skip(ẋ).
template <typename T>
struct TapeTangent {
  LayerView<T> layer;
  const T* x_tangent;
  const T* h;
  const T* h_tangent;
  T* y_tangent;

  SOLION_BOTH void operator()(std::int64_t item) const {
    const std::int64_t row = item / layer.n_out;
    const int c = static_cast<int>(item % layer.n_out);
    T value = nn::point(layer.activation, h[item]).slope * h_tangent[item];
    if (layer.idt != nullptr) value *= layer.idt[c];
    if (layer.skip != 0) value += x_tangent[row * layer.n_in + c % layer.n_in];
    y_tangent[item] = value;
  }
};

/// ∂J/∂ḣ = φ'(h)∘g∘idt with g = ∂J/∂ẏ.
template <typename T>
struct TapeBackward {
  LayerView<T> layer;
  const T* h;
  const T* y_adjoint;
  T* h_adjoint;

  SOLION_BOTH void operator()(std::int64_t item) const {
    T value = nn::point(layer.activation, h[item]).slope * y_adjoint[item];
    if (layer.idt != nullptr) value *= layer.idt[item % layer.n_out];
    h_adjoint[item] = value;
  }
};

/// ∂J/∂h = (φ'(h)∘ȳ + φ''(h)∘g∘ḣ)∘idt. `steps`, where it is not null: φ(h)∘ȳ + φ'(h)∘g∘ḣ, whose sum over the
/// rows is ∂J/∂idt.
template <typename T>
struct TapeTangentBackward {
  LayerView<T> layer;
  const T* h;
  const T* h_tangent;
  const T* y_cotangent;
  const T* y_adjoint;
  T* h_cotangent;
  T* steps;

  SOLION_BOTH void operator()(std::int64_t item) const {
    const nn::Point<T> point = nn::point(layer.activation, h[item]);
    const T second = y_adjoint[item] * h_tangent[item];
    T value = point.slope * y_cotangent[item] + point.curvature * second;
    if (layer.idt != nullptr) value *= layer.idt[item % layer.n_out];
    h_cotangent[item] = value;
    if (steps != nullptr) steps[item] = point.value * y_cotangent[item] + point.slope * second;
  }
};

/// What goes back past a layer: ∂/∂x += skipᵀ(∂/∂y). One item a number of x.
template <typename T>
struct TapeSkip {
  int n_in, n_out;  ///< n_out is n_in or twice that
  const T* from_y;
  T* to_x;

  SOLION_BOTH void operator()(std::int64_t item) const {
    const std::int64_t row = item / n_in;
    const T* line = from_y + row * n_out + item % n_in;
    to_x[item] += n_out == n_in ? line[0] : line[0] + line[n_in];
  }
};

}  // namespace solion::gpu
