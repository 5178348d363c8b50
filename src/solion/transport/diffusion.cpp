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
#include "solion/transport/slope_average.hpp"

namespace solion::transport {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

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

/// Fourth cumulant of Δr² beyond that of Gaussian steps.
double excess_cumulant(const MsdCurve& curve, std::size_t l) {
  return curve.variance_A4[l] -
         2 / static_cast<double>(curve.n_dimensions) * curve.msd_A2[l] * curve.msd_A2[l];
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

/// MSD over a² at which ions have forgotten their last jump, were half of the jumps taken back.
constexpr double forgotten_squares = 2.5;

/// Where ions have certainly forgotten where they came from, at most half the window's end.
std::size_t forgotten(const MsdCurve& curve, double jump_square, std::size_t last) {
  std::size_t l = 0;
  while (l + 1 < last && 2 * curve.lag_frames[l + 1] <= curve.lag_frames[last] &&
         !(curve.msd_A2[l] >= forgotten_squares * jump_square))
    ++l;
  return l;
}

/// Four lags an octave tell what all eight do.
bool few_an_octave(std::size_t frames) {
  while (frames > 16) frames /= 2;
  return frames <= 8 || frames % 2 == 0;
}

/// Lags of the fit: from those in which an ion hardly jumps, or all from the start that is asked for, to
/// `last`.
std::vector<std::size_t> lags_to_fit(const MsdCurve& curve, const DiffusionOptions& options,
                                     std::size_t last) {
  const bool asked = std::isfinite(options.window_start_fs);
  const double end = curve.time_fs[last];
  const double jumps = curve.msd_A2[last] / (options.jump_length_A * options.jump_length_A);
  const double start = asked ? options.window_start_fs : std::min(end / 64, 0.01 * end / jumps);
  std::vector<std::size_t> lags;
  for (std::size_t l = 0; l <= last; ++l)
    if (curve.time_fs[l] >= start && (asked || few_an_octave(curve.lag_frames[l]))) lags.push_back(l);
  return lags;
}

/// Σ of the squared shares of the axes in the displacement, less what a finite sample of Gaussian
/// displacements adds; between 1/d and 1.
double participation(const MsdCurve& curve) {
  const auto d = static_cast<double>(curve.n_dimensions);
  const auto n = static_cast<double>(curve.n_stretch_displacements);
  const double trace = curve.stretch_tensor_A2.trace();
  if (!(trace > 0)) return 1 / d;
  // ⟨tr W²⟩ = n(n + 1)·P + n and ⟨(tr W)²⟩ = n² + 2n·P for a Wishart matrix of trace 1
  const double sampled = curve.stretch_tensor_A2.squaredNorm() / (trace * trace);
  const double p = (sampled * n - 1) / (n + 1 - 2 * sampled);
  return p > 1 / d ? std::min(p, 1.0) : 1 / d;
}

/// The walk to begin with: the line through half the window and its end, and vibration.
WalkModel first_model(const MsdCurve& curve, const std::vector<double>& msd,
                      const std::vector<std::size_t>& lags, double jump_square) {
  const auto frames = [&](std::size_t l) { return static_cast<double>(curve.lag_frames[l]); };
  const std::size_t last = lags.back();
  std::size_t half = lags.front();
  while (half + 1 < last && 2 * curve.lag_frames[half + 1] <= curve.lag_frames[last]) ++half;
  WalkModel model;
  const double rise = (msd[last] - msd[half]) / (frames(last) - frames(half));
  model.shape.slope = std::max(rise, 0.3 * msd[last] / frames(last));
  model.shape.plateau = std::max(0.0, msd[lags.front()] - model.shape.slope * frames(lags.front()));
  model.participation = participation(curve);
  model.jump_square_A2 = jump_square;
  return model;
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
  if (!(ions.freedom > 0)) return {std::sqrt(modelled), prior_freedom};
  const double ratio = ions.error * ions.error / modelled;
  const boost::math::chi_squared spread(ions.freedom);
  const double high = boost::math::quantile(spread, 0.999) / ions.freedom;
  if (!(ratio <= high)) return {ions.error, ions.freedom};
  const double freedom = ions.freedom + prior_freedom;
  return {std::sqrt(modelled * (ions.freedom * ratio + prior_freedom) / freedom), freedom};
}

/// Weights and memory are taken from the data that they weigh, which adds to the scatter of the slope: by
/// 0…10 % on the walks of the theory page's table, and in second order where errors are large.
double with_feedback(double error, double slope) {
  const double relative = error / slope;
  return error * (1.04 + 2 * relative * relative);
}

constexpr double level_68 = 0.682689492137086;

/// Intervals of a value with an error in proportion to it, of so many degrees of freedom, and one that is the
/// same whatever the value.
class Interval {
 public:
  Interval(double value, double error, double freedom, double constant)
      : value_(value), error_(error), freedom_(freedom), constant_(constant) {}

  /// Half the central 68 % interval.
  [[nodiscard]] double one() const { return std::hypot(error_ * student(level_68), constant_); }
  /// Limits of equal tails. In the first error the value is a gamma distributed multiple of the truth, as a
  /// mean of squares is; the wider tails of Student's t widen that distribution. The second is normal.
  void limits(double level, double unit, double (&result)[2]) const {
    const double normal = boost::math::quantile(boost::math::normal(), 0.5 + 0.5 * level);
    const double relative = error_ / value_ * student(level) / normal;
    const double shape = 1 / (relative * relative);
    const boost::math::gamma_distribution<> multiple(shape, 1 / shape);
    const double down = value_ - value_ / boost::math::quantile(multiple, 0.5 + 0.5 * level);
    const double up = value_ / boost::math::quantile(multiple, 0.5 - 0.5 * level) - value_;
    result[0] = std::max(0.0, value_ - std::hypot(down, normal * constant_)) * unit;
    result[1] = (value_ + std::hypot(up, normal * constant_)) * unit;
  }

 private:
  [[nodiscard]] double student(double level) const {
    return boost::math::quantile(boost::math::students_t(freedom_), 0.5 + 0.5 * level);
  }
  double value_, error_, freedom_, constant_;
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
std::string unresolved_reason(const Diffusion& d, const MsdCurve& curve, std::size_t last, double slope,
                              double error) {
  const double needed = 0.5 * d.jump_length_A * d.jump_length_A;
  const double t_end = curve.time_fs[last];
  if (!(d.window_msd_A2 > needed)) {
    return fmt::format(
        "the MSD reaches {:.3g} Å² at {:.4g} ps, below a²/2 = {:.3g} Å²: vibration, not diffusion",
        d.window_msd_A2, t_end * 1e-3, needed);
  }
  if (superdiffusive(curve, forgotten(curve, d.jump_length_A * d.jump_length_A, last), last))
    return "the MSD grows faster than time inside the window: ballistic or driven, not yet diffusion";
  if (!(2 * slope * t_end >= d.intercept_A2))  // what diffusion adds to vibration and back-jumps
    return "the MSD hardly grows inside the window: a plateau, not diffusion";
  if (!(slope > error)) return "the slope is below its error";
  return {};
}

/// In time an MSD grows, unless ions only vibrate. Where one frame makes all of it, and more than vibration
/// does, each frame is as far from the next as from any other: their order is not that of time, and the
/// window's length says nothing of D. The end of the window is two octaves of lags, of which each alone is
/// the mean over few origins.
bool in_no_order(const MsdCurve& curve, std::size_t last) {
  constexpr double vibration_A2 = 1, most_growth = 1 / 0.8;
  double sum = 0, n = 0;
  for (std::size_t l = 1; l <= last; ++l) {
    if (4 * curve.lag_frames[l] <= curve.lag_frames[last]) continue;
    sum += curve.msd_A2[l];
    n += 1;
  }
  const double first = curve.msd_A2.front();
  return first > vibration_A2 && sum <= most_growth * first * n;
}

/// What all ions have in common from frame to frame, Å²: the vibration of the framework.
double common_plateau(const MsdCurve& curve) {
  if (curve.n_ions < 2) return 0;
  const double ions = static_cast<double>(curve.n_ions) / static_cast<double>(curve.n_runs);
  return ions > 1 ? std::max(0.0, (curve.collective_A2[0] - curve.msd_A2[0]) / (ions - 1)) : 0;
}

/// The combination of lags applied to each ion alone.
Eigen::VectorXd by_ion(const MsdCurve& curve, const Eigen::VectorXd& weights,
                       const std::vector<std::size_t>& lags) {
  Eigen::VectorXd values = Eigen::VectorXd::Zero(curve.ion_msd_A2.cols());
  for (std::size_t k = 0; k < lags.size(); ++k)
    values += weights[static_cast<Eigen::Index>(k)] *
              curve.ion_msd_A2.row(static_cast<Eigen::Index>(lags[k])).transpose();
  return values;
}

/// D with its error and intervals, or its bound and the reason.
void give_error(const MsdCurve& curve, const SlopeAverage& fit, const std::vector<std::size_t>& lags,
                Diffusion& d) {
  const double unit = constants::A2_per_fs_in_cm2_per_s /
                      (2 * static_cast<double>(curve.n_dimensions) * curve.frame_interval_fs);
  const Sample ions = independent(by_ion(curve, fit.weights, lags));
  const Spread spread = joined_spread(ions, fit.variance);
  d.slope_D = fit.slope * unit;
  d.independent_ions = static_cast<double>(curve.n_ions) / curve.shared_motion;
  d.std_ions = ions.error * unit;
  d.std_covariance = std::sqrt(fit.variance) * unit;
  d.std_systematic = std::sqrt(fit.spread) * unit;
  const double shared = std::sqrt(curve.shared_motion);
  const Interval interval(fit.slope, with_feedback(shared * spread.error, fit.slope), spread.freedom,
                          std::sqrt(fit.spread));
  const std::size_t last = lags.back();
  d.bound = upper_bound(curve, last, d.jump_length_A) * constants::A2_per_fs_in_cm2_per_s;
  d.reason = unresolved_reason(d, curve, last, fit.slope / curve.frame_interval_fs,
                               interval.one() / curve.frame_interval_fs);
  d.resolved = d.reason.empty();
  if (!d.resolved && in_no_order(curve, last)) {
    d.bound = nan;
    d.reason = fmt::format(
        "the MSD is a plateau of {:.3g} Å² from one frame to the next on, which is more than vibration, and "
        "no bound follows from it: frames seem to be in no order of time (a training set?)",
        curve.msd_A2.front());
  }
  if (!d.resolved) return;
  d.D = d.slope_D;
  d.std = interval.one() * unit;
  interval.limits(level_68, unit, d.interval_68);
  interval.limits(0.95, unit, d.interval_95);
  double both[2];
  interval.limits(0.90, unit, both);
  d.bound = both[1];
  d.reason = fmt::format("slope over {:.4g}…{:.4g} ps", d.window_start_fs * 1e-3, d.window_end_fs * 1e-3);
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
  const std::vector<std::size_t> lags = lags_to_fit(curve, options, last);
  if (lags.size() < 3) {
    throw InputError("diffusion: the window from {:g} ps (window start) to {:g} ps holds fewer than 3 lags",
                     options.window_start_fs * 1e-3, curve.time_fs[last] * 1e-3);
  }
  const double jump_square = options.jump_length_A * options.jump_length_A;
  MemoryPrior prior;
  prior.jump_square_A2 = jump_square;
  prior.latest_start_A2 = forgotten_squares * jump_square;
  if (std::isfinite(options.window_start_fs)) prior.amplitude_width = prior.latest_start_A2 = 0;
  WalkModel model = first_model(curve, curve.msd_A2, lags, jump_square);
  model.n_walkers = static_cast<double>(curve.n_ions);
  model.common_plateau_A2 = common_plateau(curve);
  const SlopeAverage fit = average_slope(curve, curve.msd_A2, lags, model, prior);

  Diffusion d;
  d.jump_length_A = options.jump_length_A;
  d.window_start_fs = curve.time_fs[fit.start];
  d.window_end_fs = curve.time_fs[last];
  d.window_msd_A2 = curve.msd_A2[last];
  d.n_effective_hops = static_cast<double>(curve.n_ions) * d.window_msd_A2 / jump_square;
  d.rsd_events = 3.43 / std::sqrt(d.n_effective_hops) + 0.04;
  d.intercept_A2 = fit.intercept;
  if (!std::isfinite(options.window_start_fs)) {
    d.memory_A2 = fit.intercept - fit.model.shape.plateau;
    d.memory_fs = curve.frame_interval_fs / fit.rate;
  }
  give_error(curve, fit, lags, d);
  return d;
}

namespace {

/// All ions together forget as one does. Jumps that each ion takes back may add up or, where ions take each
/// other's place, cancel.
MemoryPrior collective_prior(const MsdCurve& curve, const Diffusion& tracer) {
  MemoryPrior prior;
  prior.jump_square_A2 = tracer.jump_length_A * tracer.jump_length_A;
  if (!std::isfinite(tracer.memory_fs)) {
    prior.amplitude_width = 0;
    return prior;
  }
  const double memory = tracer.memory_A2 / prior.jump_square_A2;
  prior.amplitude = 0.5 * memory;
  prior.amplitude_width = std::max(0.1, 1.5 * std::abs(memory));
  prior.first_slope = prior.jump_square_A2 * curve.frame_interval_fs / tracer.memory_fs;
  prior.rate = 1;
  prior.rate_width = 0.3;
  return prior;
}

}  // namespace

CollectiveDiffusion fit_collective(const MsdCurve& curve, const Diffusion& tracer) {
  CollectiveDiffusion result;
  if (!tracer.resolved) return result;
  DiffusionOptions options;
  options.jump_length_A = tracer.jump_length_A;
  if (!std::isfinite(tracer.memory_fs)) options.window_start_fs = tracer.window_start_fs;
  std::size_t last = 0;
  while (last + 1 < curve.time_fs.size() && curve.time_fs[last] < tracer.window_end_fs * (1 - 1e-9)) ++last;
  const std::vector<std::size_t> lags = lags_to_fit(curve, options, last);
  const auto runs = static_cast<double>(curve.n_runs);
  const double jump_square = tracer.jump_length_A * tracer.jump_length_A;
  const MemoryPrior prior = collective_prior(curve, tracer);
  WalkModel model =
      first_model(curve, curve.collective_A2, lags, jump_square * runs / static_cast<double>(curve.n_ions));
  model.n_walkers = runs;
  const SlopeAverage fit = average_slope(curve, curve.collective_A2, lags, model, prior);
  // The error that the walk makes is in proportion to a slope that is itself uncertain, as a chi-squared with
  // 2/relative² degrees; that of the framework's vibration and of what is not known of the memory is not.
  WalkModel walk = fit.model;
  walk.shape.plateau = 0;
  const double moving =
      std::min(fit.variance, fit.weights.dot(msd_covariance(curve, lags, walk) * fit.weights));
  const double rest = fit.variance - moving + fit.spread + std::pow(prior.amplitude_width * fit.pull, 2);
  const Interval interval(fit.slope, with_feedback(std::sqrt(moving), fit.slope),
                          std::max(1.0, 2 * fit.slope * fit.slope / moving), std::sqrt(rest));
  if (!(fit.slope > interval.one())) return result;
  const double unit = constants::A2_per_fs_in_cm2_per_s /
                      (2 * static_cast<double>(curve.n_dimensions) * curve.frame_interval_fs);
  result.D = fit.slope * unit;
  result.std = interval.one() * unit;
  interval.limits(0.95, unit, result.interval_95);
  result.haven_ratio = tracer.D / result.D;
  result.haven_std = result.haven_ratio * std::hypot(tracer.std / tracer.D, result.std / result.D);
  return result;
}

double jump_length_from_displacements(const MsdCurve& curve) {
  constexpr double least_square_A2 = 1;  // nearer than 1 Å there are no two sites
  double squared = nan;
  const double msd = curve.msd_A2.front(), excess = excess_cumulant(curve, 0);
  const auto d = static_cast<double>(curve.n_dimensions);
  const std::size_t last = window_end(curve, 0.25);
  for (std::size_t l = 1; l <= last; ++l) {
    const double gained = curve.msd_A2[l] - msd;
    const Sample growth = independent(
        (curve.ion_msd_A2.row(static_cast<Eigen::Index>(l)) - curve.ion_msd_A2.row(0)).transpose());
    // One ion alone: its displacements over lags that follow each other.
    const double followers = static_cast<double>(curve.n_frames) / static_cast<double>(curve.lag_frames[l]);
    const double error = growth.freedom > 0 ? growth.error : std::sqrt(curve.variance_A4[l] / followers);
    if (!(gained > 3 * error)) continue;
    // Jumps that are taken back, or of which a frame has but one, make the cumulant less than a Poisson
    // process does: by up to (1 + 2/d)·gained, of which a part is put back.
    const double ratio = (excess_cumulant(curve, l) - excess) / gained;
    if (!(ratio > least_square_A2)) continue;
    squared = ratio + 0.4 * (1 + 2 / d) * gained;
    if (gained >= 0.1 * squared) break;  // a tenth of a jump an ion: most displacements are single jumps
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
