// The activation functions, and each of one number with its first two derivatives.
#pragma once

#include <cmath>

#include "solion/base/both.hpp"

namespace solion::nn {

/// DeePMD-kit's activation functions of se_e2_a networks, under its names.
enum class Activation { linear, tanh, relu, relu6, softplus, sigmoid, gelu, silu };

constexpr double gelu_scale = 0.79788456080286535588;  // √(2/π)
constexpr double gelu_cubic = 0.044715;

/// φ, φ' and φ'' of one number for the activations that are not in a hurry.
template <typename T>
struct Point {
  T value, slope, curvature;
};

template <typename T>
SOLION_BOTH inline Point<T> point(Activation activation, T x) {
  switch (activation) {
    case Activation::linear:
      return {x, 1, 0};
    case Activation::tanh: {
      const T t = std::tanh(x);
      return {t, 1 - t * t, -2 * t * (1 - t * t)};
    }
    case Activation::relu:
      return x > 0 ? Point<T>{x, 1, 0} : Point<T>{0, 0, 0};
    case Activation::relu6:
      return x > 0 ? (x <= 6 ? Point<T>{x, 1, 0} : Point<T>{6, 0, 0}) : Point<T>{0, 0, 0};
    case Activation::softplus: {
      const T e = 1 / (1 + std::exp(-x));
      return {x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)), e, e * (1 - e)};
    }
    case Activation::sigmoid: {
      const T e = 1 / (1 + std::exp(-x));
      return {e, e * (1 - e), e * (1 - e) * (1 - 2 * e)};
    }
    case Activation::gelu: {
      const T c = T(gelu_scale);
      const T k = T(gelu_cubic);
      const T t = std::tanh(c * (x + k * x * x * x));
      const T u1 = c * (1 + 3 * k * x * x);  // derivative of the argument
      const T u2 = c * 6 * k * x;
      const T t1 = (1 - t * t) * u1;
      const T t2 = (1 - t * t) * u2 - 2 * t * t1 * u1;
      return {x * (1 + t) / 2, (1 + t) / 2 + x * t1 / 2, t1 + x * t2 / 2};
    }
    case Activation::silu: {
      const T e = 1 / (1 + std::exp(-x));
      const T e1 = e * (1 - e);
      return {x * e, e + x * e1, 2 * e1 + x * e1 * (1 - 2 * e)};
    }
  }
  return {x, 1, 0};
}

}  // namespace solion::nn
