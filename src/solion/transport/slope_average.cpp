// Each fit is linear but for λ, which runs over a grid; a fit that leaves out lags pays for each of them.
#include "solion/transport/slope_average.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

namespace solion::transport {
namespace {

/// How vibration forgets itself: within a frame, or more slowly but still faster than jumps.
struct Vibration {
  double fast = 0;   // its rate over λ
  double width = 0;  // standard deviation of its amplitude over a²; 0: none
  double probability = 0;
};
constexpr Vibration vibrations[] = {{4, 0, 0.76}, {4, 0.1, 0.08}, {8, 0.1, 0.08}, {16, 0.1, 0.08}};

/// One start, one λ, one kind of vibration.
struct Fit {
  Eigen::Index start = 0;
  double rate = 0;
  double fast = 0;
  Eigen::Vector4d parameters;  // slope, plateau + A + B, A, B (the slow vibration)
  Eigen::Matrix4d covariance;
  double chi_square = 0;
  double weight = 0;
};

/// The lags from `start` on, whitened: L⁻¹ of what is fitted, LLᵀ the covariance.
struct Whitened {
  Whitened(const Eigen::MatrixXd& covariance, const Eigen::VectorXd& frames, const Eigen::VectorXd& msd,
           Eigen::Index start)
      : solver(covariance.bottomRightCorner(frames.size() - start, frames.size() - start)),
        t(frames.tail(frames.size() - start)) {
    Eigen::MatrixX2d line(t.size(), 2);
    line << t, Eigen::VectorXd::Ones(t.size());
    columns.resize(t.size(), 4);
    columns.leftCols(2) = solver.matrixL().solve(line);
    values = solver.matrixL().solve(msd.tail(t.size()));
  }
  void set_rates(double rate, double vibration) {
    Eigen::MatrixX2d decays(t.size(), 2);
    decays << -(-rate * t.array()).exp(), -(-vibration * t.array()).exp();
    columns.rightCols(2) = solver.matrixL().solve(decays);
  }

  Eigen::LLT<Eigen::MatrixXd> solver;
  Eigen::VectorXd t;
  Eigen::MatrixX4d columns;
  Eigen::VectorXd values;
};

/// 1/variance of an amplitude a priori, Å⁻⁴, from its width over a².
double precision_of(double width, const MemoryPrior& prior) {
  return 1 / std::pow(std::max(width, 1e-6) * prior.jump_square_A2, 2);
}

Fit fit(const Whitened& w, const MemoryPrior& prior, double vibration_width) {
  const double amplitude = prior.amplitude_width > 0 ? prior.amplitude * prior.jump_square_A2 : 0;
  const double memory = precision_of(prior.amplitude_width, prior);
  const double vibration = precision_of(vibration_width, prior);
  Eigen::Matrix4d normal = w.columns.transpose() * w.columns;
  Eigen::Vector4d right = w.columns.transpose() * w.values;
  normal(2, 2) += memory;
  normal(3, 3) += vibration;
  right[2] += memory * amplitude;
  Fit result;
  result.covariance = normal.inverse();
  result.parameters = result.covariance * right;
  result.chi_square = (w.values - w.columns * result.parameters).squaredNorm() +
                      memory * std::pow(result.parameters[2] - amplitude, 2) +
                      vibration * std::pow(result.parameters[3], 2);
  return result;
}

/// ln of the prior of λ; the slope at short times is the fit's own where it is not known.
double log_prior(const Fit& f, const MemoryPrior& prior) {
  if (!(prior.amplitude_width > 0)) return 0;
  const double first = prior.first_slope > 0 ? prior.first_slope : f.parameters[0] + f.parameters[2] * f.rate;
  if (!(first > 0)) return -50;
  const double off = std::log(f.rate * prior.jump_square_A2 / (first * prior.rate)) / prior.rate_width;
  return -0.5 * off * off;
}

/// ln λ: nodes about a middle.
struct Rates {
  double middle = 0, width = 0;

  static constexpr double reach = 2.5;  // half the range over the standard deviation
  [[nodiscard]] std::vector<double> nodes() const {
    constexpr int each_side = 5;
    std::vector<double> list;
    for (int i = -each_side; i <= each_side; ++i)
      list.push_back(std::exp(middle + reach * width * i / each_side));
    return list;
  }
};

/// The prior's range at first, then what the fits leave of it, at most five times narrower at once.
Rates first_rates(const MemoryPrior& prior, const WalkShape& shape) {
  const double first = prior.first_slope > 0 ? prior.first_slope : shape.first_slope();
  return {std::log(first * prior.rate / prior.jump_square_A2), prior.rate_width};
}

Rates narrowed(const std::vector<Fit>& fits, const Rates& before, const MemoryPrior& prior) {
  double mean = 0, square = 0;
  for (const Fit& f : fits) {
    mean += f.weight * std::log(f.rate);
    square += f.weight * std::pow(std::log(f.rate), 2);
  }
  const double width = std::sqrt(std::max(0.0, square - mean * mean));
  return {mean, std::min(std::max(width, 0.5 * before.width), prior.rate_width)};
}

/// All fits with their weights, normalised: exp(−χ²/2 − price·(lags left out)) and the priors. Lags left out
/// count as fitted with a parameter each: by Akaike's criterion the price is 1 (Jay and Neil, Phys. Rev. D
/// 103, 114502 (2021)); a little more scatters less.
std::vector<Fit> all_fits(const Eigen::MatrixXd& covariance, const Eigen::VectorXd& frames,
                          const Eigen::VectorXd& msd, const MemoryPrior& prior, const Rates& rates) {
  constexpr Eigen::Index least_lags = 6;
  constexpr double price = 1.25;
  const bool curved = prior.amplitude_width > 0;
  const std::vector<double> nodes = curved ? rates.nodes() : std::vector<double>{1};
  std::vector<Fit> fits;
  const Eigen::Index n = frames.size();
  double best = -std::numeric_limits<double>::infinity();
  for (Eigen::Index start = 0; start < n; ++start) {
    if (start > 0 && (start + least_lags > n || !(2 * frames[start] <= frames[n - 1]) ||
                      !(msd[start - 1] < prior.latest_start_A2)))
      break;
    Whitened whitened(covariance, frames, msd, start);
    for (const double rate : nodes) {
      for (const Vibration& vibration : vibrations) {
        if (vibration.width > 0 && !curved) continue;
        whitened.set_rates(rate, vibration.fast * rate);
        Fit f = fit(whitened, prior, vibration.width);
        if (!f.covariance.allFinite() || !f.parameters.allFinite()) continue;
        f.start = start;
        f.rate = rate;
        f.fast = vibration.fast;
        f.weight = -0.5 * f.chi_square - price * static_cast<double>(start) + log_prior(f, prior) +
                   std::log(vibration.probability);
        best = std::max(best, f.weight);
        fits.push_back(f);
      }
    }
  }
  double sum = 0;
  for (Fit& f : fits) sum += f.weight = std::exp(f.weight - best);
  for (Fit& f : fits) f.weight /= sum;
  return fits;
}

/// The shape that the fits have in the mean, such that a walk can have it.
WalkShape mean_shape(const std::vector<Fit>& fits, double least_slope) {
  WalkShape shape;
  for (const Fit& f : fits) {
    shape.slope += f.weight * f.parameters[0];
    shape.plateau += f.weight * (f.parameters[1] - f.parameters[2] - f.parameters[3]);
    const auto add = [&](double amplitude, double rate) {
      const auto same = std::find_if(shape.memories.begin(), shape.memories.end(),
                                     [&](const WalkShape::Memory& m) { return m.rate == rate; });
      if (same == shape.memories.end())
        shape.memories.push_back({f.weight * amplitude, rate});
      else
        same->amplitude += f.weight * amplitude;
    };
    add(f.parameters[2], f.rate);
    add(f.parameters[3], f.fast * f.rate);
  }
  shape.slope = std::max(shape.slope, least_slope);
  shape.plateau = std::max(shape.plateau, 0.0);
  const double gained = shape.first_slope() - shape.slope;
  if (gained < -0.5 * shape.slope)  // steps that go on in their direction, not faster than the walk
    for (WalkShape::Memory& m : shape.memories) m.amplitude *= -0.5 * shape.slope / gained;
  return shape;
}

/// Weighted mean and variance of the slope.
struct Moments {
  double weight = 0, first = 0, second = 0;

  void add(double w, double x) {
    weight += w;
    first += w * x;
    second += w * x * x;
  }
  /// Σ w (x − mean)².
  [[nodiscard]] double scatter() const {
    return weight > 0 ? std::max(0.0, second - first * first / weight) : 0;
  }
};

/// The numbers of the average; fits of one start stand together.
SlopeAverage sum_up(const std::vector<Fit>& fits, const Eigen::MatrixXd& covariance,
                    const Eigen::VectorXd& frames, const Eigen::VectorXd& msd, const MemoryPrior& prior) {
  // Fits of one start differ in part by the noise that `variance` counts already: with this share of it the
  // intervals of the theory page's walks are right.
  constexpr double share_within = 0.85;
  const Eigen::Index n = frames.size();
  SlopeAverage result;
  result.weights = Eigen::VectorXd::Zero(n);
  const double unit = prior.jump_square_A2 * precision_of(prior.amplitude_width, prior);
  Moments all;
  double within = 0;
  for (std::size_t i = 0; i < fits.size();) {
    const Eigen::Index start = fits[i].start;
    Whitened whitened(covariance, frames, msd, start);
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(n - start);
    Moments own;
    if (all.weight < 0.5) result.start = static_cast<std::size_t>(start);
    for (; i < fits.size() && fits[i].start == start; ++i) {
      const Fit& f = fits[i];
      whitened.set_rates(f.rate, f.fast * f.rate);
      sum += f.weight * (whitened.columns * f.covariance.col(0));
      own.add(f.weight, f.parameters[0]);
      all.add(f.weight, f.parameters[0]);
      result.intercept += f.weight * f.parameters[1];
      result.rate += f.weight * std::log(f.rate);
      result.pull += f.weight * f.covariance(0, 2) * unit;
      result.chi_square += f.weight * f.chi_square;
      result.freedom += f.weight * static_cast<double>(n - start - 3);
    }
    within += own.scatter();
    result.weights.tail(sum.size()) += whitened.solver.matrixU().solve(sum);
  }
  result.slope = fits.empty() ? std::numeric_limits<double>::quiet_NaN() : all.first;
  result.rate = std::exp(result.rate);
  result.spread = share_within * within + std::max(0.0, all.scatter() - within);
  result.variance = result.weights.dot(covariance * result.weights);
  return result;
}

}  // namespace

SlopeAverage average_slope(const MsdCurve& curve, const std::vector<double>& msd,
                           const std::vector<std::size_t>& lags, WalkModel model, const MemoryPrior& prior) {
  const auto n = static_cast<Eigen::Index>(lags.size());
  Eigen::VectorXd frames(n), values(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const std::size_t l = lags[static_cast<std::size_t>(i)];
    frames[i] = static_cast<double>(curve.lag_frames[l]);
    values[i] = msd[l];
  }
  const double least_slope = 1e-3 * values[n - 1] / frames[n - 1];
  constexpr int passes = 3;
  SlopeAverage result;
  Rates rates = first_rates(prior, model.shape);
  for (int pass = 0; pass < passes; ++pass) {
    const Eigen::MatrixXd covariance = msd_covariance(curve, lags, model);
    const std::vector<Fit> fits = all_fits(covariance, frames, values, prior, rates);
    model.shape = mean_shape(fits, least_slope);
    rates = narrowed(fits, rates, prior);
    if (pass + 1 == passes) result = sum_up(fits, covariance, frames, values, prior);
  }
  result.start = lags[result.start];
  result.model = model;
  return result;
}

}  // namespace solion::transport
