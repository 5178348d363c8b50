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

/// MSD at every number of frames: measured (interpolated) below the window, a line from there on.
class Displacement {
 public:
  Displacement(const MsdCurve& curve, const std::vector<double>& msd, const WalkModel& model)
      : slope_(model.slope), intercept_(model.intercept), near_(curve.lag_frames[model.first] + 1, 0.0) {
    std::size_t l = 0;
    if (model.smooth) {
      const auto memory = static_cast<double>(near_.size() - 1);
      intercept_ = std::max(0.0, intercept_);
      for (std::size_t t = 1; t < near_.size(); ++t) {
        const auto x = static_cast<double>(t);
        near_[t] = slope_ * x + intercept_ * (1 - std::exp(-4 * x / memory));
      }
      return;
    }
    for (std::size_t t = 1; t < near_.size(); ++t) {
      while (curve.lag_frames[l] < t) ++l;
      const double t1 = static_cast<double>(curve.lag_frames[l]);
      const double t0 = l == 0 ? 0.0 : static_cast<double>(curve.lag_frames[l - 1]);
      const double y0 = l == 0 ? 0.0 : msd[l - 1];
      near_[t] = y0 + (msd[l] - y0) * (static_cast<double>(t) - t0) / (t1 - t0);
    }
  }
  double operator()(long t) const {
    const auto n = static_cast<std::size_t>(std::labs(t));
    return n < near_.size() ? near_[n] : slope_ * static_cast<double>(n) + intercept_;
  }

 private:
  double slope_, intercept_;
  std::vector<double> near_;
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

Eigen::MatrixXd msd_covariance(const MsdCurve& curve, const std::vector<double>& msd,
                               const WalkModel& model) {
  const Displacement g(curve, msd, model);
  const auto total = static_cast<long>(curve.n_frames) - 1;
  const auto memory = static_cast<long>(curve.lag_frames[model.first]);
  const auto dimensions = static_cast<double>(curve.n_dimensions);
  const auto n = static_cast<Eigen::Index>(model.last - model.first + 1);
  Eigen::MatrixXd covariance(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = i; j < n; ++j) {
      const auto k = static_cast<long>(curve.lag_frames[model.first + static_cast<std::size_t>(i)]);
      const auto l = static_cast<long>(curve.lag_frames[model.first + static_cast<std::size_t>(j)]);
      const long stride = origin_stride(k), rare = origin_stride(l);
      double sum = 0;
      // Displacements over [0, k] and [s, s + l]: how many pairs of origins are s apart, and how they
      // correlate. Two Gaussian steps with the correlation c in each dimension have squares with 2c².
      const auto pairs = [&](long s) {
        return static_cast<double>(std::min(total - l, total - k + s) - std::max(0L, s) + 1);
      };
      const auto add = [&](long s, double times) {
        const double p = pairs(s);
        if (!(p > 0)) return;
        const double c = 0.5 / dimensions * (g(s + l) + g(k - s) - g(s) - g(s + l - k));
        const auto overlap = static_cast<double>(std::max(0L, std::min(k, s + l) - std::max(0L, s)));
        sum += times * p * (2 * dimensions * c * c + model.jump_cumulant * overlap);
      };
      const long flat = l - k - 2 * memory;  // offsets well inside the longer displacement: c is constant
      if (flat > 2 * stride) {
        const long steps = flat / stride;
        long s = -(l / stride) * stride;
        for (; s < -(l - k) + memory; s += stride) add(s, 1);
        add(s, static_cast<double>(steps));
        for (s += steps * stride; s <= k; s += stride) add(s, 1);
      } else {
        for (long s = -(l / stride) * stride; s <= k; s += stride) add(s, 1);
      }
      const long n_k = (total - k) / stride + 1, n_l = (total - l) / rare + 1;  // origins of each
      covariance(i, j) = covariance(j, i) = sum / static_cast<double>(rare) /
                                            (static_cast<double>(n_k) * static_cast<double>(n_l)) /
                                            model.n_walkers;
    }
  }
  return positive(covariance);
}

}  // namespace solion::transport
