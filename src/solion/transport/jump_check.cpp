// Mean squares against those before, and permutations among the atoms that went far.
#include "solion/transport/jump_check.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

constexpr std::size_t steps_to_learn = 10;  // say what is usual
constexpr double vibration_A = 1;           // nearer than this is the same site
constexpr double far_ratio = 1.5;           // of the farthest step before
constexpr double far_A = 2, very_far_A = 5;
// Ions of a chain follow each other, but nothing turns rings of so many, or of two that are so far apart.
constexpr std::size_t least_far = 4, least_very_far = 2;

double square_A2(const Frame& frame, const Vec3& step) {
  return (frame.cell ? frame.cell->to_cartesian(step) : step).squaredNorm();
}

}  // namespace

Vec3 median(const std::vector<Vec3>& steps) {
  Vec3 result;
  std::vector<double> values(steps.size());
  for (int k = 0; k < 3; ++k) {
    for (std::size_t i = 0; i < steps.size(); ++i) values[i] = steps[i][k];
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    result[k] = *middle;
  }
  return result;
}

void JumpCheck::next(const Frame& frame, const std::vector<Vec3>& steps, const std::vector<Vec3>& before,
                     const std::vector<Vec3>& now, const std::string& where) {
  const Step step{frame, steps, before, now, where};
  measure(step);
  if (n_steps_ >= steps_to_learn) {
    check_many(step, all_, largest_mean_A2_, 1, "atoms");
    for (const Species& s : species_) {
      constexpr std::size_t more_than_a_chain = 8;
      if (s.atoms.empty()) continue;
      check_exchange(step, s);
      check_many(step, s.atoms, s.largest_mean_A2, more_than_a_chain, frame.element(s.atoms.front()));
    }
  }
  largest_mean_A2_ = std::max(largest_mean_A2_, mean_A2(all_));
  for (Species& s : species_) {
    s.largest_mean_A2 = std::max(s.largest_mean_A2, mean_A2(s.atoms));
    for (const std::size_t i : s.atoms) s.largest_A2 = std::max(s.largest_A2, own_A2_[i]);
  }
  ++n_steps_;
}

void JumpCheck::measure(const Step& step) {
  const std::size_t n = step.steps.size();
  if (species_.empty()) {
    species_.resize(step.frame.type_map.names().size());
    for (std::size_t i = 0; i < n; ++i)
      species_[static_cast<std::size_t>(step.frame.types[i])].atoms.push_back(i);
  }
  all_.resize(n);
  std::iota(all_.begin(), all_.end(), std::size_t{0});
  drift_ = Vec3::Zero();
  for (const Vec3& s : step.steps) drift_ += s / static_cast<double>(n);
  own_A2_.resize(n);
  for (std::size_t i = 0; i < n; ++i) own_A2_[i] = square_A2(step.frame, step.steps[i] - drift_);
}

double JumpCheck::mean_A2(const std::vector<std::size_t>& atoms) const {
  double sum = 0;
  for (const std::size_t i : atoms) sum += own_A2_[i];
  return atoms.empty() ? 0 : sum / static_cast<double>(atoms.size());
}

/// 16 times the largest mean square step so far, with a third of the atoms more than 1 Å away, is another
/// configuration.
void JumpCheck::check_many(const Step& step, const std::vector<std::size_t>& atoms, double largest_mean_A2,
                           std::size_t least, const std::string& name) const {
  const double mean = mean_A2(atoms);
  if (!(mean > 1.0 && mean > 16 * largest_mean_A2)) return;
  // Less what most atoms do: a few far ones are no drift.
  const Vec3 common = median(step.steps);
  std::size_t moved = 0;
  for (const std::size_t i : atoms)
    if (own_A2_[i] > 1.0 && square_A2(step.frame, step.steps[i] - common) > 1.0) ++moved;
  if (moved < least || !(static_cast<double>(moved) > static_cast<double>(atoms.size()) / 3)) return;
  throw InputError(
      "{}: {} of {} {} jumped more than 1 Å (mean square {:.2f} Å², at most {:.4f} Å² between the "
      "frames before): frames are missing or atoms were renumbered",
      step.where, moved, atoms.size(), name, mean, largest_mean_A2);
}

/// The movers that stand where another one stood, which stands where … the first one stood.
std::vector<std::size_t> JumpCheck::in_cycles(const Step& step,
                                              const std::vector<std::size_t>& movers) const {
  const std::size_t n = movers.size();
  std::vector<std::size_t> place_of(n, n);  // of whom each one took the place; n: of nobody
  for (std::size_t a = 0; a < n; ++a) {
    double nearest = vibration_A * vibration_A;
    for (std::size_t b = 0; b < n; ++b) {
      if (a == b) continue;
      Vec3 off = step.now[movers[a]] - step.before[movers[b]] - drift_;
      if (step.frame.cell) off -= off.array().round().matrix();
      const double d2 = square_A2(step.frame, off);
      if (d2 < nearest) nearest = d2, place_of[a] = b;
    }
  }
  std::vector<std::size_t> walk_of(n, n), cycles;  // the walk that came by each one first
  for (std::size_t a = 0; a < n; ++a) {
    std::size_t at = a;
    for (; at < n && walk_of[at] == n; at = place_of[at]) walk_of[at] = a;
    if (at == n || walk_of[at] != a) continue;
    const std::size_t first = at;
    do cycles.push_back(movers[at]);
    while ((at = place_of[at]) != first);
  }
  return cycles;
}

void JumpCheck::check_exchange(const Step& step, const Species& species) const {
  const double far_A2 = std::max(far_A * far_A, far_ratio * far_ratio * species.largest_A2);
  std::vector<std::size_t> movers;
  std::size_t n_far = 0;
  for (const std::size_t i : species.atoms) {
    if (own_A2_[i] > vibration_A * vibration_A) movers.push_back(i);
    if (own_A2_[i] > far_A2) ++n_far;
  }
  constexpr std::size_t most = 4000;  // so many are for check_many
  if (n_far < 2 || movers.size() > most) return;
  std::vector<std::size_t> far;
  std::size_t n_very_far = 0;
  for (const std::size_t i : in_cycles(step, movers)) {
    if (!(own_A2_[i] > far_A2)) continue;
    far.push_back(i);
    if (own_A2_[i] > very_far_A * very_far_A) ++n_very_far;
  }
  if (far.size() < least_far && n_very_far < least_very_far) return;
  throw InputError(
      "{}: {} {} (atom {} …) took each other's places, {:.2f} Å away, since the frame before, and none moved "
      "more than {:.2f} Å between frames before: atoms were renumbered (sort by id)",
      step.where, far.size(), step.frame.element(far.front()), far.front() + 1,
      std::sqrt(own_A2_[far.front()]), std::sqrt(species.largest_A2));
}

}  // namespace solion::transport
