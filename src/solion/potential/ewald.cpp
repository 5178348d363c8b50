// Ewald parameters from an accuracy, and the reciprocal sum as matrix products over atoms.
#if defined(__GNUC__) && !defined(__clang__)
// False alarms of GCC 12 about its own AVX-512 headers, under Eigen's products.
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "solion/potential/ewald.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <span>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"

namespace solion {
namespace {

using constants::pi;

/// The x in (0, high) where the falling function f reaches `target`.
template <typename F>
double solve_falling(const F& f, double target, double low, double high) {
  for (int step = 0; step < 100; ++step) {
    const double middle = 0.5 * (low + high);
    (f(middle) > target ? low : high) = middle;
  }
  return high;
}

/// Time of one pair in real space (with its share of the list) over the time of one (wave vector, atom) in
/// reciprocal space: 27 ns and 0.84 ns with 320 and 1080 ions on AVX-512. It enters as its sixth root.
constexpr double pair_over_wave = 32.0;

}  // namespace

EwaldPlan plan_ewald(std::size_t n_atoms, double charge2, double volume, double accuracy, double r_cut) {
  if (!(accuracy >= 1e-14 && accuracy <= 1e-2))
    throw InputError("Ewald sum: relative accuracy {}; expected 1e-14 to 1e-2", accuracy);
  if (!(r_cut > 0)) throw InputError("Ewald sum: cutoff {} Å; expected a positive one", r_cut);
  EwaldPlan plan;
  plan.r_cut = r_cut;
  const auto n = static_cast<double>(n_atoms);
  const double q2 = std::max(charge2, 1e-12);
  // Kolafa and Perram, equations (18) and (32) for the forces, with L = V^(1/3).
  const double side = std::cbrt(volume);
  const auto real = [&](double alpha) {
    return 2 * q2 / std::sqrt(n * r_cut * volume) * std::exp(-alpha * alpha * r_cut * r_cut);
  };
  plan.alpha = std::max(solve_falling(real, accuracy, 0.0, 20.0 / r_cut), 1.0 / r_cut);
  const auto reciprocal = [&](double k) {
    return 2 * q2 * plan.alpha / side * std::sqrt(2 / (k * side * n)) *
           std::exp(-k * k / (4 * plan.alpha * plan.alpha));
  };
  plan.k_cut =
      std::max(solve_falling(reciprocal, accuracy, 1e-6 * plan.alpha, 20.0 * plan.alpha), 2 * plan.alpha);
  return plan;
}

EwaldPlan plan_ewald(std::size_t n_atoms, double charge2, double volume, double accuracy) {
  // Theory, equation (6): the r_cut at which both parts cost the same.
  const double s = std::sqrt(-std::log(std::clamp(accuracy, 1e-14, 1e-2)));
  const double r = s / std::sqrt(pi) *
                   std::pow(volume * volume / (static_cast<double>(n_atoms) * pair_over_wave), 1.0 / 6.0);
  return plan_ewald(n_atoms, charge2, volume, accuracy, std::max(3.0, 0.5 * std::ceil(2 * r)));
}

void EwaldReciprocal::choose_columns(const Cell& cell, const EwaldPlan& plan) {
  if (cell.matrix() == cell_ && plan.alpha == alpha_ && plan.k_cut == k_cut_) return;
  cell_ = cell.matrix();
  alpha_ = plan.alpha;
  k_cut_ = plan.k_cut;
  reciprocal_ = 2 * pi * cell_.inverse().transpose();
  // n_a = k·a/2π, so |n_a| ≤ k_cut·|a|/2π.
  for (int a = 0; a < 3; ++a) {
    n_max_[static_cast<std::size_t>(a)] =
        static_cast<int>(std::floor(k_cut_ * cell_.row(a).norm() / (2 * pi)));
  }
  columns_.clear();
  plus_.clear();
  minus_.clear();
  const double factor = 4 * pi / cell.volume();  // half of all wave vectors, counted twice
  const auto coefficient = [&](int n1, int n2, int n3) {
    const double k2 =
        (n1 * reciprocal_.row(0) + n2 * reciprocal_.row(1) + n3 * reciprocal_.row(2)).squaredNorm();
    return k2 < k_cut_ * k_cut_ ? factor * std::exp(-k2 / (4 * alpha_ * alpha_)) / k2 : 0.0;
  };
  for (int n1 = 0; n1 <= n_max_[0]; ++n1) {
    for (int n2 = n1 == 0 ? 0 : -n_max_[1]; n2 <= n_max_[1]; ++n2) {
      const bool axis = n1 == 0 && n2 == 0;
      Column column{n1, n2, -1, plus_.size()};
      for (int n3 = 0; n3 <= n_max_[2]; ++n3) {
        plus_.push_back(axis && n3 == 0 ? 0.0 : coefficient(n1, n2, n3));
        minus_.push_back(axis || n3 == 0 ? 0.0 : coefficient(n1, n2, -n3));
        if (plus_.back() != 0 || minus_.back() != 0) column.m = n3;
      }
      if (column.m >= 0) columns_.push_back(column);
    }
  }
  // Columns of about equal length make one block.
  std::stable_sort(columns_.begin(), columns_.end(),
                   [](const Column& a, const Column& b) { return a.m > b.m; });
}

void EwaldReciprocal::make_phases(const Cell& cell, const std::vector<Vec3>& positions) {
  const auto n = static_cast<Eigen::Index>(positions.size());
  for (std::size_t a = 0; a < 3; ++a) phases_[a].resize(n, 2 * (n_max_[a] + 1));
  for (Eigen::Index i = 0; i < n; ++i) {
    const Vec3 f = cell.to_fractional(positions[static_cast<std::size_t>(i)]);
    for (std::size_t a = 0; a < 3; ++a) {
      const double x = f[static_cast<int>(a)];
      const std::complex<double> one = std::polar(1.0, 2 * pi * (x - std::floor(x)));
      std::complex<double> power = 1.0;
      for (Eigen::Index m = 0; m <= n_max_[a]; ++m) {
        phases_[a](i, 2 * m) = power.real();
        phases_[a](i, 2 * m + 1) = power.imag();
        power *= one;
      }
    }
  }
}

void EwaldReciprocal::add_block(std::span<const Column> columns, const Eigen::VectorXd& charges,
                                Share& share) const {
  const auto n_columns = static_cast<Eigen::Index>(columns.size());
  const Eigen::Index rows = 2 * (columns.front().m + 1);
  const Eigen::Index n = charges.size();
  // exp(i(n1·x1 + n2·x2)) of every atom: real parts, then imaginary parts.
  share.phase.resize(n, 2 * n_columns);
  for (Eigen::Index c = 0; c < n_columns; ++c) {
    const Column& column = columns[static_cast<std::size_t>(c)];
    const auto cos1 = phases_[0].col(2 * column.n1).array();
    const auto sin1 = phases_[0].col(2 * column.n1 + 1).array();
    const auto cos2 = phases_[1].col(2 * std::abs(column.n2)).array();
    const auto sin2 = phases_[1].col(2 * std::abs(column.n2) + 1).array();
    const double sign = column.n2 < 0 ? -1.0 : 1.0;
    share.phase.col(c) = cos1 * cos2 - sign * (sin1 * sin2);
    share.phase.col(n_columns + c) = sin1 * cos2 + sign * (cos1 * sin2);
  }
  // Σ_atoms q·(cos, sin of n3·x3)·(real, imaginary part above); both signs of n3 follow from the four.
  const auto third = phases_[2].leftCols(rows);
  share.fields.resize(n, 4 * n_columns);
  share.fields.leftCols(2 * n_columns).noalias() = charges.asDiagonal() * share.phase;
  share.sums.resize(rows, 2 * n_columns);
  share.sums.noalias() = third.transpose() * share.fields.leftCols(2 * n_columns);
  // Weights by which an atom's cos, sin of n3·x3 give Σ c·S*·exp(i·n3·x3) (re, im) and the same times n3.
  share.weights.setZero(rows, 4 * n_columns);
  for (Eigen::Index c = 0; c < n_columns; ++c) {
    const Column& column = columns[static_cast<std::size_t>(c)];
    for (int m = 0; m <= column.m; ++m) {
      const double cr = share.sums(2 * m, c), ci = share.sums(2 * m, n_columns + c);
      const double sr = share.sums(2 * m + 1, c), si = share.sums(2 * m + 1, n_columns + c);
      const std::size_t at = column.first + static_cast<std::size_t>(m);
      const std::complex<double> up(cr - si, ci + sr), down(cr + si, ci - sr);
      const std::complex<double> t_up = plus_[at] * std::conj(up), t_down = minus_[at] * std::conj(down);
      const std::complex<double> even = t_up + t_down, odd = t_up - t_down;
      share.weights(2 * m, c) = even.real();
      share.weights(2 * m + 1, c) = -odd.imag();
      share.weights(2 * m, n_columns + c) = even.imag();
      share.weights(2 * m + 1, n_columns + c) = odd.real();
      share.weights(2 * m, 2 * n_columns + c) = m * odd.real();
      share.weights(2 * m + 1, 2 * n_columns + c) = -m * even.imag();
      share.weights(2 * m, 3 * n_columns + c) = m * odd.imag();
      share.weights(2 * m + 1, 3 * n_columns + c) = m * even.real();
      for (const int sign : {1, -1}) {
        const double e = sign > 0 ? plus_[at] * std::norm(up) : minus_[at] * std::norm(down);
        if (e == 0) continue;
        const Vec3 k =
            (column.n1 * reciprocal_.row(0) + column.n2 * reciprocal_.row(1) + sign * m * reciprocal_.row(2))
                .transpose();
        share.energy += e;
        share.virial += e * (Mat3::Identity() -
                             2 * (1 / k.squaredNorm() + 1 / (4 * alpha_ * alpha_)) * Mat3(k * k.transpose()));
      }
    }
  }
  share.fields.noalias() = third * share.weights;
  for (Eigen::Index c = 0; c < n_columns; ++c) {
    const Column& column = columns[static_cast<std::size_t>(c)];
    const auto re = share.phase.col(c).array(), im = share.phase.col(n_columns + c).array();
    const auto re0 = share.fields.col(c).array(), im0 = share.fields.col(n_columns + c).array();
    const auto re3 = share.fields.col(2 * n_columns + c).array();
    const auto im3 = share.fields.col(3 * n_columns + c).array();
    share.atoms.col(0).array() += re * re0 - im * im0;
    share.atoms.col(1).array() += column.n1 * (re * im0 + im * re0);
    share.atoms.col(2).array() += column.n2 * (re * im0 + im * re0);
    share.atoms.col(3).array() += re * im3 + im * re3;
  }
}

void EwaldReciprocal::evaluate(const Cell& cell, const std::vector<Vec3>& positions,
                               const std::vector<double>& charges, const EwaldPlan& plan, int threads,
                               Result& result) {
  const std::size_t n = positions.size();
  choose_columns(cell, plan);
  make_phases(cell, positions);
  const Eigen::VectorXd q = Eigen::Map<const Eigen::VectorXd>(charges.data(), static_cast<Eigen::Index>(n));
  parallel_dynamic(n_shares, threads, [&](std::size_t s, int) {
    Share& share = shares_[s];
    share.atoms.setZero(static_cast<Eigen::Index>(n), 4);
    share.energy = 0;
    share.virial.setZero();
    for (std::size_t first = s * block; first < columns_.size(); first += n_shares * block) {
      const std::size_t count = std::min(block, columns_.size() - first);
      add_block(std::span(columns_).subspan(first, count), q, share);
    }
  });
  result.energy = 0;
  result.virial.setZero();
  result.energies.resize(n);
  result.forces.resize(n);
  for (std::size_t s = 1; s < n_shares; ++s) shares_[0].atoms += shares_[s].atoms;
  for (const Share& share : shares_) {
    result.energy += share.energy;
    result.virial += share.virial;
  }
  const double self = plan.alpha / std::sqrt(pi);
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = shares_[0].atoms.row(static_cast<Eigen::Index>(i));
    result.energies[i] = charges[i] * row[0] - self * charges[i] * charges[i];
    result.energy -= self * charges[i] * charges[i];
    result.forces[i] = 2 * charges[i] * (reciprocal_.transpose() * Vec3(row[1], row[2], row[3]));
  }
}

}  // namespace solion
