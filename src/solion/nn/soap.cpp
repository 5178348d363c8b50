// SOAP: rotation, Adam, rotation back; a power step with QR keeps the eigenvectors fresh.
#include "solion/nn/soap.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "solion/base/threads.hpp"
#include "solion/nn/adam.hpp"

namespace solion::nn {
namespace {

template <typename T>
using MatrixOf = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using View = Eigen::Map<MatrixOf<T>>;
template <typename T>
using ConstView = Eigen::Map<const MatrixOf<T>>;

/// Rows of a slice: so few that many processes get about the same, enough for the products.
constexpr std::ptrdiff_t slice_rows = 160;

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
    add_matrix({layer.w, rows, columns});
    plain_from = layer.w + static_cast<std::size_t>(layer.n_in * layer.n_out);
  }
  if (plain_from < n_parameters) plain_.emplace_back(plain_from, n_parameters);
  bases.resize(n_bases);
}

template <typename T>
void Soap<T>::add_matrix(const Matrix& matrix) {
  const std::ptrdiff_t rows = matrix.rows.n;
  const std::ptrdiff_t n = matrix.rows.at == absent ? (rows + slice_rows - 1) / slice_rows : 1;
  for (std::ptrdiff_t k = 0; k < n; ++k) slices_.push_back({matrix, rows * k / n, rows * (k + 1) / n});
  if (matrix.rows.at != absent) turned_.push_back({matrix, matrix.rows, true});
  if (matrix.columns.at != absent) turned_.push_back({matrix, matrix.columns, false});
}

template <typename T>
void Soap<T>::step_plain(std::size_t begin, std::size_t end, double rate, T* parameters, const T* gradient) {
  const AdamSettings adam{.beta1 = settings.beta1, .beta2 = settings.beta2, .epsilon = settings.epsilon};
  adam_step(adam, rate, updates, static_cast<std::ptrdiff_t>(end - begin), parameters + begin,
            gradient + begin, first.data() + begin, second.data() + begin);
}

/// x' = Q_Lᵀ x Q_R and back, for the sides that are turned.
template <typename T>
struct Soap<T>::Turning {
  const Side& rows;
  const Side& columns;
  const T* bases;

  [[nodiscard]] ConstView<T> vectors(const Side& s) const { return {bases + s.at + s.n * s.n, s.n, s.n}; }
  [[nodiscard]] MatrixOf<T> there(MatrixOf<T> x) const {
    if (rows.at != absent) x = vectors(rows).transpose() * x;
    if (columns.at != absent) x = x * vectors(columns);
    return x;
  }
  [[nodiscard]] MatrixOf<T> back(MatrixOf<T> x) const {
    if (rows.at != absent) x = vectors(rows) * x;
    if (columns.at != absent) x = x * vectors(columns).transpose();
    return x;
  }
};

template <typename T>
void Soap<T>::step_slice(const Slice& slice, double rate, T* parameters, const T* gradient) {
  const std::ptrdiff_t n_rows = slice.end - slice.begin, n_columns = slice.of.columns.n;
  const ConstView<T> g(gradient + slice.first(), n_rows, n_columns);
  View<T> w(parameters + slice.first(), n_rows, n_columns);
  View<T> m(first.data() + slice.first(), n_rows, n_columns);
  View<T> v(second.data() + slice.first(), n_rows, n_columns);
  const Turning turning{slice.of.rows, slice.of.columns, bases.data()};
  const auto b1 = static_cast<T>(1 - settings.beta1), b2 = static_cast<T>(1 - settings.beta2);
  if (updates == 1) {
    m = b1 * g;
    return;
  }
  const auto t = static_cast<double>(updates);
  const MatrixOf<T> turned = turning.there(g);
  m += b1 * (turned - m);
  v.array() += b2 * (turned.array().square() - v.array());
  const auto root = static_cast<T>(1 / std::sqrt(1 - std::pow(settings.beta2, t - 1)));
  const auto scale = static_cast<T>(rate / (1 - std::pow(settings.beta1, t)));
  const auto most = static_cast<T>(rate * largest_step(settings));
  const auto step = scale * m.array() / (v.array().sqrt() * root + static_cast<T>(settings.epsilon));
  w -= turning.back(step.max(-most).min(most));
  if (bases_are_due()) m = turning.back(m);  // `turn` brings it into the new bases
}

template <typename T>
void Soap<T>::turn_slice(const Slice& slice) {
  View<T> m(first.data() + slice.first(), slice.end - slice.begin, slice.of.columns.n);
  m = Turning{slice.of.rows, slice.of.columns, bases.data()}.there(m);
}

template <typename T>
void Soap<T>::improve_base(const Base& base, const T* gradient) {
  const std::ptrdiff_t n = base.side.n;
  const ConstView<T> g(gradient + base.of.w, base.of.rows.n, base.of.columns.n);
  View<T> average(bases.data() + base.side.at, n, n), vectors(bases.data() + base.side.at + n * n, n, n);
  const auto share = static_cast<T>(updates == 1 ? 1 : 1 - settings.shampoo_beta);
  if (base.of_rows) {
    average += share * (g * g.transpose() - average);
  } else {
    average += share * (g.transpose() * g - average);
  }
  refresh<T>(average, vectors, updates == 1);
}

/// The sweeps of Adam and the products there and back, and the share of `turn` in a step. The factors are
/// rough; they only balance processes.
template <typename T>
std::vector<UpdateUnit> Soap<T>::units() const {
  std::vector<UpdateUnit> units;
  for (const Slice& slice : slices_) {
    const auto turned = [](const Side& s) { return s.at == absent ? 0.0 : static_cast<double>(s.n); };
    const double sides = turned(slice.of.rows) + turned(slice.of.columns);
    const auto area = static_cast<double>((slice.end - slice.begin) * slice.of.columns.n);
    units.push_back({slice.first(), 0, area * 2 * sides * (1 + 1.0 / settings.refresh_every)});
  }
  return units_between(std::move(units), first.size());
}

template <typename T>
std::vector<UpdateUnit> Soap<T>::bases_units() const {
  std::vector<UpdateUnit> units;
  for (const Base& base : turned_) {
    const auto n = static_cast<double>(base.side.n);
    const auto area = static_cast<double>(base.of.rows.n * base.of.columns.n);
    const auto size = 2 * static_cast<std::size_t>(base.side.n * base.side.n);
    units.push_back({base.side.at, base.side.at + size, area * n + 10 * n * n * n});
  }
  return units;
}

template <typename T>
void Soap<T>::do_only(const std::vector<UpdateUnit>& mine, const std::vector<UpdateUnit>& my_bases) {
  std::erase_if(slices_, [&](const Slice& slice) { return !have(mine, slice.first()); });
  std::erase_if(plain_, [&](const auto& range) { return !have(mine, range.first); });
  std::erase_if(turned_, [&](const Base& base) { return !have(my_bases, base.side.at); });
}

template <typename T>
bool Soap<T>::step(double learning_rate, T* parameters, T* gradient,
                   const std::vector<unsigned char>& trained, int threads) {
  updates += 1;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    if (trained[i] == 0) gradient[i] = first[i] = 0;
  }
  parallel_dynamic(slices_.size() + plain_.size(), threads, [&](std::size_t k, int) {
    if (k < slices_.size()) {
      step_slice(slices_[k], learning_rate, parameters, gradient);
    } else {
      const auto& [begin, end] = plain_[k - slices_.size()];
      step_plain(begin, end, learning_rate, parameters, gradient);
    }
  });
  return bases_are_due();
}

template <typename T>
void Soap<T>::improve(const T* gradient, int threads) {
  parallel_dynamic(turned_.size(), threads, [&](std::size_t k, int) { improve_base(turned_[k], gradient); });
}

template <typename T>
void Soap<T>::turn(int threads) {
  parallel_dynamic(slices_.size(), threads, [&](std::size_t k, int) { turn_slice(slices_[k]); });
}

template <typename T>
void Soap<T>::update(double learning_rate, T* parameters, T* gradient,
                     const std::vector<unsigned char>& trained, int threads) {
  if (!step(learning_rate, parameters, gradient, trained, threads)) return;
  improve(gradient, threads);
  turn(threads);
}

template struct Soap<float>;
template struct Soap<double>;

}  // namespace solion::nn
