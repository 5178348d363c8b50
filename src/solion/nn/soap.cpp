// SOAP: rotation, Adam, rotation back; a power step with QR keeps the eigenvectors fresh.
#include "solion/nn/soap.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "solion/base/threads.hpp"

namespace solion::nn {
namespace {

template <typename T>
using MatrixOf = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using View = Eigen::Map<MatrixOf<T>>;

/// Eigenvectors in columns. The first ones are exact; later ones follow by one step of orthogonal iteration.
template <typename T>
void refresh(View<T> average, View<T> vectors, bool exact) {
  if (exact) {
    const Eigen::SelfAdjointEigenSolver<MatrixOf<double>> solver(average.template cast<double>());
    vectors = solver.eigenvectors().rowwise().reverse().template cast<T>();
    return;
  }
  const MatrixOf<T> product = average * vectors;
  const Eigen::HouseholderQR<MatrixOf<T>> qr(product);
  vectors = qr.householderQ() * MatrixOf<T>::Identity(product.rows(), product.cols());
}

/// What a step of Adam cannot exceed, in learning rates (Kingma and Ba, arXiv 1412.6980, section 2.1). The
/// bound holds while both averages are of the same gradients; new eigenvectors turn the first one and not the
/// second, and a direction of which the second knows nothing would take any step.
double largest_step(const SoapSettings& settings) {
  return std::max(1.0, (1 - settings.beta1) / std::sqrt(1 - settings.beta2));
}

}  // namespace

template <typename T>
Soap<T>::Soap(const std::vector<LayerLayout>& layers, std::size_t n_parameters, SoapSettings s)
    : settings(s), first(n_parameters), second(n_parameters) {
  std::size_t n_bases = 0, plain_from = 0;
  const auto side = [&](std::ptrdiff_t n) {
    if (n == 1 || n > settings.max_side) return Side{n, absent};
    const std::size_t at = n_bases;
    n_bases += 2 * static_cast<std::size_t>(n * n);
    return Side{n, at};
  };
  std::vector<LayerLayout> sorted = layers;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.w < b.w; });
  for (const LayerLayout& layer : sorted) {
    const Side rows = side(layer.n_in), columns = side(layer.n_out);
    if (rows.at == absent && columns.at == absent) continue;  // stays plain
    if (plain_from < layer.w) plain_.emplace_back(plain_from, layer.w);
    matrices_.push_back({layer.w, rows, columns});
    plain_from = layer.w + static_cast<std::size_t>(layer.n_in * layer.n_out);
  }
  if (plain_from < n_parameters) plain_.emplace_back(plain_from, n_parameters);
  bases.resize(n_bases);
}

template <typename T>
void Soap<T>::step_plain(std::size_t begin, std::size_t end, double rate, T* parameters, T* gradient) {
  using Part = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
  const auto n = static_cast<Eigen::Index>(end - begin);
  const auto t = static_cast<double>(updates);
  Part p(parameters + begin, n), g(gradient + begin, n), m(first.data() + begin, n),
      v(second.data() + begin, n);
  m += static_cast<T>(1 - settings.beta1) * (g - m);
  v += static_cast<T>(1 - settings.beta2) * (g.square() - v);
  const auto root = static_cast<T>(1 / std::sqrt(1 - std::pow(settings.beta2, t)));
  p -= static_cast<T>(rate / (1 - std::pow(settings.beta1, t))) * m /
       (v.sqrt() * root + static_cast<T>(settings.epsilon));
}

template <typename T>
void Soap<T>::step_matrix(const Matrix& matrix, double rate, T* parameters, T* gradient) {
  const Side& r = matrix.rows;
  const Side& c = matrix.columns;
  View<T> w(parameters + matrix.w, r.n, c.n), g(gradient + matrix.w, r.n, c.n);
  View<T> m(first.data() + matrix.w, r.n, c.n), v(second.data() + matrix.w, r.n, c.n);
  const auto average = [&](const Side& s) { return View<T>(bases.data() + s.at, s.n, s.n); };
  const auto vectors = [&](const Side& s) { return View<T>(bases.data() + s.at + s.n * s.n, s.n, s.n); };
  const auto rotated = [&](MatrixOf<T> x) {
    if (r.at != absent) x = vectors(r).transpose() * x;
    if (c.at != absent) x = x * vectors(c);
    return x;
  };
  const auto rotated_back = [&](MatrixOf<T> x) {
    if (r.at != absent) x = vectors(r) * x;
    if (c.at != absent) x = x * vectors(c).transpose();
    return x;
  };
  const auto b1 = static_cast<T>(1 - settings.beta1), b2 = static_cast<T>(1 - settings.beta2);
  if (updates > 1) {
    const auto t = static_cast<double>(updates);
    const MatrixOf<T> turned = rotated(g);
    m += b1 * (turned - m);
    v.array() += b2 * (turned.array().square() - v.array());
    const auto root = static_cast<T>(1 / std::sqrt(1 - std::pow(settings.beta2, t - 1)));
    const auto scale = static_cast<T>(rate / (1 - std::pow(settings.beta1, t)));
    const auto most = static_cast<T>(rate * largest_step(settings));
    const auto step = scale * m.array() / (v.array().sqrt() * root + static_cast<T>(settings.epsilon));
    w -= rotated_back(step.max(-most).min(most));
  }
  if (updates != 1 && updates % static_cast<std::uint64_t>(settings.refresh_every) != 0) return;
  const MatrixOf<T> mean = updates == 1 ? MatrixOf<T>(b1 * g) : rotated_back(m);
  const auto share = static_cast<T>(updates == 1 ? 1 : 1 - settings.shampoo_beta);
  if (r.at != absent) {
    average(r) += share * (g * g.transpose() - average(r));
    refresh<T>(average(r), vectors(r), updates == 1);
  }
  if (c.at != absent) {
    average(c) += share * (g.transpose() * g - average(c));
    refresh<T>(average(c), vectors(c), updates == 1);
  }
  m = rotated(mean);
}

/// In multiplications: the sweeps of Adam, the products there and back, and the share of a refresh with its
/// QR in a step. The factors are rough; they only balance processes.
template <typename T>
double Soap<T>::Matrix::cost(const SoapSettings& settings) const {
  const auto side = [](const Side& s) { return s.at == absent ? 0.0 : static_cast<double>(s.n); };
  const auto area = static_cast<double>(rows.n * columns.n);
  const double r = side(rows), c = side(columns);
  return area * (20 + 2 * (r + c)) +
         (3 * area * (r + c) + 10 * (r * r * r + c * c * c)) / settings.refresh_every;
}

template <typename T>
std::vector<UpdateUnit> Soap<T>::units(int /*n*/) const {
  std::vector<UpdateUnit> units;
  std::size_t bases_at = 0;
  for (const Matrix& matrix : matrices_) {
    UpdateUnit unit;
    unit.begin = units.empty() ? 0 : matrix.w;
    unit.cost = matrix.cost(settings);
    unit.bases_begin = bases_at;
    for (const Side& s : {matrix.rows, matrix.columns})
      if (s.at != absent) bases_at += 2 * static_cast<std::size_t>(s.n * s.n);
    unit.bases_end = bases_at;
    if (!units.empty()) units.back().end = unit.begin;
    units.push_back(unit);
  }
  if (units.empty()) units.emplace_back();
  units.back().end = first.size();
  for (UpdateUnit& unit : units) unit.cost += 20 * static_cast<double>(unit.end - unit.begin);
  return units;
}

template <typename T>
void Soap<T>::move_only(const std::vector<UpdateUnit>& mine) {
  const auto away = [&](std::size_t at) {
    return std::none_of(mine.begin(), mine.end(),
                        [&](const UpdateUnit& u) { return u.begin <= at && at < u.end; });
  };
  std::erase_if(matrices_, [&](const Matrix& matrix) { return away(matrix.w); });
  std::erase_if(plain_, [&](const auto& range) { return away(range.first); });
}

template <typename T>
void Soap<T>::update(double learning_rate, T* parameters, T* gradient,
                     const std::vector<unsigned char>& trained, int threads) {
  updates += 1;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    if (trained[i] == 0) gradient[i] = 0;
  }
  parallel_dynamic(matrices_.size() + plain_.size(), threads, [&](std::size_t k, int) {
    if (k < matrices_.size()) {
      step_matrix(matrices_[k], learning_rate, parameters, gradient);
    } else {
      const auto& [begin, end] = plain_[k - matrices_.size()];
      step_plain(begin, end, learning_rate, parameters, gradient);
    }
  });
  std::fill(gradient, gradient + first.size(), T(0));
}

template struct Soap<float>;
template struct Soap<double>;

}  // namespace solion::nn
