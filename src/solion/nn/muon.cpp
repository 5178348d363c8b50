// Muon: momentum, Newton–Schulz, step; Adam for the rest.
#include "solion/nn/muon.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "solion/base/threads.hpp"
#include "solion/nn/adam.hpp"

namespace solion::nn {
namespace {

template <typename T>
using MatrixOf = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int iterations = 5;
/// φ(x) = a·x + b·x³ + c·x⁵ drives (0, 1] towards 1, fastest near 0 (Jordan et al.).
constexpr double a = 3.4445, b = -4.7750, c = 2.0315;

}  // namespace

template <typename T>
void orthogonalize(T* matrix, std::ptrdiff_t n_in, std::ptrdiff_t n_out) {
  Eigen::Map<MatrixOf<T>> out(matrix, n_in, n_out);
  const bool tall = n_in > n_out;  // the product with the transpose is to be the small one
  MatrixOf<T> x = tall ? MatrixOf<T>(out.transpose()) : MatrixOf<T>(out);
  const T largest = x.cwiseAbs().maxCoeff();  // first to 1: squares of a layer at rest would underflow
  if (!(largest > 0)) return;
  x /= largest;
  x /= x.norm();
  MatrixOf<T> gram, polynomial;
  for (int k = 0; k < iterations; ++k) {
    gram.noalias() = x * x.transpose();
    polynomial = static_cast<T>(b) * gram;
    polynomial.noalias() += static_cast<T>(c) * gram * gram;
    polynomial.diagonal().array() += static_cast<T>(a);
    x = polynomial * x;
  }
  if (tall) {
    out = x.transpose();
  } else {
    out = x;
  }
}

template <typename T>
Muon<T>::Muon(const std::vector<LayerLayout>& layers, std::size_t n_parameters, MuonSettings s)
    : settings(s), first(n_parameters), second(n_parameters) {
  std::vector<LayerLayout> sorted = layers;
  std::sort(sorted.begin(), sorted.end(), [](const auto& x, const auto& y) { return x.w < y.w; });
  std::size_t plain_from = 0;
  for (const LayerLayout& layer : sorted) {
    if (layer.n_in == 1 || layer.n_out == 1) continue;  // stays plain
    if (plain_from < layer.w) plain_.emplace_back(plain_from, layer.w);
    matrices_.push_back({layer.w, layer.n_in, layer.n_out});
    plain_from = matrices_.back().end();
  }
  if (plain_from < n_parameters) plain_.emplace_back(plain_from, n_parameters);
}

template <typename T>
void Muon<T>::step_matrix(const Matrix& matrix, double rate, T* parameters, const T* gradient) {
  const auto size = static_cast<Eigen::Index>(matrix.n_in * matrix.n_out);
  using Part = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
  Part w(parameters + matrix.w, size), m(first.data() + matrix.w, size);
  const Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>> g(gradient + matrix.w, size);
  const auto keep = static_cast<T>(settings.momentum);
  m += (1 - keep) * (g - m);
  Eigen::Array<T, Eigen::Dynamic, 1> step = g + keep * (m - g);  // Nesterov's look ahead
  orthogonalize(step.data(), matrix.n_in, matrix.n_out);
  // An orthogonal matrix has a root mean square of 1/√(longer side).
  const auto longer = static_cast<double>(std::max(matrix.n_in, matrix.n_out));
  w -= static_cast<T>(rate * settings.step * std::sqrt(longer)) * step;
}

template <typename T>
void Muon<T>::step_plain(std::size_t begin, std::size_t end, double rate, T* parameters, const T* gradient) {
  const AdamSettings adam{.beta1 = settings.beta1, .beta2 = settings.beta2, .epsilon = settings.epsilon};
  adam_step(adam, rate, updates, static_cast<std::ptrdiff_t>(end - begin), parameters + begin,
            gradient + begin, first.data() + begin, second.data() + begin);
}

template <typename T>
void Muon<T>::update(double learning_rate, T* parameters, T* gradient,
                     const std::vector<unsigned char>& trained, int threads) {
  updates += 1;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    if (trained[i] == 0) gradient[i] = first[i] = 0;
  }
  parallel_dynamic(matrices_.size() + plain_.size(), threads, [&](std::size_t k, int) {
    if (k < matrices_.size()) {
      step_matrix(matrices_[k], learning_rate, parameters, gradient);
    } else {
      const auto& [begin, end] = plain_[k - matrices_.size()];
      step_plain(begin, end, learning_rate, parameters, gradient);
    }
  });
}

template <typename T>
std::vector<UpdateUnit> Muon<T>::units() const {
  std::vector<UpdateUnit> units;
  for (const Matrix& matrix : matrices_) {
    const auto shorter = static_cast<double>(std::min(matrix.n_in, matrix.n_out));
    units.push_back(
        {matrix.w, 0, static_cast<double>(matrix.n_in * matrix.n_out) * shorter * 3 * iterations});
  }
  return units_between(std::move(units), first.size());
}

template <typename T>
void Muon<T>::do_only(const std::vector<UpdateUnit>& mine) {
  std::erase_if(matrices_, [&](const Matrix& matrix) { return !have(mine, matrix.w); });
  std::erase_if(plain_, [&](const auto& range) { return !have(mine, range.first); });
}

template void orthogonalize(float*, std::ptrdiff_t, std::ptrdiff_t);
template void orthogonalize(double*, std::ptrdiff_t, std::ptrdiff_t);
template struct Muon<float>;
template struct Muon<double>;

}  // namespace solion::nn
