// Welch's t-test (Biometrika 34, 28 (1947)) between the halves of a run.
#include "solion/transport/steadiness.hpp"

#include <fmt/format.h>

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <span>

#include "solion/base/constants.hpp"

namespace solion::transport {
namespace {

struct Sample {
  double mean = 0, log_mean = 0, log_variance_of_mean = 0, n = 0;
};

Sample sample_of(std::span<const double> values) {
  Sample s;
  s.n = static_cast<double>(values.size());
  for (const double v : values) {
    s.mean += v / s.n;
    s.log_mean += std::log(v) / s.n;
  }
  for (const double v : values)
    s.log_variance_of_mean += std::pow(std::log(v) - s.log_mean, 2) / (s.n * (s.n - 1));
  return s;
}

double welch(const Sample& a, const Sample& b) {
  const double variance = a.log_variance_of_mean + b.log_variance_of_mean;
  if (!(variance > 0)) return std::numeric_limits<double>::quiet_NaN();
  const double freedom = variance * variance /
                         (a.log_variance_of_mean * a.log_variance_of_mean / (a.n - 1) +
                          b.log_variance_of_mean * b.log_variance_of_mean / (b.n - 1));
  const double t = std::abs(a.log_mean - b.log_mean) / std::sqrt(variance);
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(freedom), t));
}

}  // namespace

std::string Steadiness::verdict() const {
  if (!changed()) return "";
  return fmt::format(
      "the pace of the ions changed: MSD/2dt over {:.3g} ps is {:.2e} cm²/s in the first half of the run and "
      "{:.2e} in the second (p = {:.1g}): a mean over both is the D of neither",
      stretch_fs * 1e-3, early_cm2_per_s, late_cm2_per_s, p_value);
}

Steadiness steadiness(const MsdCurve& curve) {
  constexpr std::size_t least = 8;
  Steadiness result;
  const std::vector<double>& stretches = curve.stretch_msd_A2;
  result.n_stretches = stretches.size();
  result.stretch_fs = static_cast<double>(curve.stretch_frames) * curve.frame_interval_fs;
  if (stretches.size() < least) return result;
  for (const double v : stretches)
    if (!(v > 0)) return result;
  const std::size_t half = stretches.size() / 2;
  const Sample early = sample_of(std::span(stretches).first(half));
  const Sample late = sample_of(std::span(stretches).last(half));
  const double pace =
      constants::A2_per_fs_in_cm2_per_s / (2 * static_cast<double>(curve.n_dimensions) * result.stretch_fs);
  result.early_cm2_per_s = early.mean * pace;
  result.late_cm2_per_s = late.mean * pace;
  result.p_value = welch(early, late);
  return result;
}

}  // namespace solion::transport
