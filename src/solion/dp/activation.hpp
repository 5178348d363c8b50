// The activation functions of one number with first and second derivative: what the reference path and the
// tables are made from.
#pragma once

#include <cmath>

#include "solion/nn/network.hpp"

namespace solion::dp {

/// φ(x), φ'(x), φ''(x); relu and relu6 have the derivative 0 at their kinks, as in DeePMD-kit.
struct Jet {
  double value, first, second;
};

inline Jet activate(nn::Activation activation, double x) {
  const auto sigmoid = [](double y) {
    const double e = std::exp(-std::abs(y));
    return y >= 0 ? 1 / (1 + e) : e / (1 + e);
  };
  switch (activation) {
    case nn::Activation::linear:
      return {x, 1, 0};
    case nn::Activation::tanh: {
      const double t = std::tanh(x);
      return {t, 1 - t * t, -2 * t * (1 - t * t)};
    }
    case nn::Activation::relu:
      return {x > 0 ? x : 0, x > 0 ? 1.0 : 0.0, 0};
    case nn::Activation::relu6:
      return {x < 0 ? 0 : (x > 6 ? 6 : x), x > 0 && x < 6 ? 1.0 : 0.0, 0};
    case nn::Activation::softplus: {
      const double s = sigmoid(x);
      return {std::fmax(x, 0) + std::log1p(std::exp(-std::abs(x))), s, s * (1 - s)};
    }
    case nn::Activation::sigmoid: {
      const double s = sigmoid(x);
      return {s, s * (1 - s), s * (1 - s) * (1 - 2 * s)};
    }
    case nn::Activation::gelu: {
      // x/2·(1 + tanh u), u = √(2/π)·(x + 0.044715·x³)
      constexpr double c = 0.79788456080286535588;
      constexpr double k = 0.044715;
      const double t = std::tanh(c * (x + k * x * x * x));
      const double g = 1 - t * t;
      const double du = c * (1 + 3 * k * x * x);
      const double ddu = 6 * c * k * x;
      return {0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * g * du,
              g * du + 0.5 * x * g * (ddu - 2 * t * du * du)};
    }
    case nn::Activation::silu: {
      const double s = sigmoid(x);
      const double g = s * (1 - s);
      return {x * s, s + x * g, g * (2 + x * (1 - 2 * s))};
    }
  }
  return {};
}

}  // namespace solion::dp
