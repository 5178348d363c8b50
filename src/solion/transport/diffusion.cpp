// Linear estimator of D with weights from the covariance of the MSD, and its error from independent ions.
#include "solion/transport/diffusion.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/msd_covariance.hpp"

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
  double error = nan;  // of the mean
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
  s.error = std::sqrt(variance / n);
  return s;
}

/// The estimator applied to each ion alone.
Eigen::VectorXd by_ion(const MsdCurve& curve, const Eigen::VectorXd& w, std::size_t first) {
  return curve.ion_msd_A2.middleRows(static_cast<Eigen::Index>(first), w.size()).transpose() * w;
}

/// The same for the covariance C of the lags from `first` on: w = C⁻¹X(XᵀC⁻¹X)⁻¹.
Fit weights(const std::vector<double>& t, std::size_t first, const Eigen::MatrixXd& covariance) {
  const auto n = covariance.rows();
  Eigen::MatrixX2d x(n, 2);
  for (Eigen::Index l = 0; l < n; ++l) x.row(l) << t[first + static_cast<std::size_t>(l)], 1;
  const Eigen::LDLT<Eigen::MatrixXd> solver(covariance);
  const Eigen::MatrixX2d solved = solver.solve(x);
  const Eigen::MatrixX2d w = solved * (x.transpose() * solved).inverse();
  return {first, w.col(0), w.col(1)};
}

/// Fourth cumulant of Δr² beyond that of Gaussian steps.
double excess_cumulant(const MsdCurve& curve, std::size_t l) {
  return curve.variance_A4[l] -
         2 / static_cast<double>(curve.n_dimensions) * curve.msd_A2[l] * curve.msd_A2[l];
}

struct Regression {
  Fit fit;
  double variance = nan;  // of the slope, by the covariance model
};

/// Generalised least squares with the covariance of the walk that the fit itself describes: start with the
/// weights of the diffusive limit, then twice with the full matrix.
Regression regress(const MsdCurve& curve, const std::vector<double>& msd, WalkModel model) {
  const std::vector<double>& t = curve.time_fs;
  Regression result{weights(t, model.first, model.last)};
  const Eigen::Map<const Eigen::VectorXd> values(msd.data() + model.first, result.fit.slope.size());
  for (int pass = 0; pass < 2; ++pass) {
    model.slope = std::max(0.0, result.fit.slope.dot(values)) * curve.frame_interval_fs;
    model.intercept = result.fit.intercept.dot(values);
    const Eigen::MatrixXd covariance = msd_covariance(curve, msd, model);
    const Fit refined = weights(t, model.first, covariance);
    if (refined.slope.allFinite() && refined.intercept.allFinite()) result.fit = refined;
    result.variance = std::max(0.0, result.fit.slope.dot(covariance * result.fit.slope));
  }
  return result;
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

/// Error of that difference by the covariance model, which is larger where ions move together.
double shift_error(const MsdCurve& curve, std::size_t early, std::size_t late, std::size_t last) {
  const Fit fit = weights(curve.time_fs, early, last);
  WalkModel model{.first = early, .last = last, .n_walkers = static_cast<double>(curve.n_ions)};
  const Eigen::Map<const Eigen::VectorXd> values(curve.msd_A2.data() + early, fit.slope.size());
  model.slope = std::max(0.0, fit.slope.dot(values)) * curve.frame_interval_fs;
  model.intercept = fit.intercept.dot(values);
  model.jump_cumulant =
      std::max(0.0, excess_cumulant(curve, early)) / static_cast<double>(curve.lag_frames[early]);
  Eigen::VectorXd difference = fit.slope;
  const Fit later = weights(curve.time_fs, late, last);
  difference.tail(later.slope.size()) -= later.slope;
  return std::sqrt(difference.dot(msd_covariance(curve, curve.msd_A2, model) * difference));
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

/// The window starts where ions have forgotten where they came from (MSD ≥ 2.5a²). It moves on only where the
/// slope plainly disagrees with the slope from twice as late (2.5 errors of their difference, by ion):
/// choosing a window by a finer test of the same data would make the error bar too small (measured: 57 %
/// instead of 68 % coverage). A run too short for that starts at half the window's end, and what the slope
/// changed by since a quarter of it, beyond its noise, counts as an error: back-jumps may still be there.
Window find_window(const MsdCurve& curve, const DiffusionOptions& options, std::size_t last) {
  const auto& t = curve.time_fs;
  const double forgotten = 2.5 * options.jump_length_A * options.jump_length_A;
  const std::size_t half = lag_at(curve, 0.5, last);
  for (std::size_t l = 0; l <= half; ++l) {
    if (curve.msd_A2[l] < forgotten) continue;
    std::size_t later = l;
    while (later < half && t[later] < 2 * t[l]) ++later;
    if (later == l) return {l, 0};
    const Sample shift = slope_shift(curve, l, later, last);
    if (!(std::abs(shift.mean) > 2.5 * shift.error)) return {l, 0};
    if (!(std::abs(shift.mean) > 2.5 * shift_error(curve, l, later, last))) return {l, 0};
  }
  const Sample shift = slope_shift(curve, lag_at(curve, 0.25, last), half, last);
  const double noise = std::isfinite(shift.error) ? shift.error : 0;
  return {half, std::sqrt(std::max(0.0, shift.mean * shift.mean - noise * noise))};
}

struct Spread {
  double error = nan;
  double freedom = 0;  // infinite where the error is taken for known
};

/// The error of the slope from both sources: a chi-squared variance from the spread over independent ions
/// with a conjugate prior at the variance of the covariance model, worth `prior_freedom` ions. Ions that
/// plainly disagree with the model (odds 1 : 1000) speak for themselves.
Spread joined_spread(const Sample& ions, double modelled) {
  constexpr double prior_freedom = 12;
  // The window and the weights are taken from the same data, which adds to the scatter of D: by 0…8 % on the
  // walks of the theory page's table.
  constexpr double feasible = 1.02;
  if (!(ions.freedom > 0)) return {feasible * std::sqrt(modelled), prior_freedom};
  const double ratio = ions.error * ions.error / modelled;
  const boost::math::chi_squared spread(ions.freedom);
  const double high = boost::math::quantile(spread, 0.999) / ions.freedom;
  if (!(ratio <= high)) return {feasible * ions.error, ions.freedom};
  const double freedom = ions.freedom + prior_freedom;
  return {feasible * std::sqrt(modelled * (ions.freedom * ratio + prior_freedom) / freedom), freedom};
}

constexpr double level_68 = 0.682689492137086;

/// Intervals of a value with an error of so many degrees of freedom.
class Interval {
 public:
  Interval(double error, double freedom) : error_(error), freedom_(freedom) {}

  /// Half the central 68 % interval.
  [[nodiscard]] double one() const { return error_ * student(level_68); }
  /// Limits of equal tails for a value that is a gamma distributed multiple of the truth; the wider tails of
  /// Student's t widen the gamma distribution.
  void limits(double value, double level, double unit, double (&result)[2]) const {
    const double relative =
        error_ / value * student(level) / boost::math::quantile(boost::math::normal(), 0.5 + 0.5 * level);
    const double shape = 1 / (relative * relative);
    const boost::math::gamma_distribution<> multiple(shape, 1 / shape);
    result[0] = value * unit / boost::math::quantile(multiple, 0.5 + 0.5 * level);
    result[1] = value * unit / boost::math::quantile(multiple, 0.5 - 0.5 * level);
  }

 private:
  [[nodiscard]] double student(double level) const {
    return boost::math::quantile(boost::math::students_t(freedom_), 0.5 + 0.5 * level);
  }
  double error_, freedom_;
};

/// One-sided 95 % upper bound on D (Å²/fs) from the MSD at the end of the window, section 4: the larger of
/// the bound of a count of hops and of a normal error of the MSD, both without any share of vibration taken
/// off.
double upper_bound(const MsdCurve& curve, std::size_t last, double jump_length) {
  const double a2 = jump_length * jump_length;
  const auto dimensions = static_cast<double>(curve.n_dimensions);
  const double duration = static_cast<double>(curve.n_frames - 1) * curve.frame_interval_fs;
  const auto ions = static_cast<double>(curve.n_ions);
  const double msd = curve.msd_A2[last];
  const double hops = ions * msd / a2 * duration / curve.time_fs[last];
  const boost::math::gamma_distribution<> counts(hops + 1);
  const double by_hops = a2 * boost::math::quantile(counts, 0.95) / (2 * dimensions * ions * duration);
  const Sample sample = independent(curve.ion_msd_A2.row(static_cast<Eigen::Index>(last)).transpose());
  double by_spread = 0;
  if (sample.freedom > 0) {
    const boost::math::students_t distribution(sample.freedom);
    by_spread = (sample.mean + boost::math::quantile(distribution, 0.95) * sample.error) /
                (2 * dimensions * curve.time_fs[last]);
  }
  return std::max(by_hops, by_spread);
}

/// True if the MSD plainly grows faster than time between two lags: more than 1.25-fold and by three errors.
bool superdiffusive(const MsdCurve& curve, std::size_t first, std::size_t last) {
  const double growth = 1.25 * curve.time_fs[last] / curve.time_fs[first];
  const Sample excess =
      independent(curve.ion_msd_A2.row(static_cast<Eigen::Index>(last)).transpose() -
                  growth * curve.ion_msd_A2.row(static_cast<Eigen::Index>(first)).transpose());
  // One ion alone has two independent displacements of the last lag.
  const double error = excess.freedom > 0 ? excess.error : std::sqrt(0.5 * curve.variance_A4[last]);
  return excess.mean > 0 && !(excess.mean <= 3 * error);
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
  if (!(slope * t_end >= d.intercept_A2))  // what diffusion adds to vibration and back-jumps
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

  const auto dimensions = static_cast<double>(curve.n_dimensions);
  const double unit = constants::A2_per_fs_in_cm2_per_s / (2 * dimensions);  // of a slope
  WalkModel model{.first = first, .last = last, .n_walkers = static_cast<double>(curve.n_ions)};
  model.jump_cumulant =
      std::max(0.0, excess_cumulant(curve, first)) / static_cast<double>(curve.lag_frames[first]);
  const Regression regression = regress(curve, curve.msd_A2, model);
  const Fit& fit = regression.fit;
  const Sample slope = independent(by_ion(curve, fit.slope, first));
  Diffusion d;
  d.jump_length_A = options.jump_length_A;
  d.slope_D = slope.mean * unit;
  d.intercept_A2 = by_ion(curve, fit.intercept, first).mean();
  d.window_start_fs = t[first];
  d.window_end_fs = t[last];
  d.window_msd_A2 = curve.msd_A2[last];
  d.n_effective_hops =
      static_cast<double>(curve.n_ions) * d.window_msd_A2 / (options.jump_length_A * options.jump_length_A);
  d.rsd_events = 3.43 / std::sqrt(d.n_effective_hops) + 0.04;

  const Spread spread = joined_spread(slope, regression.variance);
  d.std_ions = slope.error * unit;
  d.std_covariance = std::sqrt(regression.variance) * unit;
  d.std_systematic = window.systematic * unit;
  const Interval interval(std::hypot(spread.error, window.systematic), spread.freedom);
  d.bound = upper_bound(curve, last, options.jump_length_A) * constants::A2_per_fs_in_cm2_per_s;
  d.reason = unresolved_reason(d, curve, first, last, slope.mean, interval.one());
  d.resolved = d.reason.empty();
  if (!d.resolved) return d;

  d.D = d.slope_D;
  d.std = interval.one() * unit;
  interval.limits(slope.mean, level_68, unit, d.interval_68);
  interval.limits(slope.mean, 0.95, unit, d.interval_95);
  double both[2];
  interval.limits(slope.mean, 0.90, unit, both);
  d.bound = both[1];
  d.reason = fmt::format("slope over {:.4g}…{:.4g} ps", d.window_start_fs * 1e-3, d.window_end_fs * 1e-3);
  return d;
}

CollectiveDiffusion fit_collective(const MsdCurve& curve, const Diffusion& tracer) {
  CollectiveDiffusion result;
  if (!tracer.resolved) return result;
  const auto lag_of = [&](double time_fs) {
    std::size_t l = 0;
    while (l + 1 < curve.time_fs.size() && curve.time_fs[l] < time_fs * (1 - 1e-9)) ++l;
    return l;
  };
  const std::size_t first = lag_of(tracer.window_start_fs), last = lag_of(tracer.window_end_fs);
  const auto runs = static_cast<double>(curve.n_runs);
  const WalkModel model{.first = first,
                        .last = last,
                        .jump_cumulant = std::max(0.0, excess_cumulant(curve, first)) /
                                         static_cast<double>(curve.lag_frames[first]) * runs /
                                         static_cast<double>(curve.n_ions),
                        .n_walkers = runs,
                        .smooth = true};
  const Regression regression = regress(curve, curve.collective_A2, model);
  const Eigen::Map<const Eigen::VectorXd> values(curve.collective_A2.data() + model.first,
                                                 regression.fit.slope.size());
  const double slope = regression.fit.slope.dot(values);
  const double error = std::sqrt(regression.variance);
  const double unit = constants::A2_per_fs_in_cm2_per_s / (2 * static_cast<double>(curve.n_dimensions));
  result.D = slope * unit;
  result.std = error * unit;
  if (!(slope > 0)) return result;
  // The error is proportional to a slope that is itself uncertain: as a chi-squared with 2/relative² degrees.
  const double freedom = std::max(1.0, 2 * slope * slope / (error * error));
  const Interval interval(error, freedom);
  result.std = interval.one() * unit;
  interval.limits(slope, 0.95, unit, result.interval_95);
  result.haven_ratio = tracer.D / result.D;
  result.haven_std = result.haven_ratio * std::hypot(tracer.std / tracer.D, error / slope);
  return result;
}

double jump_length_from_displacements(const MsdCurve& curve) {
  double squared = nan;
  const double msd = curve.msd_A2.front(), excess = excess_cumulant(curve, 0);
  const std::size_t last = window_end(curve, 0.25);
  for (std::size_t l = 1; l <= last; ++l) {
    const double gained = curve.msd_A2[l] - msd;
    const Sample growth = independent(
        (curve.ion_msd_A2.row(static_cast<Eigen::Index>(l)) - curve.ion_msd_A2.row(0)).transpose());
    if (growth.freedom > 0 && !(growth.mean > 3 * growth.error)) continue;
    squared = (excess_cumulant(curve, l) - excess) / gained;
    if (gained >= 0.5 * squared) break;  // about half a jump an ion: most displacements are single jumps
  }
  return squared > 0 ? std::sqrt(squared) : nan;
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
