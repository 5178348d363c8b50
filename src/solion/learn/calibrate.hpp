// Trust levels from labelled candidates: how the deviation relates to the true error.
#pragma once

#include <span>
#include <vector>

#include "solion/learn/campaign.hpp"
#include "solion/learn/explore.hpp"

namespace solion::learn {

/// A labelled candidate: what the committee that found it said, and how wrong its first member was.
struct CalibrationPoint {
  int iteration = 0;
  std::string structure;
  double temperature_K = 0;
  double deviation = 0;  ///< force_max, eV/Å
  double error = 0;      ///< largest |F − F_label| of an atom, eV/Å, of the first member
};

struct Calibration {
  TrustLevels levels;
  std::size_t n = 0;            ///< points used
  double median_ratio = 0;      ///< of error/deviation
  double high_ratio = 0;        ///< its 90th percentile
  double rank_correlation = 0;  ///< Spearman's, of deviation and error; NaN for fewer than three points
  bool calibrated = false;
};

/// The levels for the next exploration. With `calibrate` and at least `calibrate_needs` points (deviation
/// above 0): lower = accurate_error/high_ratio, so that nine of ten frames at the lower level are at most
/// that wrong, and upper = failed_error/median_ratio, but at least 1.5 times the lower one; otherwise the
/// given levels.
Calibration calibrate(const TrustConfig& config, std::span<const CalibrationPoint> points);

}  // namespace solion::learn
