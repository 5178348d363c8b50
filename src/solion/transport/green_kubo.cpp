// Correlations of the last frames with the present one; blocks are joined in pairs when there are 16.
#include "solion/transport/green_kubo.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/structure/elements.hpp"
#include "solion/transport/green_kubo_error.hpp"
#include "solion/transport/mobile_view.hpp"

namespace solion::transport {
namespace {

/// The first steps are judged early, so that a long file is not read in vain.
constexpr std::size_t first_steps = 20;

}  // namespace

void VelocityCheck::add(const Frame& frame, const std::vector<std::size_t>& ions, const std::string& where) {
  last_where_ = where;
  n_ions_ = ions.size();
  const bool first = positions_.empty();
  positions_.resize(n_ions_);
  velocities_.resize(n_ions_);
  double moved = 0, product = 0, expected = 0, off = 0;
  for (std::size_t k = 0; k < n_ions_; ++k) {
    const Vec3 &r = frame.positions[ions[k]], &v = frame.velocities[ions[k]];
    Vec3 d = r - positions_[k];
    if (!first && frame.cell) d = frame.cell->minimum_image(d);
    const Vec3 m = 0.5 * interval_fs_ * (velocities_[k] + v);
    if (!first) {
      moved += d.squaredNorm();
      product += d.dot(m);
      expected += m.squaredNorm();
      off += (d - m).squaredNorm();
      vv_ += 0.5 * (velocities_[k].squaredNorm() + v.squaredNorm());
      v_next_ += velocities_[k].dot(v);
    }
    positions_[k] = r;
    velocities_[k] = v;
  }
  if (first) return;
  // An honest step of velocities that tell is off by a fraction of its length; without a cell an atom that
  // leaves a box on one side and enters on the other may be off by as much.
  const bool far = frame.cell && n_steps_ > first_steps &&
                   off > 9 * std::max(expected, mm_ / static_cast<double>(n_steps_));
  if (far && tells()) {
    const auto ions_here = static_cast<double>(n_ions_);
    throw InputError(
        "{}: ions moved {:.3g} Å (root mean square) since the frame before, but {:.3g} Å by their "
        "velocities: frames are missing or out of order",
        where, std::sqrt(moved / ions_here), std::sqrt(expected / ions_here));
  }
  dd_ += moved;
  dm_ += product;
  mm_ += expected;
  if (++n_steps_ == first_steps) check_slope();
}

bool VelocityCheck::tells() const {
  constexpr double smooth = 0.7, related = 0.9;
  return v_next_ > smooth * vv_ && std::abs(dm_) > related * std::sqrt(dd_ * mm_);
}

void VelocityCheck::check_slope() const {
  if (!tells()) return;
  const double slope = dm_ / mm_;
  // Ions, not their components, count as independent, so that the error is rather too large.
  const auto n = static_cast<double>(n_steps_ * n_ions_);
  const double error = std::sqrt(std::max(0.0, dd_ / mm_ - slope * slope) / n);
  if (std::abs(slope - 1) <= 0.2 + 3 * error) return;
  throw InputError(
      "{}: between frames ions move {:.3g} times as far as their velocities say (½(v + v′)·Δt with "
      "Δt = {:g} fs); expected 0.8 to 1.2. Are the velocities in another unit than the format's (vel of "
      "extxyz: Å/fs; a LAMMPS dump: Å/ps), or are frames not {:g} fs but {:.3g} fs apart?",
      last_where_, slope, interval_fs_, interval_fs_, std::abs(slope) * interval_fs_);
}

void VelocityCheck::finish() const {
  if (n_steps_ > 0) check_slope();
}

GreenKuboAccumulator::GreenKuboAccumulator(GreenKuboOptions options, double frame_interval_fs)
    : options_(std::move(options)), interval_fs_(frame_interval_fs), check_(frame_interval_fs) {
  if (!(frame_interval_fs > 0)) throw InputError("green-kubo: a frame interval of {} fs", frame_interval_fs);
  if (!(options_.length_fs >= 2 * frame_interval_fs) || !(options_.length_fs / frame_interval_fs < 1e5))
    throw InputError("green-kubo: a correlation of {} fs of frames {} fs apart; expected 2 to 100,000 frames",
                     options_.length_fs, frame_interval_fs);
  n_lags_ = static_cast<std::size_t>(std::llround(options_.length_fs / frame_interval_fs)) + 1;
  block_frames_ = n_lags_;
}

void GreenKuboAccumulator::choose_atoms(const Frame& frame, const std::string& where) {
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (frame.element(i) == options_.species) ions_.push_back(i);
    if (is_framework(frame.element(i), options_.species, options_.framework)) fixed_.push_back(i);
  }
  if (ions_.empty())
    throw InputError("{}: no atom is of species '{}'; found {}", where, options_.species, frame.formula());
  check_framework(frame, where, options_.framework);
  if (fixed_.empty()) throw_without_framework(frame, where, options_.species);
}

/// Velocities of the ions, the framework's mean taken off.
Eigen::Matrix3Xd GreenKuboAccumulator::velocities_of(const Frame& frame, const std::string& where) const {
  Vec3 drift = Vec3::Zero();
  for (const std::size_t i : fixed_) {
    if (i >= frame.n_atoms()) throw InputError("{}: {} atoms, fewer than before", where, frame.n_atoms());
    drift += frame.velocities[i] / static_cast<double>(fixed_.size());
  }
  Eigen::Matrix3Xd now(3, static_cast<Eigen::Index>(ions_.size()));
  for (std::size_t k = 0; k < ions_.size(); ++k) {
    if (ions_[k] >= frame.n_atoms() || frame.element(ions_[k]) != options_.species)
      throw InputError("{}: atom {} is no longer {}; atoms must keep their order", where, ions_[k] + 1,
                       options_.species);
    now.col(static_cast<Eigen::Index>(k)) = frame.velocities[ions_[k]] - drift;
  }
  return now;
}

/// Two blocks become one, so that their number stays while they grow with the run.
void GreenKuboAccumulator::join_blocks() {
  for (std::size_t b = 0; 2 * b < blocks_.size(); ++b) {
    Block joined = blocks_[2 * b];
    const Block& second = blocks_[2 * b + 1];
    joined.origins += second.origins;
    joined.self += second.self;
    blocks_[b] = std::move(joined);
  }
  blocks_.resize(blocks_.size() / 2);
  block_frames_ *= 2;
}

/// The oldest frame kept is an origin with all its lags.
void GreenKuboAccumulator::add_origin() {
  constexpr std::size_t most_blocks = 16;  // even
  const auto lags = static_cast<Eigen::Index>(n_lags_);
  if (blocks_.empty() || blocks_.back().origins == block_frames_) {
    if (blocks_.size() == most_blocks) join_blocks();
    blocks_.push_back({0, Eigen::VectorXd::Zero(lags)});
  }
  Block& block = blocks_.back();
  const Eigen::Matrix3Xd& origin = kept_.front();
  const auto ions = static_cast<double>(ions_.size());
  for (Eigen::Index l = 0; l < lags; ++l) {
    const Eigen::Matrix3Xd& later = kept_[static_cast<std::size_t>(l)];
    block.self[l] += origin.cwiseProduct(later).sum() / ions;
  }
  ++block.origins;
}

void GreenKuboAccumulator::add(const Frame& frame, const std::string& where) {
  if (frame.velocities.empty())
    throw InputError("{}: no velocities; Green-Kubo needs them (solion md writes them if asked)", where);
  order_.next(frame, where);
  if (n_frames_ == 0) choose_atoms(frame, where);
  Eigen::Matrix3Xd now = velocities_of(frame, where);
  check_.add(frame, ions_, where);
  square_ += now.squaredNorm();
  sums_.emplace_back(now.rowwise().sum());
  kept_.push_back(std::move(now));
  ++n_frames_;
  if (kept_.size() > n_lags_) kept_.pop_front();
  if (kept_.size() == n_lags_) add_origin();
}

void GreenKuboAccumulator::check_temperature() const {
  if (!(square_ > 0)) {
    throw InputError("green-kubo: all velocities of {} are zero{}; were they written?", options_.species,
                     options_.framework.empty() ? "" : " (the framework's mean taken off)");
  }
  if (atomic_number(options_.species) == 0) return;  // no element, no mass
  const double mean_square = square_ / (3 * static_cast<double>(n_frames_ * ions_.size()));
  const double T_K = atomic_mass_amu(options_.species) * mean_square * constants::amu_A2_per_fs2_in_eV /
                     constants::boltzmann_eV_per_K;
  // A unit that is off by 1000 makes a millionth or a million times of it.
  constexpr double coldest_K = 0.1, hottest_K = 1e6;
  if (T_K >= coldest_K && T_K <= hottest_K) return;
  throw InputError(
      "green-kubo: the velocities of {} are those of {:.3g} K; expected {:g} to {:g} K. Are they in another "
      "unit than the format's (vel of extxyz: Å/fs; a LAMMPS dump: Å/ps)?",
      options_.species, T_K, coldest_K, hottest_K);
}

/// ⅓∫ by the trapezoidal rule.
Eigen::VectorXd GreenKuboAccumulator::integral(const Eigen::VectorXd& correlation) const {
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(correlation.size());
  for (Eigen::Index l = 1; l < sum.size(); ++l)
    sum[l] = sum[l - 1] + 0.5 * (correlation[l - 1] + correlation[l]) * interval_fs_;
  return sum / 3 * constants::A2_per_fs_in_cm2_per_s;
}

void GreenKuboAccumulator::integrate_tracer(GreenKubo& g) const {
  const auto lags = static_cast<Eigen::Index>(n_lags_);
  Eigen::VectorXd self = Eigen::VectorXd::Zero(lags), squares = self;
  double origins = 0, n = 0;
  for (const Block& b : blocks_) {
    self += b.self;
    origins += static_cast<double>(b.origins);
    n += b.origins == block_frames_ ? 1 : 0;
  }
  self /= origins;
  const Eigen::VectorXd tracer = integral(self);
  for (const Block& b : blocks_)
    if (b.origins == block_frames_)
      squares += (integral(b.self / static_cast<double>(b.origins)) - tracer).cwiseAbs2();
  constexpr double one_sigma = 0.8413447460685429;  // Φ(1)
  const double few = n < 2 ? 0 : boost::math::quantile(boost::math::students_t(n - 1), one_sigma);
  g.n_blocks = static_cast<std::size_t>(n);
  for (Eigen::Index l = 0; l < lags; ++l) {
    g.vacf_A2_per_fs2.push_back(self[l]);
    g.tracer.push_back(tracer[l]);
    g.tracer_std.push_back(n < 2 ? 0 : few * std::sqrt(squares[l] / (n * (n - 1))));
  }
}

void GreenKuboAccumulator::integrate_collective(GreenKubo& g) const {
  Eigen::Matrix3Xd sum(3, static_cast<Eigen::Index>(sums_.size()));
  for (std::size_t t = 0; t < sums_.size(); ++t) sum.col(static_cast<Eigen::Index>(t)) = sums_[t];
  sum /= std::sqrt(static_cast<double>(ions_.size()));
  // The origins that have all lags, as for the tracer.
  const auto lags = static_cast<Eigen::Index>(n_lags_);
  const Eigen::Index origins = sum.cols() - lags + 1;
  Eigen::VectorXd correlation(lags);
  for (Eigen::Index l = 0; l < lags; ++l)
    correlation[l] =
        sum.leftCols(origins).cwiseProduct(sum.middleCols(l, origins)).sum() / static_cast<double>(origins);
  const Eigen::VectorXd collective = integral(correlation);
  const Eigen::VectorXd variance =
      green_kubo_variance(sum, interval_fs_, lags) * std::pow(constants::A2_per_fs_in_cm2_per_s, 2);
  for (Eigen::Index l = 0; l < lags; ++l) {
    g.collective.push_back(collective[l]);
    g.collective_std.push_back(std::sqrt(variance[l]));
  }
  g.collective_interval_68 = green_kubo_interval(collective[lags - 1], variance[lags - 1], 0.6827);
}

GreenKubo GreenKuboAccumulator::result() const {
  if (n_frames_ < 4 * n_lags_)
    throw InputError("green-kubo: {} frames for a correlation of {}; at least four times as many are needed",
                     n_frames_, n_lags_);
  check_.finish();
  check_temperature();
  GreenKubo g;
  g.n_ions = ions_.size();
  g.n_frames = n_frames_;
  for (std::size_t l = 0; l < n_lags_; ++l) g.time_fs.push_back(static_cast<double>(l) * interval_fs_);
  integrate_tracer(g);
  integrate_collective(g);
  return g;
}

}  // namespace solion::transport
