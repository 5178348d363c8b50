// One axis at a time, against the extent of all positions so far.
#include "solion/transport/wrapped_check.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/transport/jump_check.hpp"

namespace solion::transport {
namespace {

// Hops are shorter, and so are the steps of a molecule that is no wider.
constexpr double least_A = 4;
constexpr std::size_t steps_to_learn = 3;  // say how far ions go in one
// Honest steps of more than half the extent end outside of it more often than not: a cumulated sum of
// 1 and −3 comes to 20 with odds below 1 : 100,000.
constexpr double enough = 20, outside = 3;

/// True where the middle atom keeps its place: clusters that turn, and walkers without a framework, do not.
bool most_stay(const std::vector<Vec3>& steps, int axis, double common, double extent) {
  const auto still = std::count_if(steps.begin(), steps.end(),
                                   [&](const Vec3& s) { return std::abs(s[axis] - common) < 0.2 * extent; });
  return 2 * static_cast<std::size_t>(still) > steps.size();
}

}  // namespace

void WrappedCheck::start(const std::vector<Vec3>& positions) {
  low_ = high_ = positions.front();
  for (const Vec3& r : positions) {
    low_ = low_.cwiseMin(r);
    high_ = high_.cwiseMax(r);
  }
}

void WrappedCheck::next(const Frame& frame, const std::vector<Vec3>& steps, const std::vector<Vec3>& now,
                        const std::string& where) {
  const Vec3 common = median(steps);
  for (int k = 0; k < 3; ++k) check_axis(frame, steps, now, k, common[k], where);
  for (const Vec3& r : now) {
    low_ = low_.cwiseMin(r);
    high_ = high_.cwiseMax(r);
  }
  ++n_steps_;
}

void WrappedCheck::check_axis(const Frame& frame, const std::vector<Vec3>& steps,
                              const std::vector<Vec3>& now, int axis, double common,
                              const std::string& where) {
  const double extent = high_[axis] - low_[axis], margin = 0.05 * extent;
  double across = 0;
  std::size_t atom = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double step = std::abs(steps[i][axis] - common);
    if (!(step > std::max(least_A, 0.5 * extent))) {
      largest_[axis] = std::max(largest_[axis], step);
      continue;
    }
    const bool inside = now[i][axis] > low_[axis] - margin && now[i][axis] < high_[axis] + margin;
    score_[axis] = inside ? score_[axis] + 1 : std::max(0.0, score_[axis] - outside);
    if (inside && step > across) across = step, atom = i;
  }
  const bool sudden = n_steps_ >= steps_to_learn && across > 3 * largest_[axis] && across > 0.6 * extent;
  if (across == 0 || !(sudden || score_[axis] >= enough) || !most_stay(steps, axis, common, extent)) return;
  throw InputError(
      "{}: atom {} ({}) moved {:.2f} Å along {} since the frame before, across the {:.2f} Å that all atoms "
      "span: coordinates look wrapped; give the cell or unwrapped coordinates",
      where, atom + 1, frame.element(atom), across, "xyz"[axis], extent);
}

}  // namespace solion::transport
