// Counts ligands within the cutoff; shapes of the whole polyhedra.
#include "solion/transport/polyhedra.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

constexpr double skin_A = 0.5;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double distortion(const std::vector<Vec3>& arms) {
  double mean = 0, sum = 0;
  for (const Vec3& arm : arms) mean += arm.norm() / static_cast<double>(arms.size());
  for (const Vec3& arm : arms) sum += std::pow((arm.norm() - mean) / mean, 2);
  return sum / static_cast<double>(arms.size());
}

/// Octahedra: the 12 smallest of the 15 angles are those between neighbours, about 90°; tetrahedra: all 6.
/// One degree of freedom is lost to the geometry.
double angle_variance(const std::vector<Vec3>& arms) {
  if (arms.size() != 6 && arms.size() != 4) return nan;
  const std::size_t n = arms.size() == 6 ? 12 : 6;
  const double ideal = arms.size() == 6 ? 90 : std::acos(-1.0 / 3) * 180 / constants::pi;
  std::vector<double> angles;
  for (std::size_t i = 0; i < arms.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      angles.push_back(std::acos(std::clamp(arms[i].normalized().dot(arms[j].normalized()), -1.0, 1.0)) *
                       180 / constants::pi);
  std::sort(angles.begin(), angles.end());
  double sum = 0;
  for (std::size_t k = 0; k < n; ++k) sum += (angles[k] - ideal) * (angles[k] - ideal);
  return sum / static_cast<double>(n - 1);
}

/// Mean of what is a number, and its error from up to ten blocks of frames.
std::pair<double, double> mean_of(const std::vector<double>& values) {
  std::vector<double> known;
  for (const double v : values)
    if (std::isfinite(v)) known.push_back(v);
  if (known.empty()) return {nan, nan};
  double mean = 0;
  for (const double v : known) mean += v / static_cast<double>(known.size());
  const std::size_t blocks = std::min<std::size_t>(10, known.size());
  if (blocks < 2) return {mean, nan};
  double square = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::size_t first = b * known.size() / blocks, last = (b + 1) * known.size() / blocks;
    double own = 0;
    for (std::size_t i = first; i < last; ++i) own += known[i] / static_cast<double>(last - first);
    square += (own - mean) * (own - mean);
  }
  const auto n = static_cast<double>(blocks);
  return {mean, std::sqrt(square / (n * (n - 1)))};
}

}  // namespace

PolyhedraAccumulator::PolyhedraAccumulator(PolyhedraOptions options) : options_(std::move(options)) {
  if (!(options_.cutoff_A > 0))
    throw InputError("polyhedra: a cutoff of {} Å; expected a positive length", options_.cutoff_A);
  if (options_.full < 1)
    throw InputError("polyhedra: whole ones of {} ligands; expected at least 1", options_.full);
}

void PolyhedraAccumulator::add(const Frame& frame, const std::string& where) {
  if (!frame.cell) throw InputError("{}: no cell", where);
  const int centre = frame.type_map.find(options_.centre), ligand = frame.type_map.find(options_.ligand);
  const auto full = static_cast<std::size_t>(options_.full);
  std::size_t n_here = 0, six = 0, fewer = 0;
  double index = 0, variance = 0;
  near_.update(frame, options_.cutoff_A, skin_A);
  std::vector<Vec3> arms;
  for (int i = 0; i < near_.n_local(); ++i) {
    if (frame.types[static_cast<std::size_t>(i)] != centre) continue;
    arms.clear();
    for (const int j : near_.neighbors(i)) {
      if (frame.types[static_cast<std::size_t>(near_.owner(j))] != ligand) continue;
      const Vec3 arm = near_.position(j) - near_.position(i);
      if (arm.norm() < options_.cutoff_A) arms.push_back(arm);
    }
    ++counts_[static_cast<int>(arms.size())];
    ++n_here;
    fewer += arms.size() < full ? 1 : 0;
    if (arms.size() != full) continue;
    ++six;
    index += distortion(arms);
    variance += angle_variance(arms);
  }
  if (n_here == 0 || std::find(frame.types.begin(), frame.types.end(), ligand) == frame.types.end())
    throw InputError("{}: no {} or no {} among {}", where, options_.centre, options_.ligand, frame.formula());
  n_centres_ += n_here;
  n_octahedra_ += six;
  six_.push_back(static_cast<double>(six) / static_cast<double>(n_here));
  fewer_.push_back(static_cast<double>(fewer) / static_cast<double>(n_here));
  index_.push_back(six > 0 ? index / static_cast<double>(six) : nan);
  angles_.push_back(six > 0 ? variance / static_cast<double>(six) : nan);
}

PolyhedraCensus PolyhedraAccumulator::census() const {
  if (six_.empty()) throw InputError("polyhedra: no frames");
  PolyhedraCensus c;
  c.n_frames = six_.size();
  const auto total = static_cast<double>(n_centres_);
  for (const auto& [number, count] : counts_) {
    const double share = static_cast<double>(count) / total;
    c.share[number] = share;
    c.mean_coordination += number * share;
    c.six_fold += number == options_.full ? share : 0;
    c.under_coordinated += number < options_.full ? share : 0;
    c.broken += number + 2 < options_.full ? share : 0;
  }
  c.n_octahedra = n_octahedra_;
  c.six_fold_std = mean_of(six_).second;
  c.under_coordinated_std = mean_of(fewer_).second;
  std::tie(c.distortion_index, c.distortion_std) = mean_of(index_);
  std::tie(c.angle_variance_deg2, c.angle_variance_std) = mean_of(angles_);
  c.by_frame_six = six_;
  return c;
}

}  // namespace solion::transport
