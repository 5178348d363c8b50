// Making the tables: exact derivatives at the nodes, errors measured between them.
#include "solion/dp/tables.hpp"

#include <algorithm>
#include <cmath>

#include "solion/dp/activation.hpp"

namespace solion::dp {

nn::Matrix<double> embedding_jet(const nn::Network& network, double x) {
  nn::Matrix<double> jet(3, 1);
  jet << x, 1, 0;
  for (const nn::Layer& layer : network.layers) {
    nn::Matrix<double> next = jet * layer.w;
    if (layer.b.size() > 0) next.row(0) += layer.b;
    for (Eigen::Index k = 0; k < next.cols(); ++k) {
      const Jet phi = activate(layer.activation, next(0, k));
      const double idt = layer.idt.size() > 0 ? layer.idt[k] : 1.0;
      const double h1 = next(1, k);
      next(0, k) = phi.value * idt;
      next(1, k) = phi.first * h1 * idt;
      next(2, k) = (phi.second * h1 * h1 + phi.first * next(2, k)) * idt;
    }
    if (layer.skip() == 1) next += jet;
    if (layer.skip() == 2) {
      next.leftCols(jet.cols()) += jet;
      next.rightCols(jet.cols()) += jet;
    }
    jet = std::move(next);
  }
  return jet;
}

namespace {

/// All jets on a grid of n + 1 places, made by refining: the even places are known from the grid before.
class Grid {
 public:
  Grid(const nn::Network& network, double low, double high, int n)
      : network_(network), low_(low), high_(high) {
    for (int k = 0; k <= n; ++k) jets_.push_back(embedding_jet(network_, place(k, n)));
  }
  void refine() {
    const int n = 2 * intervals();
    std::vector<nn::Matrix<double>> finer;
    finer.reserve(static_cast<std::size_t>(n) + 1);
    for (int k = 0; k <= n; ++k) {
      finer.push_back(k % 2 == 0 ? std::move(jets_[static_cast<std::size_t>(k / 2)])
                                 : embedding_jet(network_, place(k, n)));
    }
    jets_ = std::move(finer);
  }
  [[nodiscard]] int intervals() const { return static_cast<int>(jets_.size()) - 1; }
  [[nodiscard]] const nn::Matrix<double>& at(int k) const { return jets_[static_cast<std::size_t>(k)]; }

 private:
  [[nodiscard]] double place(int k, int n) const { return low_ + (high_ - low_) * k / n; }
  const nn::Network& network_;
  double low_, high_;
  std::vector<nn::Matrix<double>> jets_;
};

struct Errors {
  double value = 0, slope = 0;
};

/// The errors of the table whose nodes are every fourth place of the grid, at the places between.
Errors errors_of(const Grid& grid, double h) {
  Errors error, largest;
  for (int k = 0; k < grid.intervals(); ++k) {
    const auto& exact = grid.at(k);
    largest.value = std::max(largest.value, exact.row(0).cwiseAbs().maxCoeff());
    largest.slope = std::max(largest.slope, exact.row(1).cwiseAbs().maxCoeff());
    if (k % 4 == 0) continue;
    const auto& a = grid.at(k / 4 * 4);
    const auto& b = grid.at(k / 4 * 4 + 4);
    const HermiteWeights<double> w = hermite(k % 4 / 4.0, 1 / h);
    const auto mix = [&](const double* weight) {
      return (weight[0] * a.row(0) + weight[1] * h * a.row(1) + weight[2] * h * h * a.row(2) +
              weight[3] * b.row(0) + weight[4] * h * b.row(1) + weight[5] * h * h * b.row(2))
          .eval();
    };
    error.value = std::max(error.value, (mix(w.value) - exact.row(0)).cwiseAbs().maxCoeff());
    error.slope = std::max(error.slope, (mix(w.slope) - exact.row(1)).cwiseAbs().maxCoeff());
  }
  // The slope of a nearly constant net is measured by its value; a net of zeros has no error.
  const double slope = std::max(largest.slope, largest.value / (h * grid.intervals() / 4));
  constexpr double tiny = 1e-300;
  return {error.value / std::max(largest.value, tiny), error.slope / std::max(slope, tiny)};
}

}  // namespace

template <typename T>
Table<T> make_table(const nn::Network& network, double low, double high, int stride,
                    const TableBound& bound) {
  Table<T> table;
  table.stride = stride;
  for (Grid grid(network, low, high, 64);; grid.refine()) {
    const int n = grid.intervals() / 4;
    const double h = (high - low) / n;
    const Errors errors = errors_of(grid, h);
    table.value_error = errors.value;
    table.slope_error = errors.slope;
    if (!(errors.value <= bound.value) || !(errors.slope <= bound.slope)) {
      if (2 * n > bound.most_nodes) return table;
      continue;
    }
    table.low = static_cast<T>(low);
    table.inverse_h = static_cast<T>(1 / h);
    table.intervals = n;
    table.nodes.assign(static_cast<std::size_t>(n + 1) * 3 * static_cast<std::size_t>(stride), T(0));
    for (int k = 0; k <= n; ++k) {
      const auto& jet = grid.at(4 * k);
      T* out = table.nodes.data() + static_cast<std::ptrdiff_t>(k) * 3 * stride;
      for (Eigen::Index c = 0; c < jet.cols(); ++c) {
        out[c] = static_cast<T>(jet(0, c));
        out[stride + c] = static_cast<T>(h * jet(1, c));
        out[2 * stride + c] = static_cast<T>(h * h * jet(2, c));
      }
    }
    return table;
  }
}

template Table<float> make_table(const nn::Network&, double, double, int, const TableBound&);
template Table<double> make_table(const nn::Network&, double, double, int, const TableBound&);

}  // namespace solion::dp
