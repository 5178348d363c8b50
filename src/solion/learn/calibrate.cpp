// Quantiles of error/deviation.
#include "solion/learn/calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace solion::learn {
namespace {

/// Linear interpolation between the sorted values; `values` is not empty.
double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]);
}

/// Ranks from 0, equal values sharing their mean rank.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) result[order[k]] = 0.5 * static_cast<double>(i + end - 1);
    i = end;
  }
  return result;
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double my = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mx) * (y[i] - my);
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Calibration calibrate(const TrustConfig& config, std::span<const CalibrationPoint> points) {
  Calibration result;
  result.levels = {config.lower_eV_per_A, config.upper_eV_per_A};
  result.rank_correlation = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> deviations, errors, ratios;
  for (const CalibrationPoint& p : points) {
    if (!(p.deviation > 0) || !std::isfinite(p.deviation) || !std::isfinite(p.error)) continue;
    deviations.push_back(p.deviation);
    errors.push_back(p.error);
    ratios.push_back(p.error / p.deviation);
  }
  result.n = ratios.size();
  if (ratios.empty()) return result;
  result.median_ratio = quantile(ratios, 0.5);
  result.high_ratio = quantile(ratios, 0.9);
  if (ratios.size() > 2) result.rank_correlation = correlation(ranks(deviations), ranks(errors));
  if (!config.calibrate || ratios.size() < static_cast<std::size_t>(config.calibrate_needs)) return result;
  if (!(result.median_ratio > 0)) return result;
  result.levels.lower = config.accurate_error_eV_per_A / result.high_ratio;
  result.levels.upper =
      std::max(config.failed_error_eV_per_A / result.median_ratio, 1.5 * result.levels.lower);
  result.calibrated = true;
  return result;
}

}  // namespace solion::learn
