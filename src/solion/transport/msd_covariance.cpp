// Sums over the offset of two origins; beyond the memory of the walk the sum has a closed form.
#include "solion/transport/msd_covariance.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace solion::transport {
namespace {

/// Frames between the origins of a lag, see MsdAccumulator.
long origin_stride(long lag) {
  long stride = 1;
  while (lag > 16 * stride) stride *= 2;
  return stride;
}

/// Frames until all memories of the shape that count are over.
long memory_frames(const WalkShape& shape, long longest) {
  constexpr double over = 7;  // exp(−7) = 0.001
  double frames = 1;
  for (const WalkShape::Memory& m : shape.memories)
    if (std::abs(m.amplitude) * m.rate > 1e-3 * shape.slope) frames = std::max(frames, over / m.rate);
  return std::max(1L, static_cast<long>(std::min(frames, static_cast<double>(longest))));
}

/// The sums of equation (5) for one model.
class Sums {
 public:
  Sums(const MsdCurve& curve, long longest, const WalkModel& model)
      : model_(model),
        total_(static_cast<long>(curve.n_frames) - 1),
        memory_(memory_frames(model.shape, longest)),
        g_(static_cast<std::size_t>(2 * longest + 1)) {
    // Beyond the memory a line.
    const WalkShape& shape = model.shape;
    const auto known = std::min(g_.size() - 1, static_cast<std::size_t>(memory_));
    for (std::size_t t = 1; t <= known; ++t) g_[t] = shape(static_cast<double>(t));
    for (std::size_t t = known + 1; t < g_.size(); ++t) g_[t] = g_[t - 1] + shape.slope;
  }

  /// Covariance of the lags of k ≤ l frames.
  [[nodiscard]] double operator()(long k, long l) const {
    const long stride = origin_stride(k), rare = origin_stride(l);
    double sum = 0;
    const long flat = l - k - 2 * memory_;  // offsets well inside the longer displacement: all terms constant
    long s = -(l / stride) * stride;
    if (flat > 2 * stride) {
      const long steps = flat / stride;
      for (; s < k - l + memory_; s += stride) sum += term(k, l, s);
      sum += static_cast<double>(steps) * term(k, l, s);
      s += steps * stride;
    }
    for (; s <= k; s += stride) sum += term(k, l, s);
    const long n_k = (total_ - k) / stride + 1, n_l = (total_ - l) / rare + 1;  // origins of each
    return sum / static_cast<double>(rare) / (static_cast<double>(n_k) * static_cast<double>(n_l)) /
           model_.n_walkers;
  }

 private:
  [[nodiscard]] double g(long t) const { return g_[static_cast<std::size_t>(std::labs(t))]; }

  /// Displacements over [0, k] and [s, s + l]: how many pairs of origins are s apart, times how their squares
  /// correlate. Gaussian steps with the correlation c, all axes together, have squares with 2c² Σ(share²).
  [[nodiscard]] double term(long k, long l, long s) const {
    const long pairs = std::min(total_ - l, total_ - k + s) - std::max(0L, s) + 1;
    if (pairs <= 0) return 0;
    const double c = 0.5 * (g(s + l) + g(k - s) - g(s) - g(s + l - k));
    const long overlap = std::min(k, s + l) - std::max(0L, s);
    const double jumps = overlap > 0 ? g(overlap) - model_.shape.plateau : 0;
    const auto moved = [](long t) { return t == 0 ? 0.0 : 1.0; };
    const double shared =
        0.5 * model_.common_plateau_A2 * (moved(s + l) + moved(k - s) - moved(s) - moved(s + l - k));
    return static_cast<double>(pairs) *
           (2 * model_.participation * (c * c + model_.n_walkers * shared * shared) +
            model_.jump_square_A2 * jumps);
  }

  const WalkModel& model_;
  long total_, memory_;
  std::vector<double> g_;
};

/// Correlations with eigenvalues below 1e-4 raised to that; those of a random walk's lags, 6 % apart, are
/// above.
Eigen::MatrixXd positive(const Eigen::MatrixXd& covariance) {
  const Eigen::VectorXd scale = covariance.diagonal().cwiseMax(1e-300).cwiseSqrt();
  const Eigen::MatrixXd correlation =
      scale.cwiseInverse().asDiagonal() * covariance * scale.cwiseInverse().asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(correlation);
  const Eigen::VectorXd floored = solver.eigenvalues().cwiseMax(1e-4);
  const Eigen::MatrixXd mended =
      solver.eigenvectors() * floored.asDiagonal() * solver.eigenvectors().transpose();
  return scale.asDiagonal() * mended * scale.asDiagonal();
}

}  // namespace

double WalkShape::operator()(double frames) const {
  if (!(frames > 0)) return 0;
  double sum = slope * frames + plateau;
  for (const Memory& m : memories) sum -= m.amplitude * std::expm1(-m.rate * frames);
  return sum;
}

double WalkShape::first_slope() const {
  double sum = slope;
  for (const Memory& m : memories) sum += m.amplitude * m.rate;
  return sum;
}

Eigen::MatrixXd msd_covariance(const MsdCurve& curve, const std::vector<std::size_t>& lags,
                               const WalkModel& model) {
  const auto frames = [&](Eigen::Index i) {
    return static_cast<long>(curve.lag_frames[lags[static_cast<std::size_t>(i)]]);
  };
  const auto n = static_cast<Eigen::Index>(lags.size());
  const Sums sums(curve, frames(n - 1), model);
  Eigen::MatrixXd covariance(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = i; j < n; ++j) covariance(i, j) = covariance(j, i) = sums(frames(i), frames(j));
  return positive(covariance);
}

}  // namespace solion::transport
