// Correlations of the last frames with the present one; blocks are joined in pairs when there are 16.
#include "solion/transport/green_kubo.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/mobile_view.hpp"

namespace solion::transport {

GreenKuboAccumulator::GreenKuboAccumulator(GreenKuboOptions options, double frame_interval_fs)
    : options_(std::move(options)), interval_fs_(frame_interval_fs) {
  if (!(frame_interval_fs > 0)) throw InputError("green-kubo: a frame interval of {} fs", frame_interval_fs);
  if (!(options_.length_fs >= 2 * frame_interval_fs) || !(options_.length_fs / frame_interval_fs < 1e5))
    throw InputError("green-kubo: a correlation of {} fs of frames {} fs apart; expected 2 to 100,000 frames",
                     options_.length_fs, frame_interval_fs);
  n_lags_ = static_cast<std::size_t>(std::llround(options_.length_fs / frame_interval_fs)) + 1;
  block_frames_ = n_lags_;
}

void GreenKuboAccumulator::add(const Frame& frame, const std::string& where) {
  if (frame.velocities.empty())
    throw InputError("{}: no velocities; Green-Kubo needs them (solion md writes them if asked)", where);
  order_.next(frame, where);
  if (n_frames_ == 0) {
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      if (frame.element(i) == options_.species) ions_.push_back(i);
      if (is_framework(frame.element(i), options_.species, options_.framework)) fixed_.push_back(i);
    }
    if (ions_.empty())
      throw InputError("{}: no atom is of species '{}'; found {}", where, options_.species, frame.formula());
    check_framework(frame, where, options_.framework);
    if (fixed_.empty()) throw_without_framework(frame, where, options_.species);
  }
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
  kept_.push_back(std::move(now));
  ++n_frames_;
  if (kept_.size() > n_lags_) kept_.pop_front();
  if (kept_.size() < n_lags_) return;
  // The oldest frame kept is an origin with all its lags.
  const auto lags = static_cast<Eigen::Index>(n_lags_);
  if (blocks_.empty() || blocks_.back().origins == block_frames_) {
    if (blocks_.size() == 16) {
      for (std::size_t b = 0; b < 8; ++b) {
        Block joined = blocks_[2 * b];
        const Block& second = blocks_[2 * b + 1];
        joined.origins += second.origins;
        joined.self += second.self;
        joined.collective += second.collective;
        blocks_[b] = std::move(joined);
      }
      blocks_.resize(8);
      block_frames_ *= 2;
    }
    blocks_.push_back({0, Eigen::VectorXd::Zero(lags), Eigen::VectorXd::Zero(lags)});
  }
  Block& block = blocks_.back();
  const Eigen::Matrix3Xd& origin = kept_.front();
  const Vec3 sum = origin.rowwise().sum();
  const auto ions = static_cast<double>(ions_.size());
  for (Eigen::Index l = 0; l < lags; ++l) {
    const Eigen::Matrix3Xd& later = kept_[static_cast<std::size_t>(l)];
    block.self[l] += origin.cwiseProduct(later).sum() / ions;
    block.collective[l] += sum.dot(Vec3(later.rowwise().sum())) / ions;
  }
  ++block.origins;
}

GreenKubo GreenKuboAccumulator::result() const {
  if (n_frames_ < 4 * n_lags_)
    throw InputError("green-kubo: {} frames for a correlation of {}; at least four times as many are needed",
                     n_frames_, n_lags_);
  GreenKubo g;
  g.n_ions = ions_.size();
  g.n_frames = n_frames_;
  const auto lags = static_cast<Eigen::Index>(n_lags_);
  // ⅓∫ by the trapezoidal rule.
  const auto integral = [&](const Eigen::VectorXd& c) {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(lags);
    for (Eigen::Index l = 1; l < lags; ++l) sum[l] = sum[l - 1] + 0.5 * (c[l - 1] + c[l]) * interval_fs_;
    return Eigen::VectorXd(sum / 3 * constants::A2_per_fs_in_cm2_per_s);
  };
  Eigen::VectorXd self = Eigen::VectorXd::Zero(lags), collective = self;
  double origins = 0;
  for (const Block& b : blocks_) {
    self += b.self;
    collective += b.collective;
    origins += static_cast<double>(b.origins);
  }
  self /= origins;
  collective /= origins;
  const Eigen::VectorXd tracer = integral(self), all = integral(collective);
  Eigen::VectorXd tracer_variance = Eigen::VectorXd::Zero(lags), all_variance = tracer_variance;
  double n = 0;
  for (const Block& b : blocks_) n += b.origins == block_frames_ ? 1 : 0;
  for (const Block& b : blocks_) {
    if (b.origins != block_frames_ || n < 2) continue;
    const auto own = static_cast<double>(b.origins);
    tracer_variance += (integral(b.self / own) - tracer).cwiseAbs2() / (n * (n - 1));
    all_variance += (integral(b.collective / own) - all).cwiseAbs2() / (n * (n - 1));
  }
  g.n_blocks = static_cast<std::size_t>(n);
  for (Eigen::Index l = 0; l < lags; ++l) {
    g.time_fs.push_back(static_cast<double>(l) * interval_fs_);
    g.vacf_A2_per_fs2.push_back(self[l]);
    g.tracer.push_back(tracer[l]);
    g.tracer_std.push_back(std::sqrt(tracer_variance[l]));
    g.collective.push_back(all[l]);
    g.collective_std.push_back(std::sqrt(all_variance[l]));
  }
  return g;
}

}  // namespace solion::transport
