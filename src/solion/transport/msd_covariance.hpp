// Covariance of a multi-origin mean square displacement: what generalised least squares weighs by.
#pragma once

#include <Eigen/Core>

#include "solion/transport/msd.hpp"

namespace solion::transport {

/// What the covariance is computed from: walkers whose mean square displacement is the measured one up to the
/// first lag of a window and `slope`·t + `intercept` from there on (t in frames, Å²).
struct WalkModel {
  std::size_t first = 0;  ///< first lag of the window (index)
  std::size_t last = 0;   ///< last lag, inclusive
  double slope = 0;       ///< Å² a frame
  double intercept = 0;   ///< Å²
  /// Fourth cumulant of Δr² a frame (Å⁴) beyond that of Gaussian steps; Γa⁴ for jumps of length a at the rate
  /// Γ.
  double jump_cumulant = 0;
  double n_walkers = 1;
  /// Below the window too the line with an intercept that builds up smoothly, for a displacement that is too
  /// noisy to be taken as measured (the collective one).
  bool smooth = false;
};

/// Cov(MSD_k, MSD_l) in Å⁴ for the lags first…last, with the origins that MsdAccumulator took, of `msd` (by
/// lag of the curve: its own, or the collective one). Equation (4) of docs/theory/transport.md; exact for
/// Gaussian walkers with stationary steps and for a Poisson process of jumps. Positive definite: noise in the
/// measured MSD that would make it otherwise is floored.
Eigen::MatrixXd msd_covariance(const MsdCurve& curve, const std::vector<double>& msd, const WalkModel& model);

}  // namespace solion::transport
