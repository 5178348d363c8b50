// How long does one step of training take?
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "solion/train/settings.hpp"

namespace solion::bench {

struct TrainTiming {
  std::int64_t steps = 0;  ///< timed
  double ms_per_step = 0;  ///< median
  double fastest_ms = 0;
  double mean_ms = 0;
  std::size_t n_parameters = 0;
  std::size_t n_frames = 0;  ///< in the training data
  bool single_precision = false;
};

/// Trains from the input file for `steps` steps after a few that are not counted, in a folder that vanishes:
/// no checkpoint, learning curve or validation is kept. `device` as RunOptions has it. Throws what
/// train::train throws.
TrainTiming time_training(const std::filesystem::path& input, std::int64_t steps, int threads,
                          std::optional<train::Precision> precision, const std::string& device);

}  // namespace solion::bench
