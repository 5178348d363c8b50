// Activation functions over arrays, with the first two derivatives that forces and their training need.
#pragma once

#include <cstddef>

#include "solion/nn/network.hpp"

namespace solion::nn {

/// The passes over a layer keep one array of `state` an activation, from which φ and its derivatives follow:
/// tanh keeps φ(h) itself (φ' = 1 − φ², φ'' = −2φφ'), every other activation keeps h.
/// Definitions (x = h): relu max(x,0); relu6 min(max(x,0),6); softplus ln(1+eˣ); sigmoid 1/(1+e⁻ˣ);
/// gelu ½x(1+tanh(√(2/π)(x+0.044715x³))); silu x·sigmoid(x). Derivatives at kinks are those of the left side.

/// state[i] from h[i], in place.
template <typename T>
void activate(Activation activation, T* h_to_state, std::ptrdiff_t n);
/// value[i] = φ.
template <typename T>
void value(Activation activation, const T* state, std::ptrdiff_t n, T* value);
/// slope[i] = φ'.
template <typename T>
void slope(Activation activation, const T* state, std::ptrdiff_t n, T* slope);
/// slope[i] = φ', curvature[i] = φ''.
template <typename T>
void slope_and_curvature(Activation activation, const T* state, std::ptrdiff_t n, T* slope, T* curvature);

}  // namespace solion::nn
