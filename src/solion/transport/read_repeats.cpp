// One number a frame in a table, and whether atoms move so that they cannot come back.
#include "solion/transport/read_repeats.hpp"

#include <bit>

#include "solion/base/errors.hpp"

namespace solion::transport {

std::uint64_t fingerprint(const std::vector<Vec3>& positions) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;  // 2⁶⁴ over the golden ratio: mixes all bits upwards
  std::uint64_t hash = positions.size();
  for (const Vec3& r : positions) {
    for (int k = 0; k < 3; ++k) {
      hash = (hash ^ std::bit_cast<std::uint64_t>(r[k] + 0.0)) * odd;  // −0 is 0
      hash ^= hash >> 32U;
    }
  }
  return hash;
}

void RepeatCheck::next(const Frame& frame, std::size_t part, std::size_t n) {
  if (replicas_ && part != last_part_) last_.clear();  // no step leads from one run to another
  look_at_step(frame);
  last_part_ = part;
  const Place now{part, n};
  const auto [at, is_new] = places_.try_emplace(fingerprint(frame.positions), now);
  const bool same_start = replicas_ && n == 1 && at->second.n == 1;
  if (!is_new && !same_start && found_.empty()) found_ = message(now, at->second);
  if (!found_.empty() && n_moving_ > 0 && 10 * n_alive_ > 9 * n_moving_) throw InputError("{}", found_);
}

void RepeatCheck::look_at_step(const Frame& frame) {
  const std::size_t n = frame.n_atoms();
  std::size_t moved = 0, near = 0;
  if (last_.size() == n) {
    for (std::size_t i = 0; i < n; ++i) {
      const double step = (frame.positions[i] - last_[i]).norm();
      moved += step > 0 ? 1 : 0;
      near += step > 0 && step < 1 ? 1 : 0;
    }
  }
  constexpr std::size_t many = 8;  // so many walkers do not all return at once
  if (moved > 0) ++n_moving_;
  if (near > 0 || (moved >= many && 2 * moved >= n)) ++n_alive_;
  last_ = frame.positions;
}

std::string RepeatCheck::message(const Place& now, const Place& before) const {
  const std::string own = (*files_)[now.part].string(), other = (*files_)[before.part].string();
  if (now.part == before.part) {
    return fmt::format(
        "{}: frame {} is frame {} again: a restart wrote it twice; cut the overlap out, so that each frame "
        "is there once",
        own, now.n, before.n);
  }
  if (replicas_)
    return fmt::format("{}: frame {} is frame {} of {} again: expected independent runs, not copies", own,
                       now.n, before.n, other);
  return fmt::format(
      "{}: frame {} is frame {} of {} again: a restart wrote it twice; cut the overlap out (only the last "
      "frame of a file may begin the next one)",
      own, now.n, before.n, other);
}

}  // namespace solion::transport
