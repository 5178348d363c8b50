// One trajectory of an exploration: molecular dynamics with a model, watched by the committee.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "solion/md/settings.hpp"
#include "solion/potential/committee.hpp"

namespace solion::learn {

/// Trust levels of the largest deviation of a force in a frame (eV/Å): below the lower one a frame is
/// accurate, from it up to the upper one a candidate, from there on, or if any number is not finite, failed.
struct TrustLevels {
  double lower = 0.1;
  double upper = 0.3;
};

enum class Verdict { accurate, candidate, failed };
/// NaN is failed, never accurate.
Verdict judge(const Deviation& deviation, const TrustLevels& levels);

struct Candidate {
  Frame frame;
  std::int64_t step = 0;
  double deviation = 0;  ///< force_max, eV/Å; NaN for a start that no member could evaluate
};

struct Exploration {
  std::size_t planned = 0;  ///< frames that the whole trajectory would have
  std::size_t accurate = 0;
  std::size_t candidates = 0;
  /// Planned frames that were not good: the one that stopped the trajectory and all that were never reached.
  std::size_t failed = 0;
  std::optional<std::int64_t> stopped_at;  ///< step of the first frame that failed
  std::string reason;                      ///< why it failed
  /// What may be labelled: every candidate frame; after a stop also the last frame below the upper level,
  /// found by going back to the last good one and checking every step from there; a start that failed itself,
  /// as it was built and not explored.
  std::vector<Candidate> frames;
  /// force_max of the frames visited, in order; NaN for one that no reader would take.
  std::vector<double> deviations;
};

/// Runs `settings` from `start` with the committee's first member, looking every `frame_every` steps, the
/// start included. Stops at the first frame that fails. Throws Interrupted after Ctrl-C, InputError for a
/// start that molecular dynamics refuses.
Exploration explore(const Frame& start, const md::Settings& settings, std::int64_t frame_every,
                    const TrustLevels& levels, Committee& committee);

}  // namespace solion::learn
