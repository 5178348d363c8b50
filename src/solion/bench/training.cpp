// The trainer itself, watched from outside.
#include "solion/bench/training.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/train/trainer.hpp"

namespace solion::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t warm_up_steps = 5;

}  // namespace

TrainTiming time_training(const std::filesystem::path& input, std::int64_t steps, int threads,
                          std::optional<train::Precision> precision, const std::string& device) {
  if (steps < 1) throw InputError("bench: {} steps; expected at least 1", steps);
  const TemporaryFolder scratch("bench");
  train::Settings settings = train::read_settings(input);
  settings.steps = warm_up_steps + steps;
  settings.validation.reset();
  settings.display_every = static_cast<int>(settings.steps);
  settings.save_every = static_cast<int>(settings.steps);
  train::RunOptions options;
  options.folder = scratch.path();
  options.start = train::RunOptions::Start::fresh;
  options.precision = precision;
  options.threads = threads;
  options.device = device;
  std::vector<Clock::time_point> ends;
  ends.reserve(static_cast<std::size_t>(settings.steps));
  options.after_step = [&](std::int64_t) { ends.push_back(Clock::now()); };
  const train::RunSummary summary = train::train(settings, options);

  // The last step writes the checkpoint and a row of the curve.
  std::vector<double> times;
  for (std::size_t k = static_cast<std::size_t>(warm_up_steps); k < ends.size(); ++k)
    times.push_back(std::chrono::duration<double, std::milli>(ends[k] - ends[k - 1]).count());
  TrainTiming timing;
  timing.steps = steps;
  timing.mean_ms = std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
  std::sort(times.begin(), times.end());
  timing.ms_per_step = times[times.size() / 2];
  timing.fastest_ms = times.front();
  timing.n_parameters = summary.n_parameters;
  timing.n_frames = summary.n_training_frames;
  timing.single_precision =
      precision.value_or(settings.model.precision()) == train::Precision::single_precision;
  return timing;
}

}  // namespace solion::bench
