// Making the tables: exact derivatives at the nodes, errors measured between them.
#include "solion/dp/tables.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

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

using JetRows = nn::Matrix<double>;  ///< G, G', G'' of all channels

struct Errors {
  double value = 0, slope = 0;
  void include(const Errors& other) {
    value = std::max(value, other.value);
    slope = std::max(slope, other.slope);
  }
};

/// The net on the range of its table: what is exact, and how far off a polynomial is.
class Target {
 public:
  Target(const nn::Network& network, double low, double high, const TableBound& bound)
      : network_(network), low_(low), width_(high - low), bound_(bound) {
    Errors largest;
    constexpr int places = 256;
    for (int k = 0; k <= places; ++k) {
      const JetRows exact = at(k / static_cast<double>(places));
      largest.include({exact.row(0).cwiseAbs().maxCoeff(), exact.row(1).cwiseAbs().maxCoeff()});
    }
    // The slope of a nearly constant net is measured by its value; a net of zeros has no error.
    constexpr double tiny = 1e-300;
    value_scale_ = std::max(largest.value, tiny);
    slope_scale_ = std::max({largest.slope, largest.value / width_, tiny});
  }

  /// The jet at a place in [0, 1] of the range.
  [[nodiscard]] JetRows at(double place) const { return embedding_jet(network_, low_ + width_ * place); }

  /// Relative errors at the quarters of the interval [place, place + share] of the range with these ends.
  [[nodiscard]] Errors errors(double place, double share, const JetRows& left, const JetRows& middle,
                              const JetRows& right) const {
    const double h = share * width_;
    Errors error = difference(0.5, h, left, right, middle);
    for (const double t : {0.25, 0.75}) error.include(difference(t, h, left, right, at(place + t * share)));
    return {error.value / value_scale_, error.slope / slope_scale_};
  }
  /// NaN does not.
  [[nodiscard]] bool reached(const Errors& error) const {
    return error.value <= bound_.value && error.slope <= bound_.slope;
  }
  /// 2^level intervals on the whole range are too many.
  [[nodiscard]] bool too_fine(int level) const { return (std::int64_t{1} << level) > bound_.finest; }
  [[nodiscard]] double width() const { return width_; }

 private:
  static Errors difference(double t, double h, const JetRows& left, const JetRows& right,
                           const JetRows& exact) {
    const HermiteWeights<double> w = hermite(t, 1 / h);
    const auto off = [&](const double* weight, int row) {
      return (weight[0] * left.row(0) + weight[1] * h * left.row(1) + weight[2] * h * h * left.row(2) +
              weight[3] * right.row(0) + weight[4] * h * right.row(1) + weight[5] * h * h * right.row(2) -
              exact.row(row))
          .cwiseAbs()
          .template maxCoeff<Eigen::PropagateNaN>();
    };
    return {off(w.value, 0), off(w.slope, 1)};
  }

  const nn::Network& network_;
  double low_, width_;
  TableBound bound_;
  double value_scale_ = 0, slope_scale_ = 0;
};

/// An interval that is fine enough: the k-th of 2^level equal ones.
struct Leaf {
  int level, k;
};

/// Halves the k-th of 2^level intervals until every part reaches the bound; false if one never does.
bool halve(const Target& target, int level, int k, const JetRows& left, const JetRows& right,
           std::vector<Leaf>& leaves) {
  const double share = std::ldexp(1.0, -level), place = k * share;
  const JetRows middle = target.at(place + share / 2);
  if (target.reached(target.errors(place, share, left, middle, right))) {
    leaves.push_back({level, k});
    return true;
  }
  return !target.too_fine(level + 1) && halve(target, level + 1, 2 * k, left, middle, leaves) &&
         halve(target, level + 1, 2 * k + 1, middle, right, leaves);
}

/// For 2^level segments: how often each must be halved so that no interval is longer than its leaf.
std::vector<int> halvings(const std::vector<Leaf>& leaves, int level) {
  std::vector<int> most(std::size_t{1} << level, 0);
  for (const Leaf& leaf : leaves) {
    if (leaf.level < level) continue;
    int& here = most[static_cast<std::size_t>(leaf.k >> (leaf.level - level))];
    here = std::max(here, leaf.level - level);
  }
  return most;
}

/// Of all numbers of segments the one with fewest nodes. More than `most_level` would crowd the first-level
/// cache with what the segments need to be found.
std::vector<int> best_halvings(const std::vector<Leaf>& leaves) {
  constexpr int most_level = 7;
  std::vector<int> best;
  std::int64_t fewest = 0;
  for (int level = 0; level <= most_level; ++level) {
    std::vector<int> each = halvings(leaves, level);
    std::int64_t nodes = 0;
    for (const int times : each) nodes += (std::int64_t{1} << times) + 1;
    if (!best.empty() && nodes >= fewest) continue;
    fewest = nodes;
    best = std::move(each);
  }
  return best;
}

/// Appends the nodes of n intervals in [place, place + width] of the range; the errors between them.
template <typename T>
Errors fill(const Target& target, double place, double width, int n, Table<T>& table) {
  const double share = width / n, h = share * target.width();
  const int stride = table.stride;
  Errors errors;
  JetRows left;
  for (int k = 0; k <= n; ++k) {
    JetRows jet = target.at(place + share * k);
    const std::size_t begin = table.nodes.size();
    table.nodes.resize(begin + 3 * static_cast<std::size_t>(stride), T(0));
    T* out = table.nodes.data() + begin;
    for (Eigen::Index c = 0; c < jet.cols(); ++c) {
      out[c] = static_cast<T>(jet(0, c));
      out[stride + c] = static_cast<T>(h * jet(1, c));
      out[2 * stride + c] = static_cast<T>(h * h * jet(2, c));
    }
    if (k > 0) {
      const double begins = place + share * (k - 1);
      errors.include(target.errors(begins, share, left, target.at(begins + share / 2), jet));
    }
    left = std::move(jet);
  }
  return errors;
}

}  // namespace

template <typename T>
Table<T> make_table(const nn::Network& network, double low, double high, int stride,
                    const TableBound& bound) {
  Table<T> table;
  table.stride = stride;
  const Target target(network, low, high, bound);
  // A coarse start, so that no feature of the net hides between the places looked at.
  constexpr int start_level = 4;
  std::vector<Leaf> leaves;
  for (int k = 0; k < 1 << start_level; ++k) {
    const double share = std::ldexp(1.0, -start_level);
    if (!halve(target, start_level, k, target.at(k * share), target.at((k + 1) * share), leaves))
      return table;
  }
  const std::vector<int> times = best_halvings(leaves);
  const double width = 1.0 / static_cast<double>(times.size());
  int intervals = 0;
  Errors errors;
  for (std::size_t s = 0; s < times.size(); ++s) {
    const std::size_t begin = table.nodes.size();
    for (int n = 1 << times[s];; n *= 2) {
      const Errors here = fill(target, width * static_cast<double>(s), width, n, table);
      if (target.reached(here)) {
        table.first.push_back(static_cast<T>(intervals + static_cast<int>(s)));
        table.splits.push_back(static_cast<T>(n));
        intervals += n;
        errors.include(here);
        break;
      }
      // A longer interval reached it by luck at its quarters.
      if (2 * n > width * bound.finest) return table;
      table.nodes.resize(begin);
    }
  }
  table.low = static_cast<T>(low);
  table.inverse_width = static_cast<T>(1 / (width * target.width()));
  table.intervals = intervals;
  table.value_error = errors.value;
  table.slope_error = errors.slope;
  return table;
}

template Table<float> make_table(const nn::Network&, double, double, int, const TableBound&);
template Table<double> make_table(const nn::Network&, double, double, int, const TableBound&);

}  // namespace solion::dp
