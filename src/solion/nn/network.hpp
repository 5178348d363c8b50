// A small fully connected network as data: weights, biases, activations and the DeePMD-kit skip connections.
#pragma once

#include <Eigen/Core>
#include <string>
#include <string_view>
#include <vector>

#include "solion/nn/activation_point.hpp"

namespace solion::nn {

/// Row-major, so that one row is one sample (atom or neighbour).
template <typename T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using Row = Eigen::Matrix<T, 1, Eigen::Dynamic>;

/// The activation that DeePMD-kit calls `name` ("none", "linear", "gelu_tf", …); InputError lists the known
/// ones.
Activation activation_from_name(std::string_view name);
std::string_view activation_name(Activation activation);

/// y = φ(xW + b) ∘ idt, plus x where n_out = n_in, plus [x, x] where n_out = 2·n_in, if `resnet`.
struct Layer {
  Matrix<double> w;  ///< (n_in, n_out)
  Row<double> b;     ///< (n_out) or empty
  Row<double> idt;   ///< (n_out) or empty
  Activation activation = Activation::tanh;
  bool resnet = false;

  [[nodiscard]] Eigen::Index n_in() const { return w.rows(); }
  [[nodiscard]] Eigen::Index n_out() const { return w.cols(); }
  /// How the input is added to the output: 0 not at all, 1 as x, 2 as [x, x].
  [[nodiscard]] int skip() const {
    if (!resnet) return 0;
    return n_out() == n_in() ? 1 : (n_out() == 2 * n_in() ? 2 : 0);
  }
};

struct Network {
  std::vector<Layer> layers;

  [[nodiscard]] Eigen::Index n_in() const { return layers.front().n_in(); }
  [[nodiscard]] Eigen::Index n_out() const { return layers.back().n_out(); }
  [[nodiscard]] std::size_t n_parameters() const;
};

}  // namespace solion::nn
