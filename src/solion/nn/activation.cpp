// Activation functions and derivatives, vectorised by Eigen.
#include "solion/nn/activation.hpp"

#include <Eigen/Core>
#include <cmath>

namespace solion::nn {
namespace {

template <typename T>
using Array = Eigen::Array<T, Eigen::Dynamic, 1>;
template <typename T>
using Out = Eigen::Map<Array<T>>;
template <typename T>
using In = Eigen::Map<const Array<T>>;

/// Eigen's tanh of float is a vectorised rational; of double it is a call of the C library for each element,
/// so that one goes through the vectorised exp (absolute error below 3e-16; e²ˣ overflows to 1 − 0).
template <typename T, typename Expression>
auto tanh_of(const Expression& x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return x.tanh();
  } else {
    return T(1) - T(2) / ((T(2) * x).exp() + T(1));
  }
}

constexpr double gelu_scale = 0.79788456080286535588;  // √(2/π)
constexpr double gelu_cubic = 0.044715;

/// φ, φ' and φ'' of one number for the activations that are not in a hurry.
template <typename T>
struct Point {
  T value, slope, curvature;
};

template <typename T>
Point<T> point(Activation activation, T x) {
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

}  // namespace

template <typename T>
void activate(Activation activation, T* h_to_state, std::ptrdiff_t n) {
  if (activation != Activation::tanh) return;
  Out<T> h(h_to_state, n);
  h = tanh_of<T>(h);
}

template <typename T>
void value(Activation activation, const T* state, std::ptrdiff_t n, T* value) {
  if (activation == Activation::tanh || activation == Activation::linear) {
    Out<T>(value, n) = In<T>(state, n);
    return;
  }
  for (std::ptrdiff_t i = 0; i < n; ++i) value[i] = point(activation, state[i]).value;
}

template <typename T>
void slope(Activation activation, const T* state, std::ptrdiff_t n, T* slope) {
  if (activation == Activation::tanh) {
    Out<T>(slope, n) = T(1) - In<T>(state, n).square();
    return;
  }
  for (std::ptrdiff_t i = 0; i < n; ++i) slope[i] = point(activation, state[i]).slope;
}

template <typename T>
void slope_and_curvature(Activation activation, const T* state, std::ptrdiff_t n, T* slope, T* curvature) {
  if (activation == Activation::tanh) {
    const In<T> t(state, n);
    Out<T> s(slope, n);
    s = T(1) - t.square();
    Out<T>(curvature, n) = T(-2) * t * s;
    return;
  }
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    const Point<T> p = point(activation, state[i]);
    slope[i] = p.slope;
    curvature[i] = p.curvature;
  }
}

template void activate<float>(Activation, float*, std::ptrdiff_t);
template void activate<double>(Activation, double*, std::ptrdiff_t);
template void value<float>(Activation, const float*, std::ptrdiff_t, float*);
template void value<double>(Activation, const double*, std::ptrdiff_t, double*);
template void slope<float>(Activation, const float*, std::ptrdiff_t, float*);
template void slope<double>(Activation, const double*, std::ptrdiff_t, double*);
template void slope_and_curvature<float>(Activation, const float*, std::ptrdiff_t, float*, float*);
template void slope_and_curvature<double>(Activation, const double*, std::ptrdiff_t, double*, double*);

}  // namespace solion::nn
