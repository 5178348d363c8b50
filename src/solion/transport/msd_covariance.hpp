// Covariance of a multi-origin mean square displacement: what generalised least squares weighs by.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "solion/transport/msd.hpp"

namespace solion::transport {

/// A mean square displacement (Å²) with t in frames: slope·t + plateau + Σ amplitude·(1 − exp(−rate·t)) for
/// t > 0. The plateau is vibration that is over within a frame, the sum what jumps that are taken back leave.
struct WalkShape {
  struct Memory {
    double amplitude = 0;  ///< Å²
    double rate = 0;       ///< 1/frame
  };
  double slope = 0;    ///< Å² a frame
  double plateau = 0;  ///< Å²
  std::vector<Memory> memories;

  [[nodiscard]] double operator()(double frames) const;
  /// Slope at short times, what the ions' jumps would make if none were taken back.
  [[nodiscard]] double first_slope() const;
};

/// What the covariance is computed from.
struct WalkModel {
  WalkShape shape;
  /// Fourth cumulant of Δr² beyond that of Gaussian steps, over the MSD that jumps make (Å²): the square of
  /// the jump length for a Poisson process of jumps.
  double jump_square_A2 = 0;
  /// Σ of the squared shares of the axes in the MSD: 1/d where all d alike take part, 1 for one axis.
  double participation = 1.0 / 3;
  double n_walkers = 1;
  /// Plateau of a displacement that all walkers have in common and forget from frame to frame (Å²): that of
  /// the framework against which they are measured.
  double common_plateau_A2 = 0;
};

/// Cov(MSD_k, MSD_l) in Å⁴ for the given lags (indices of the curve, ascending), with the origins that
/// MsdAccumulator took. Equation (5) of docs/theory/transport.md; exact for Gaussian walkers with stationary
/// steps and for a Poisson process of jumps. Positive definite.
Eigen::MatrixXd msd_covariance(const MsdCurve& curve, const std::vector<std::size_t>& lags,
                               const WalkModel& model);

}  // namespace solion::transport
