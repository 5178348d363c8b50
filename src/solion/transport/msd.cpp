// Multi-level multi-origin MSD (after the order-n scheme of Dubbeldam et al., Mol. Simul. 35, 1084 (2009)).
#include "solion/transport/msd.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/archive.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/shared_motion.hpp"

namespace solion::transport {
namespace {

constexpr std::size_t samples_a_level = 16;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

MsdAccumulator::MsdAccumulator(MsdOptions options)
    : options_(std::move(options)), unwrapper_(options_.unwrap) {
  if (options_.mobile.empty()) throw InputError("msd: no species given");
  if (options_.axes == std::array{false, false, false}) throw InputError("msd: no axis given");
}

void MsdAccumulator::start(const Frame& frame, const std::string& where) {
  for (const std::string& name : frame.type_map.names()) {
    Group group{name, static_cast<Eigen::Index>(order_.size()), 0};
    for (std::size_t i = 0; i < frame.n_atoms(); ++i)
      if (frame.element(i) == name) order_.push_back(i);
    group.count = static_cast<Eigen::Index>(order_.size()) - group.first;
    if (group.count > 0) groups_.push_back(group);
  }
  const std::vector<std::string> present = species();
  for (const auto* list : {&options_.mobile, &options_.framework}) {
    for (const std::string& name : *list) {
      if (!contains(present, name))
        throw InputError("{}: no atom is of species '{}'; found {}", where, name, fmt::join(present, ", "));
    }
  }
  if (options_.remove_drift && options_.framework.empty()) {
    for (const std::string& name : present)
      if (!contains(options_.mobile, name)) options_.framework.push_back(name);
    if (options_.framework.empty()) {
      throw InputError(
          "{}: all atoms are {}: there is no framework whose drift could be removed; name one, or say "
          "that the drift is to stay",
          where, fmt::join(options_.mobile, ", "));
    }
  }
  for (const Group& group : groups_)
    in_framework_.insert(in_framework_.end(), static_cast<std::size_t>(group.count),
                         contains(options_.framework, group.species));
  if (frame.cell) reference_ = frame.cell->matrix();
  reference_inverse_ = reference_.inverse();
}

void MsdAccumulator::add(const Frame& frame, const std::string& where) {
  if (n_frames_ > 0 && unwrapper_.is_allowed_repeat(frame)) return;
  const std::vector<Vec3>& fractional = unwrapper_.next(frame, where);
  if (n_frames_ == 0) start(frame, where);
  if (frame.cell) volume_sum_ += frame.cell->volume();
  update_levels(snapshot(frame, fractional));
  ++n_frames_;
}

std::string MsdAccumulator::save() const { return save_state(*this); }
void MsdAccumulator::load(std::string_view bytes) { load_state(bytes, *this); }

std::vector<std::string> MsdAccumulator::species() const {
  std::vector<std::string> names;
  names.reserve(groups_.size());
  for (const Group& group : groups_) names.push_back(group.species);
  return names;
}

MsdAccumulator::Snapshot MsdAccumulator::snapshot(const Frame& frame,
                                                  const std::vector<Vec3>& fractional) const {
  Snapshot now{Eigen::ArrayX3d(static_cast<Eigen::Index>(order_.size()), 3),
               frame.cell ? frame.cell->matrix() : Mat3(Mat3::Identity())};
  Vec3 mean = Vec3::Zero();
  if (options_.remove_drift) {
    double n = 0;
    for (std::size_t p = 0; p < order_.size(); ++p) {
      if (!in_framework_[p]) continue;
      mean += fractional[order_[p]];
      n += 1;
    }
    mean /= n;
  }
  for (std::size_t p = 0; p < order_.size(); ++p)
    now.q.row(static_cast<Eigen::Index>(p)) = (fractional[order_[p]] - mean).transpose() * reference_;
  return now;
}

void MsdAccumulator::update_levels(const Snapshot& now) {
  const std::size_t t = n_frames_;
  for (std::size_t k = 0;; ++k) {
    const std::size_t stride = std::size_t{1} << k;
    if (k > 0 && (t == 0 || t % stride != 0)) break;
    if (k == levels_.size()) {
      Level level;
      level.ring.resize(samples_a_level);
      if (k > 0) {  // every level starts with frame 0, which the one below still holds when t = 2^k
        level.ring[0] = levels_[k - 1].ring[0];
        level.count = 1;
      }
      const std::size_t first = k == 0 ? 1 : samples_a_level / 2 + 1;
      for (std::size_t j = first; j <= samples_a_level; ++j) {
        LagSums sums;
        sums.lag = j * stride;
        sums.fourth.resize(groups_.size());
        sums.collective.resize(groups_.size());
        level.lags.push_back(std::move(sums));
      }
      levels_.push_back(std::move(level));
    }
    Level& level = levels_[k];
    for (LagSums& sums : level.lags) {
      const std::size_t j = sums.lag / stride;
      if (level.count >= j) correlate(now, level.ring[(level.count - j) % samples_a_level], sums);
    }
    level.ring[level.count % samples_a_level] = now;
    ++level.count;
  }
}

namespace {

/// What correlate() adds up over ions.
template <typename V>
struct MotionSums {
  V fourth, x, y, z;
};

/// Ions [first, first + V's size): their r² go to `ion`. `stretch` takes the coordinates to Å, `axes` are 0
/// or 1; without `general` both are the identity.
template <bool general, typename V>
void add_motion(const Eigen::ArrayX3d& now, const Eigen::ArrayX3d& origin, Eigen::Index first,
                const Mat3& stretch, const Vec3& axes, Eigen::ArrayXd& ion, MotionSums<V>& sums) {
  constexpr int n = V::SizeAtCompileTime;
  const auto moved = [&](int k) -> V {
    return now.col(k).template segment<n>(first) - origin.col(k).template segment<n>(first);
  };
  V x = moved(0), y = moved(1), z = moved(2);
  if constexpr (general) {
    const V a = x, b = y, c = z;
    x = (a * stretch(0, 0) + b * stretch(1, 0) + c * stretch(2, 0)) * axes[0];
    y = (a * stretch(0, 1) + b * stretch(1, 1) + c * stretch(2, 1)) * axes[1];
    z = (a * stretch(0, 2) + b * stretch(1, 2) + c * stretch(2, 2)) * axes[2];
  }
  const V r2 = x * x + y * y + z * z;
  ion.segment<n>(first) += r2;
  sums.fourth += r2 * r2;
  sums.x += x;
  sums.y += y;
  sums.z += z;
}

/// In one pass, eight ions at a time.
template <bool general>
MotionSums<double> sum_motion(const Eigen::ArrayX3d& now, const Eigen::ArrayX3d& origin, Eigen::Index first,
                              Eigen::Index count, const Mat3& stretch, const Vec3& axes,
                              Eigen::ArrayXd& ion) {
  using Eight = Eigen::Array<double, 8, 1>;
  using One = Eigen::Array<double, 1, 1>;
  MotionSums<Eight> sums{Eight::Zero(), Eight::Zero(), Eight::Zero(), Eight::Zero()};
  MotionSums<One> rest{One::Zero(), One::Zero(), One::Zero(), One::Zero()};
  const Eigen::Index end = first + count;
  Eigen::Index i = first;
  for (; i + 8 <= end; i += 8) add_motion<general>(now, origin, i, stretch, axes, ion, sums);
  for (; i < end; ++i) add_motion<general>(now, origin, i, stretch, axes, ion, rest);
  return {sums.fourth.sum() + rest.fourth[0], sums.x.sum() + rest.x[0], sums.y.sum() + rest.y[0],
          sums.z.sum() + rest.z[0]};
}

}  // namespace

void MsdAccumulator::correlate(const Snapshot& now, const Snapshot& origin, LagSums& sums) {
  if (sums.ion.size() == 0) sums.ion = Eigen::ArrayXd::Zero(now.q.rows());
  const bool same_cell = now.h == reference_ && origin.h == reference_;
  const bool all_axes = options_.axes[0] && options_.axes[1] && options_.axes[2];
  const Mat3 stretch =
      same_cell ? Mat3(Mat3::Identity()) : Mat3(0.5 * reference_inverse_ * (now.h + origin.h));
  const Vec3 axes(options_.axes[0] ? 1 : 0, options_.axes[1] ? 1 : 0, options_.axes[2] ? 1 : 0);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const auto ions = static_cast<double>(groups_[g].count);
    const auto sum = same_cell && all_axes ? sum_motion<false> : sum_motion<true>;
    const auto [fourth, x, y, z] =
        sum(now.q, origin.q, groups_[g].first, groups_[g].count, stretch, axes, sums.ion);
    sums.fourth[g] += fourth;
    sums.collective[g] += (x * x + y * y + z * z) / ions;
  }
  ++sums.origins;
}

Eigen::ArrayX3d MsdAccumulator::displacement(const Snapshot& now, const Snapshot& origin,
                                             const Group& group) const {
  const Mat3 stretch = 0.5 * reference_inverse_ * (now.h + origin.h);
  Eigen::ArrayX3d d =
      ((now.q.middleRows(group.first, group.count) - origin.q.middleRows(group.first, group.count)).matrix() *
       stretch)
          .array();
  for (int k = 0; k < 3; ++k)
    if (!options_.axes[static_cast<std::size_t>(k)]) d.col(k).setZero();
  return d;
}

/// The finest level whose ring still holds all of its samples spans the run.
void MsdAccumulator::add_stretches(const Group& group, MsdCurve& curve) const {
  for (std::size_t k = 0; k < levels_.size(); ++k) {
    const Level& level = levels_[k];
    if (level.count > samples_a_level) continue;
    curve.stretch_frames = std::size_t{1} << k;
    std::vector<Eigen::ArrayX3d> stretches;
    for (std::size_t i = 1; i < level.count; ++i) {
      const Eigen::ArrayX3d d = displacement(level.ring[i], level.ring[i - 1], group);
      curve.stretch_msd_A2.push_back(d.square().sum() / static_cast<double>(group.count));
      curve.stretch_tensor_A2 += d.matrix().transpose() * d.matrix();
      curve.n_stretch_displacements += static_cast<std::size_t>(group.count);
      stretches.push_back(d);
    }
    curve.shared_motion = shared_motion(stretches);
    curve.stretch_tensor_A2 /= std::max(1.0, static_cast<double>(curve.n_stretch_displacements));
    return;
  }
}

MsdCurve MsdAccumulator::curve(const std::string& species, double frame_interval_fs) const {
  if (!(frame_interval_fs > 0) || !std::isfinite(frame_interval_fs))
    throw InputError("msd: a frame interval of {} fs; expected a positive time", frame_interval_fs);
  if (n_frames_ < 2) throw InputError("msd: {} frames; at least 2 are needed", n_frames_);
  const auto found =
      std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) { return g.species == species; });
  if (found == groups_.end())
    throw InputError("msd: no atom is of species '{}'; found {}", species, fmt::join(this->species(), ", "));
  const auto g = static_cast<std::size_t>(found - groups_.begin());

  MsdCurve curve;
  curve.species = species;
  curve.n_ions = static_cast<std::size_t>(found->count);
  curve.n_frames = n_frames_;
  curve.n_dimensions = static_cast<std::size_t>(std::count(options_.axes.begin(), options_.axes.end(), true));
  curve.frame_interval_fs = frame_interval_fs;
  curve.mean_volume_A3 = volume_sum_ / static_cast<double>(n_frames_);
  std::vector<const LagSums*> used;
  for (const Level& level : levels_)
    for (const LagSums& sums : level.lags)
      if (sums.origins > 0) used.push_back(&sums);
  curve.ion_msd_A2.resize(static_cast<Eigen::Index>(used.size()), found->count);
  for (std::size_t l = 0; l < used.size(); ++l) {
    const LagSums& sums = *used[l];
    const auto origins = static_cast<double>(sums.origins);
    const Eigen::ArrayXd ion = sums.ion.segment(found->first, found->count) / origins;
    const double msd = ion.mean();
    curve.lag_frames.push_back(sums.lag);
    curve.time_fs.push_back(static_cast<double>(sums.lag) * frame_interval_fs);
    curve.msd_A2.push_back(msd);
    curve.variance_A4.push_back(
        std::max(0.0, sums.fourth[g] / (origins * static_cast<double>(curve.n_ions)) - msd * msd));
    curve.collective_A2.push_back(sums.collective[g] / origins);
    curve.n_origins.push_back(sums.origins);
    curve.ion_msd_A2.row(static_cast<Eigen::Index>(l)) = ion.transpose();
  }
  add_stretches(*found, curve);
  return curve;
}

MsdCurve join_replicas(const std::vector<MsdCurve>& curves) {
  if (curves.empty()) throw InputError("msd: no replicas to join");
  MsdCurve joined = curves.front();
  std::size_t n_lags = joined.lag_frames.size();
  for (const MsdCurve& c : curves) {
    if (c.species != joined.species || c.n_dimensions != joined.n_dimensions ||
        c.frame_interval_fs != joined.frame_interval_fs)
      throw InputError("msd: replicas of {} at {} fs and of {} at {} fs cannot be joined", joined.species,
                       joined.frame_interval_fs, c.species, c.frame_interval_fs);
    n_lags = std::min(n_lags, c.lag_frames.size());
  }
  const auto lags = static_cast<Eigen::Index>(n_lags);
  double ions = 0;
  for (const MsdCurve& c : curves) ions += static_cast<double>(c.n_ions);
  joined.lag_frames.resize(n_lags);
  joined.time_fs.resize(n_lags);
  joined.msd_A2.assign(n_lags, 0);
  joined.collective_A2.assign(n_lags, 0);
  joined.variance_A4.assign(n_lags, 0);
  joined.n_origins.assign(n_lags, 0);
  joined.ion_msd_A2.resize(lags, static_cast<Eigen::Index>(ions));
  joined.mean_volume_A3 = 0;
  if (curves.size() > 1) joined.stretch_msd_A2.clear();
  joined.stretch_tensor_A2.setZero();
  joined.n_stretch_displacements = 0;
  joined.shared_motion = 0;
  joined.n_frames = curves.front().n_frames;
  joined.n_runs = 0;
  Eigen::Index column = 0;
  for (const MsdCurve& c : curves) {
    const double share = static_cast<double>(c.n_ions) / ions;
    joined.n_runs += c.n_runs;
    joined.stretch_tensor_A2 += share * c.stretch_tensor_A2;
    joined.n_stretch_displacements += c.n_stretch_displacements;
    joined.shared_motion += share * c.shared_motion;
    joined.n_frames = std::min(joined.n_frames, c.n_frames);
    joined.mean_volume_A3 += c.mean_volume_A3 / static_cast<double>(curves.size());
    const auto n = static_cast<Eigen::Index>(c.n_ions);
    joined.ion_msd_A2.middleCols(column, n) = c.ion_msd_A2.topRows(lags);
    column += n;
    for (std::size_t l = 0; l < n_lags; ++l) {
      joined.msd_A2[l] += share * c.msd_A2[l];
      joined.collective_A2[l] += share * c.collective_A2[l];
      joined.variance_A4[l] += share * (c.variance_A4[l] + c.msd_A2[l] * c.msd_A2[l]);
      joined.n_origins[l] = std::max(joined.n_origins[l], c.n_origins[l]);
    }
  }
  for (std::size_t l = 0; l < n_lags; ++l) joined.variance_A4[l] -= joined.msd_A2[l] * joined.msd_A2[l];
  joined.n_ions = static_cast<std::size_t>(ions);
  return joined;
}

}  // namespace solion::transport
