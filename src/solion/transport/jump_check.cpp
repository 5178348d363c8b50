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
constexpr std::size_t more_than_a_chain = 8;
/// A structure that was not at rest may relax in its first step, but not so far (root mean square).
constexpr double relaxation_A = 3;
constexpr const char* before_text = "the frames before";
constexpr const char* others_text = "the other frames";

double square_A2(const Frame& frame, const Vec3& step) {
  return (frame.cell ? frame.cell->to_cartesian(step) : step).squaredNorm();
}

/// 16 times the largest mean square step otherwise, with a third of the atoms away from their sites, is
/// another configuration.
bool is_jump(double mean_A2, std::size_t moved, std::size_t n, std::size_t least, double largest_mean_A2) {
  return mean_A2 > 1.0 && mean_A2 > 16 * largest_mean_A2 && moved >= least && 3 * moved > n;
}

[[noreturn]] void refuse_jump(const std::string& where, const std::string& name, std::size_t n,
                              double mean_A2, std::size_t moved, double largest_mean_A2, const char* others) {
  throw InputError(
      "{}: {} of {} {} jumped more than 1 Å (mean square {:.2f} Å², at most {:.4f} Å² between {}): frames "
      "are missing or atoms were renumbered",
      where, moved, n, name, mean_A2, largest_mean_A2, others);
}

/// Hops are single or in chains. Where suddenly a third of a species has hopped, the time of many frames went
/// by.
bool is_sudden(std::size_t moved, std::size_t n, std::size_t most) {
  return moved >= std::max(more_than_a_chain, 6 * most) && 3 * moved > n;
}

[[noreturn]] void refuse_gap(const std::string& where, const std::string& name, std::size_t n,
                             std::size_t moved, std::size_t most) {
  throw InputError(
      "{}: {} of {} {} moved more than 1 Å since the frame before, but at most {} between other frames: a "
      "block of frames is missing",
      where, moved, n, name, most);
}

double exchange_A2(double largest_A2) { return std::max(far_A * far_A, far_ratio * far_ratio * largest_A2); }

/// `far`: a list of JumpCheck::Mover. Rings of many, or two that are far apart.
template <class Movers>
void refuse_exchange(const std::string& where, const std::string& name, const Movers& far, double largest_A2,
                     const char* others) {
  const auto very_far =
      std::count_if(far.begin(), far.end(), [](const auto& m) { return m.A2 > very_far_A * very_far_A; });
  if (far.size() < least_far && static_cast<std::size_t>(very_far) < least_very_far) return;
  throw InputError(
      "{}: {} {} (atom {} …) took each other's places, {:.2f} Å away, since the frame before, and none moved "
      "more than {:.2f} Å between {}: atoms were renumbered (sort by id)",
      where, far.size(), name, far.front().atom + 1, std::sqrt(far.front().A2), std::sqrt(largest_A2),
      others);
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

void JumpCheck::Record::raise_to(const Record& other) {
  mean_A2 = std::max(mean_A2, other.mean_A2);
  largest_A2 = std::max(largest_A2, other.largest_A2);
  moved = std::max(moved, other.moved);
}

void JumpCheck::next(const Frame& frame, const std::vector<Vec3>& steps, const std::vector<Vec3>& before,
                     const std::vector<Vec3>& now, const std::string& where) {
  if (groups_.empty()) start(frame);
  const Step step{frame, steps, before, now, where};
  measure(step);
  const bool learning = n_steps_ < steps_to_learn;
  // Most atoms say what is common: a few far ones are no drift.
  const bool any = std::any_of(own_A2_.begin(), own_A2_.end(), [](double a) { return a > 1.0; });
  const Vec3 common = any ? median(steps) : Vec3(Vec3::Zero());
  std::vector<Record> records;
  for (const Group& group : groups_) {
    records.push_back(record(step, group, common));
    if (learning && &group != &groups_.front())
      records.back().exchanged = exchanged(step, group, exchange_A2(0));
  }
  check_suspect(records);
  if (!learning) check(step, records);
  for (std::size_t g = 0; g < groups_.size(); ++g) groups_[g].most.raise_to(records[g]);
  if (learning) first_steps_.push_back({where, std::move(records)});
  if (++n_steps_ == steps_to_learn) check_first_steps();
}

void JumpCheck::start(const Frame& frame) {
  groups_.resize(1 + frame.type_map.names().size());
  groups_[0].name = "atoms";
  groups_[0].atoms.resize(frame.n_atoms());
  std::iota(groups_[0].atoms.begin(), groups_[0].atoms.end(), std::size_t{0});
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    Group& group = groups_[1 + static_cast<std::size_t>(frame.types[i])];
    group.name = frame.element(i);
    group.atoms.push_back(i);
  }
  std::erase_if(groups_, [](const Group& group) { return group.atoms.empty(); });
}

void JumpCheck::measure(const Step& step) {
  const std::size_t n = step.steps.size();
  drift_ = Vec3::Zero();
  for (const Vec3& s : step.steps) drift_ += s / static_cast<double>(n);
  own_A2_.resize(n);
  for (std::size_t i = 0; i < n; ++i) own_A2_[i] = square_A2(step.frame, step.steps[i] - drift_);
}

JumpCheck::Record JumpCheck::record(const Step& step, const Group& group, const Vec3& common) const {
  Record r;
  double sum = 0;
  for (const std::size_t i : group.atoms) {
    sum += own_A2_[i];
    r.largest_A2 = std::max(r.largest_A2, own_A2_[i]);
    if (own_A2_[i] > 1.0 && square_A2(step.frame, step.steps[i] - common) > 1.0) ++r.moved;
  }
  r.mean_A2 = sum / static_cast<double>(group.atoms.size());
  return r;
}

void JumpCheck::check(const Step& step, const std::vector<Record>& records) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    const Record &r = records[g], &most = group.most;
    const std::size_t n = group.atoms.size();
    if (g > 0)
      refuse_exchange(step.where, group.name, exchanged(step, group, exchange_A2(most.largest_A2)),
                      most.largest_A2, before_text);
    if (is_jump(r.mean_A2, r.moved, n, g == 0 ? 1 : more_than_a_chain, most.mean_A2))
      refuse_jump(step.where, group.name, n, r.mean_A2, r.moved, most.mean_A2, before_text);
    if (g > 0 && suspect_.where.empty() && is_sudden(r.moved, n, most.moved))
      suspect_ = {step.where, g, r.moved, most.moved};
  }
}

/// Melting and heating go on: only where few moved in the step behind it was there a gap.
void JumpCheck::check_suspect(const std::vector<Record>& records) {
  if (suspect_.where.empty()) return;
  const Group& group = groups_[suspect_.group];
  const std::size_t most = std::max(suspect_.most, records[suspect_.group].moved);
  if (is_sudden(suspect_.moved, group.atoms.size(), most))
    refuse_gap(suspect_.where, group.name, group.atoms.size(), suspect_.moved, most);
  suspect_ = {};
}

void JumpCheck::check_first_steps() {
  for (std::size_t k = 0; k < first_steps_.size(); ++k)
    for (std::size_t g = 0; g < groups_.size(); ++g) check_first_step(k, g);
  first_steps_.clear();
}

/// A first step against the nine others.
void JumpCheck::check_first_step(std::size_t k, std::size_t g) {
  const std::string &where = first_steps_[k].where, &name = groups_[g].name;
  const Record& r = first_steps_[k].records[g];
  const std::size_t n = groups_[g].atoms.size();
  Record others;
  for (std::size_t j = 0; j < first_steps_.size(); ++j)
    if (j != k) others.raise_to(first_steps_[j].records[g]);
  if (g > 0) {
    std::vector<Mover> far = r.exchanged;
    std::erase_if(far, [&](const Mover& m) { return !(m.A2 > exchange_A2(others.largest_A2)); });
    refuse_exchange(where, name, far, others.largest_A2, others_text);
  }
  if (k == 0 && !(r.mean_A2 > relaxation_A * relaxation_A)) return;
  if (is_jump(r.mean_A2, r.moved, n, g == 0 ? 1 : more_than_a_chain, others.mean_A2))
    refuse_jump(where, name, n, r.mean_A2, r.moved, others.mean_A2, others_text);
  if (g == 0 || k == 0 || !is_sudden(r.moved, n, others.moved)) return;
  if (k + 1 < first_steps_.size()) refuse_gap(where, name, n, r.moved, others.moved);
  suspect_ = {where, g, r.moved, others.moved};
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

/// Those of a group that went farther than far_A2 and took each other's places.
std::vector<JumpCheck::Mover> JumpCheck::exchanged(const Step& step, const Group& group,
                                                   double far_A2) const {
  std::vector<std::size_t> movers;
  std::size_t n_far = 0;
  for (const std::size_t i : group.atoms) {
    if (own_A2_[i] > vibration_A * vibration_A) movers.push_back(i);
    if (own_A2_[i] > far_A2) ++n_far;
  }
  constexpr std::size_t most = 4000;  // so many are for is_jump
  if (n_far < 2 || movers.size() > most) return {};
  std::vector<Mover> far;
  for (const std::size_t i : in_cycles(step, movers))
    if (own_A2_[i] > far_A2) far.push_back({i, own_A2_[i]});
  return far;
}

}  // namespace solion::transport
