// The walk, and the way back to its last good frame.
#include "solion/learn/explore.hpp"

#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"
#include "solion/io/frames.hpp"
#include "solion/md/simulation.hpp"

namespace solion::learn {
namespace {

/// Without the model's own labels and the velocities: a configuration to be labelled.
Frame bare(Frame frame) {
  frame.labels = {};
  frame.velocities.clear();
  frame.images.clear();
  return frame;
}

std::string describe(const Deviation& deviation, const TrustLevels& levels) {
  if (!deviation.finite) return "a model gave a number that is not finite";
  return fmt::format("deviation {:.3f} eV/Å, upper level {:.3f}", deviation.force_max, levels.upper);
}

/// Why a reader would refuse the frame (atoms on top of each other, a cell that has burst); empty if it would
/// not. No deviation need show it: members may agree about what they have never seen.
std::string unphysical(const Frame& frame) {
  try {
    io::check_frame(frame, "the model's own dynamics", {});
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

class Walk {
 public:
  Walk(const md::Settings& settings, std::int64_t frame_every, const TrustLevels& levels,
       Committee& committee)
      : settings_(settings),
        frame_every_(frame_every),
        levels_(levels),
        committee_(committee),
        driver_(committee.member(0).clone()) {}

  Exploration operator()(const Frame& start) {
    const std::int64_t steps = settings_.total_steps();
    result_.planned = static_cast<std::size_t>(steps / frame_every_) + 1;
    try {
      md::Simulation simulation(settings_, start, *driver_);
      if (!look(simulation)) {
        // Built, not explored: nothing says that it is unphysical, and without it nothing would be learned.
        if (unphysical(start).empty()) add(simulation);
        return finish();
      }
      md::State good = simulation.state();
      while (simulation.state().step < steps) {
        throw_if_interrupted();
        if (!advance(simulation) || (due(simulation) && !look(simulation))) {
          result_.stopped_at = simulation.state().step;
          go_back(std::move(good));
          return finish();
        }
        if (due(simulation)) good = simulation.state();
      }
    } catch (const WorkError& error) {  // the start itself cannot be evaluated
      result_.reason = error.what();
      result_.stopped_at = 0;
      if (unphysical(start).empty())
        result_.frames.push_back({bare(start), 0, std::numeric_limits<double>::quiet_NaN()});
    }
    return finish();
  }

 private:
  [[nodiscard]] bool due(const md::Simulation& simulation) const {
    return simulation.state().step % frame_every_ == 0;
  }

  /// One step; false if the dynamics broke down.
  bool advance(md::Simulation& simulation) {
    try {
      simulation.step();
      return true;
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {  // exploded, or atoms so near that a potential refuses them
      result_.reason = error.what();
      return false;
    }
  }

  /// Judges the present frame; false if it failed.
  bool look(const md::Simulation& simulation) {
    if (std::string problem = unphysical(simulation.frame()); !problem.empty()) {
      result_.deviations.push_back(std::numeric_limits<double>::quiet_NaN());
      result_.stopped_at = simulation.state().step;
      result_.reason = std::move(problem);
      return false;
    }
    deviation_ = committee_.evaluate(simulation.state().frame);
    const Verdict verdict = judge(deviation_, levels_);
    result_.deviations.push_back(deviation_.force_max);
    if (verdict == Verdict::failed) {
      result_.stopped_at = simulation.state().step;
      result_.reason = describe(deviation_, levels_);
      return false;
    }
    if (verdict == Verdict::accurate) ++result_.accurate;
    if (verdict == Verdict::candidate) {
      ++result_.candidates;
      add(simulation);
    }
    return true;
  }

  void add(const md::Simulation& simulation) {
    result_.frames.push_back({bare(simulation.frame()), simulation.state().step, deviation_.force_max});
  }

  /// From the last good frame, checking every step: the last frame that is not failed is the one to learn
  /// from.
  void go_back(md::State good) {
    const std::string reason = result_.reason;
    const auto stopped_at = result_.stopped_at;
    md::Simulation simulation(settings_, std::move(good), *driver_);
    // If the very next step fails, it is the last good frame itself.
    Candidate last{bare(simulation.frame()), simulation.state().step,
                   committee_.evaluate(simulation.state().frame).force_max};
    while (simulation.state().step < *stopped_at) {
      if (!advance(simulation) || !unphysical(simulation.frame()).empty()) break;
      deviation_ = committee_.evaluate(simulation.state().frame);
      if (judge(deviation_, levels_) == Verdict::failed) break;
      last = Candidate{bare(simulation.frame()), simulation.state().step, deviation_.force_max};
    }
    if (result_.frames.empty() || result_.frames.back().step != last.step)
      result_.frames.push_back(std::move(last));
    result_.reason = reason;
    result_.stopped_at = stopped_at;
  }

  Exploration finish() {
    result_.failed = result_.planned - result_.accurate - result_.candidates;
    return std::move(result_);
  }

  const md::Settings& settings_;
  std::int64_t frame_every_;
  const TrustLevels& levels_;
  Committee& committee_;
  std::unique_ptr<Potential> driver_;
  Deviation deviation_;
  Exploration result_;
};

}  // namespace

Verdict judge(const Deviation& deviation, const TrustLevels& levels) {
  if (!deviation.finite || !(deviation.force_max < levels.upper)) return Verdict::failed;
  return deviation.force_max < levels.lower ? Verdict::accurate : Verdict::candidate;
}

Exploration explore(const Frame& start, const md::Settings& settings, std::int64_t frame_every,
                    const TrustLevels& levels, Committee& committee) {
  return Walk(settings, frame_every, levels, committee)(start);
}

}  // namespace solion::learn
