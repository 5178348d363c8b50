// Linear estimator of D with weights from the covariance of the MSD, and its error from independent ions.
#include "solion/transport/diffusion.hpp"

#include <algorithm>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Weights of the lags first…last (inclusive) such that slope = Σ w_l MSD_l and intercept = Σ v_l MSD_l.
struct Fit {
  std::size_t first = 0;
  Eigen::VectorXd slope;
  Eigen::VectorXd intercept;
};

/// Generalised least squares of b + s·t for the covariance C_kl = c·t_k²·t_l (k ≤ l), the diffusive limit of
/// the MSD's: MSD/t is then a random walk in t, whose increments are independent, so that the first lag fixes
/// s and the increments fix b. Section 3, equations (6) and (7).
Fit weights(const std::vector<double>& t, std::size_t first, std::size_t last) {
  const auto n = static_cast<Eigen::Index>(last - first + 1);
  Fit fit{first, Eigen::VectorXd::Zero(n), Eigen::VectorXd::Zero(n)};
  double normal = 0;
  for (Eigen::Index l = 1; l < n; ++l) {
    const double t0 = t[first + static_cast<std::size_t>(l) - 1];
    const double t1 = t[first + static_cast<std::size_t>(l)];
    const double x = 1 / t1 - 1 / t0;  // MSD₁/t₁ − MSD₀/t₀ = b·x + noise of variance t₁ − t₀
    const double w = x / (t1 - t0);
    normal += x * w;
    fit.intercept[l] += w / t1;
    fit.intercept[l - 1] -= w / t0;
  }
  fit.intercept /= normal;
  fit.slope = -fit.intercept / t[first];
  fit.slope[0] += 1 / t[first];
  return fit;
}

struct Sample {
  double mean = nan;
  double error = nan;  // of the mean, widened to the 68.27 % interval of Student's t
  double freedom = 0;
};

/// Mean and standard error of independent values.
Sample independent(const Eigen::VectorXd& values) {
  Sample s;
  const auto n = static_cast<double>(values.size());
  s.mean = values.mean();
  if (values.size() < 2) return s;
  s.freedom = n - 1;
  const double variance = (values.array() - s.mean).square().sum() / (n - 1);
  const boost::math::students_t distribution(n - 1);
  s.error = std::sqrt(variance / n) * boost::math::quantile(distribution, 0.5 + 0.5 * 0.682689492137086);
  return s;
}

/// The estimator applied to each ion alone.
Eigen::VectorXd by_ion(const MsdCurve& curve, const Eigen::VectorXd& w, std::size_t first) {
  return curve.ion_msd_A2.middleRows(static_cast<Eigen::Index>(first), w.size()).transpose() * w;
}

/// Standard error of Σ w·MSD from the covariance model C_kl = Var(Δr²)_k/n_k · n_k/n_l, k ≤ l, with n_l =
/// ions × trajectory/t_l independent displacements (McCluskey et al., arXiv 2305.18244, eq. 5 and 6).
double covariance_error(const MsdCurve& curve, const Fit& fit) {
  double variance = 0;
  const auto independent_count = [&](std::size_t l) {
    return static_cast<double>(curve.n_ions) * static_cast<double>(curve.n_frames - 1) /
           static_cast<double>(curve.lag_frames[l]);
  };
  for (Eigen::Index k = 0; k < fit.slope.size(); ++k) {
    for (Eigen::Index l = 0; l < fit.slope.size(); ++l) {
      const std::size_t low = fit.first + static_cast<std::size_t>(std::min(k, l));
      const std::size_t high = fit.first + static_cast<std::size_t>(std::max(k, l));
      variance += fit.slope[k] * fit.slope[l] * curve.variance_A4[low] / independent_count(high);
    }
  }
  return std::sqrt(std::max(0.0, variance));
}

/// The last lag of the window: at most the given fraction of the trajectory.
std::size_t window_end(const MsdCurve& curve, double fraction) {
  std::size_t last = 0;
  for (std::size_t l = 0; l < curve.lag_frames.size(); ++l) {
    if (static_cast<double>(curve.lag_frames[l]) <= fraction * static_cast<double>(curve.n_frames - 1))
      last = l;
  }
  return last;
}

/// Difference of the slopes of the windows from lag `early` and from lag `late`, by ion.
Sample slope_shift(const MsdCurve& curve, std::size_t early, std::size_t late, std::size_t last) {
  return independent(by_ion(curve, weights(curve.time_fs, early, last).slope, early) -
                     by_ion(curve, weights(curve.time_fs, late, last).slope, late));
}

/// The last lag whose time is at most `share` of the window's end and that leaves three lags to fit.
std::size_t lag_at(const MsdCurve& curve, double share, std::size_t last) {
  std::size_t lag = 0;
  while (lag + 3 < last && curve.time_fs[lag + 1] <= share * curve.time_fs[last]) ++lag;
  return lag;
}

struct Window {
  std::size_t first = 0;
  /// Error of the slope because ions may not have forgotten where they came from when the window starts.
  double systematic = 0;
};

/// The window starts where ions have forgotten where they came from (MSD ≥ 2a²). It moves on only where the
/// slope plainly disagrees with the slope from twice as late (2.5 errors of their difference, by ion):
/// choosing a window by a finer test of the same data would make the error bar too small (measured: 57 %
/// instead of 68 % coverage). A run too short for that starts at half the window's end, and what the slope
/// changed by since a quarter of it, beyond its noise, counts as an error: back-jumps may still be there.
Window find_window(const MsdCurve& curve, const DiffusionOptions& options, std::size_t last) {
  const auto& t = curve.time_fs;
  const double forgotten = 2 * options.jump_length_A * options.jump_length_A;
  const std::size_t half = lag_at(curve, 0.5, last);
  for (std::size_t l = 0; l <= half; ++l) {
    if (curve.msd_A2[l] < forgotten) continue;
    std::size_t later = l;
    while (later < half && t[later] < 2 * t[l]) ++later;
    if (later == l) return {l, 0};
    const Sample shift = slope_shift(curve, l, later, last);
    if (!(std::abs(shift.mean) > 2.5 * shift.error)) return {l, 0};
  }
  const Sample shift = slope_shift(curve, lag_at(curve, 0.25, last), half, last);
  const double noise = std::isfinite(shift.error) ? shift.error : 0;
  return {half, std::sqrt(std::max(0.0, shift.mean * shift.mean - noise * noise))};
}

/// One-sided 95 % upper bound on D (Å²/fs) from the MSD at the end of the window, section 4: the larger of
/// the bound of a count of hops and of a normal error of the MSD, both without any share of vibration taken
/// off.
double upper_bound(const MsdCurve& curve, std::size_t last, double jump_length) {
  const double a2 = jump_length * jump_length;
  const double duration = static_cast<double>(curve.n_frames - 1) * curve.frame_interval_fs;
  const auto ions = static_cast<double>(curve.n_ions);
  const double msd = curve.msd_A2[last];
  const double hops = ions * msd / a2 * duration / curve.time_fs[last];
  const boost::math::gamma_distribution<> counts(hops + 1);
  const double by_hops = a2 * boost::math::quantile(counts, 0.95) / (6 * ions * duration);
  const Sample sample = independent(curve.ion_msd_A2.row(static_cast<Eigen::Index>(last)).transpose());
  double by_spread = 0;
  if (sample.freedom > 0) {
    const boost::math::students_t distribution(sample.freedom);
    const double factor = boost::math::quantile(distribution, 0.95) /
                          boost::math::quantile(distribution, 0.5 + 0.5 * 0.682689492137086);
    by_spread = (sample.mean + factor * sample.error) / (6 * curve.time_fs[last]);
  }
  return std::max(by_hops, by_spread);
}

/// True if the MSD plainly grows faster than time between two lags: more than 1.25-fold and by three errors.
bool superdiffusive(const MsdCurve& curve, std::size_t first, std::size_t last) {
  const double growth = 1.25 * curve.time_fs[last] / curve.time_fs[first];
  const Sample excess =
      independent(curve.ion_msd_A2.row(static_cast<Eigen::Index>(last)).transpose() -
                  growth * curve.ion_msd_A2.row(static_cast<Eigen::Index>(first)).transpose());
  return excess.mean > 0 && !(excess.mean <= 3 * excess.error);
}

/// Empty if the fit is diffusion, else the reason why not.
std::string unresolved_reason(const Diffusion& d, const MsdCurve& curve, std::size_t first, std::size_t last,
                              double slope, double error) {
  const double needed = 0.5 * d.jump_length_A * d.jump_length_A;
  const double t_end = curve.time_fs[last];
  if (!(d.window_msd_A2 > needed)) {
    return fmt::format(
        "the MSD reaches {:.3g} Å² at {:.4g} ps, below a²/2 = {:.3g} Å²: vibration, not diffusion",
        d.window_msd_A2, t_end * 1e-3, needed);
  }
  if (superdiffusive(curve, first, last))
    return "the MSD grows faster than time inside the window: ballistic or driven, not yet diffusion";
  if (!(slope * t_end >= 0.5 * d.window_msd_A2))  // what diffusion adds; the rest is the intercept
    return "the MSD hardly grows inside the window: a plateau, not diffusion";
  if (!(slope > 2 * error)) return "the slope is below twice its error";
  return {};
}

}  // namespace

Diffusion fit_diffusion(const MsdCurve& curve, const DiffusionOptions& options) {
  if (!(options.jump_length_A > 0))
    throw InputError("diffusion: a jump length of {} Å; expected a positive length", options.jump_length_A);
  const std::size_t last = window_end(curve, options.window_end_fraction);
  if (last < 3) {
    throw InputError("diffusion: {} frames of {} are too few for a slope; at least 9 are needed",
                     curve.n_frames, curve.species);
  }
  const auto& t = curve.time_fs;
  Window window;
  std::size_t& first = window.first;
  if (std::isfinite(options.window_start_fs)) {
    while (first < last && t[first] < options.window_start_fs) ++first;
    if (first + 2 > last) {
      throw InputError("diffusion: the window {} … {} fs holds fewer than 3 lags", options.window_start_fs,
                       t[last]);
    }
  } else {
    window = find_window(curve, options, last);
  }

  constexpr double unit = constants::A2_per_fs_in_cm2_per_s;
  const Fit fit = weights(t, first, last);
  const Sample slope = independent(by_ion(curve, fit.slope, first));
  Diffusion d;
  d.jump_length_A = options.jump_length_A;
  d.slope_D = slope.mean / 6 * unit;
  d.intercept_A2 = by_ion(curve, fit.intercept, first).mean();
  d.window_start_fs = t[first];
  d.window_end_fs = t[last];
  d.window_msd_A2 = curve.msd_A2[last];
  d.n_effective_hops =
      static_cast<double>(curve.n_ions) * d.window_msd_A2 / (options.jump_length_A * options.jump_length_A);
  d.rsd_events = 3.43 / std::sqrt(d.n_effective_hops) + 0.04;

  // The spread over ions sees what the model does not (ions in traps); the model is steadier for few ions and
  // stands alone for one. The larger of the two covers the truth as often as it should (section 3).
  const bool single = !(slope.freedom > 0);
  const double modelled = covariance_error(curve, fit);
  d.std_ions = slope.error / 6 * unit;
  d.std_covariance = modelled / 6 * unit;
  d.std_systematic = window.systematic / 6 * unit;
  const double error = std::hypot(single ? modelled : std::max(slope.error, modelled), window.systematic);
  d.bound = upper_bound(curve, last, options.jump_length_A) * unit;
  d.reason = unresolved_reason(d, curve, first, last, slope.mean, error);
  d.resolved = d.reason.empty();
  if (!d.resolved) return d;

  d.D = d.slope_D;
  d.std = error / 6 * unit;
  double q95 = 1.959963984540054;
  double q90 = 1.6448536269514722;
  if (!single) {
    const boost::math::students_t student(slope.freedom);
    const double one = boost::math::quantile(student, 0.5 + 0.5 * 0.682689492137086);
    q95 = boost::math::quantile(student, 0.975) / one;
    q90 = boost::math::quantile(student, 0.95) / one;
  }
  // The error grows with D itself, so that limits are taken in ln D.
  d.interval_95[0] = d.D * std::exp(-q95 * d.std / d.D);
  d.interval_95[1] = d.D * std::exp(q95 * d.std / d.D);
  d.bound = d.D * std::exp(q90 * d.std / d.D);
  d.reason = fmt::format("slope over {:.4g}…{:.4g} ps", d.window_start_fs * 1e-3, d.window_end_fs * 1e-3);
  return d;
}

double nernst_einstein_mS_per_cm(double D_cm2_per_s, double n_ions, double charge_e, double volume_A3,
                                 double temperature_K) {
  if (!(volume_A3 > 0)) throw InputError("conductivity: a volume of {} Å³; a cell is needed", volume_A3);
  if (!(temperature_K > 0)) throw InputError("conductivity: a temperature of {} K", temperature_K);
  const double charge_C = charge_e * constants::elementary_charge_C;
  const double per_m3 = n_ions / (volume_A3 * 1e-30);
  const double S_per_m =
      per_m3 * charge_C * charge_C * (D_cm2_per_s * 1e-4) / (constants::boltzmann_J_per_K * temperature_K);
  return S_per_m * 10;  // 1 S/m = 10 mS/cm
}

}  // namespace solion::transport
