// Muon: momentum, Newton–Schulz, step; Adam for the rest.
#include "solion/nn/muon.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "solion/base/threads.hpp"

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
  const T norm = x.norm();
  if (!(norm > 0)) return;
  x /= norm;
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
  using Part = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
  const auto n = static_cast<Eigen::Index>(end - begin);
  const auto t = static_cast<double>(updates);
  Part p(parameters + begin, n), m(first.data() + begin, n), v(second.data() + begin, n);
  const Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>> g(gradient + begin, n);
  m += static_cast<T>(1 - settings.beta1) * (g - m);
  v += static_cast<T>(1 - settings.beta2) * (g.square() - v);
  const auto root = static_cast<T>(1 / std::sqrt(1 - std::pow(settings.beta2, t)));
  p -= static_cast<T>(rate / (1 - std::pow(settings.beta1, t))) * m /
       (v.sqrt() * root + static_cast<T>(settings.epsilon));
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
    const std::size_t begin = units.empty() ? 0 : matrix.w;
    if (!units.empty()) units.back().end = begin;
    units.push_back({begin, 0, static_cast<double>(matrix.n_in * matrix.n_out) * shorter * 3 * iterations});
  }
  if (units.empty()) units.emplace_back();
  units.back().end = first.size();
  for (UpdateUnit& unit : units) unit.cost += 20 * static_cast<double>(unit.end - unit.begin);
  return units;
}

template <typename T>
void Muon<T>::do_only(const std::vector<UpdateUnit>& mine) {
  const auto away = [&](std::size_t at) {
    return std::none_of(mine.begin(), mine.end(),
                        [&](const UpdateUnit& u) { return u.begin <= at && at < u.end; });
  };
  std::erase_if(matrices_, [&](const Matrix& matrix) { return away(matrix.w); });
  std::erase_if(plain_, [&](const auto& range) { return away(range.first); });
}

template void orthogonalize(float*, std::ptrdiff_t, std::ptrdiff_t);
template void orthogonalize(double*, std::ptrdiff_t, std::ptrdiff_t);
template struct Muon<float>;
template struct Muon<double>;

}  // namespace solion::nn
