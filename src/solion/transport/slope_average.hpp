// Long-time slope of a mean square displacement, averaged over where the fit starts and over how fast jumps
// are forgotten.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "solion/transport/msd_covariance.hpp"

namespace solion::transport {

/// What is known before the fit of the memory A·(1 − exp(−λt)) that jumps leave which are taken back.
struct MemoryPrior {
  double jump_square_A2 = 0;     ///< a², the unit of A
  double amplitude = 0.2;        ///< mean of A/a²: back-jumps of probability g make 2g/(1 + g)²
  double amplitude_width = 0.5;  ///< standard deviation of A/a²; 0: no memory, a straight line
  double rate = 1.5;             ///< median of λa²/(slope at short times): 1 + g for back-jumps
  double rate_width = 0.5;       ///< standard deviation of its logarithm
  double first_slope = 0;        ///< slope at short times, Å² a frame, where known; 0: each fit's own
  double latest_start_A2 = 0;    ///< no fit but the first starts beyond the lag of this MSD
};

/// The slope is a linear combination of the MSD at the lags, Σ weight·MSD, and a constant.
struct SlopeAverage {
  double slope = 0;      ///< Å² a frame; NaN where nothing could be fitted
  double intercept = 0;  ///< of the line that the MSD approaches, Å²
  double rate = 0;       ///< λ, geometric mean, 1/frame
  Eigen::VectorXd weights;
  double variance = 0;    ///< of the combination, by the covariance of the MSD
  double spread = 0;      ///< variance of the slope because λ, the vibration and the start are not known
  double pull = 0;        ///< change of the slope with the prior's mean of A/a², Å² a frame
  double chi_square = 0;  ///< of the fits, averaged; `freedom` expected
  double freedom = 0;
  std::size_t start = 0;  ///< lag (index of the curve) from which half of the weight starts
  WalkModel model;        ///< with the shape fitted
};

/// Generalised least squares of slope·t + plateau + A·(1 − exp(−λt)), and of vibration that forgets itself in
/// a time between a frame and 1/λ, over the given lags (indices of the curve, ascending, at least 3) of
/// `msd`, averaged over λ and over the lag at which the fit starts, with the covariance of the walk that the
/// average itself describes; `model` is the one to begin with. Section 3 of docs/theory/transport.md.
SlopeAverage average_slope(const MsdCurve& curve, const std::vector<double>& msd,
                           const std::vector<std::size_t>& lags, WalkModel model, const MemoryPrior& prior);

}  // namespace solion::transport
