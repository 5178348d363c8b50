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
