// The state of an interrupted training on disk, from which it goes on as if it had not stopped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "solion/dp/model.hpp"
#include "solion/train/optimizer.hpp"
#include "solion/train/sampler.hpp"

namespace solion::train {

/// Everything that the next step depends on, beside the input and the data.
template <typename T>
struct Checkpoint {
  std::int64_t step = 0;    ///< steps done
  std::string fingerprint;  ///< of the input and the data; see `Trainer`
  Json statistics;          ///< what `initial_model` found in the data (sel, normalisation, energies by type)
  std::vector<Sampler::Position> positions;             ///< of the training data
  std::vector<Sampler::Position> validation_positions;  ///< empty without validation data
  nn::AlignedVector<T> parameters;
  nn::AlignedVector<T> average;  ///< of them over the steps; empty where none is kept
  OptimizerState<T> optimizer;
};

/// Replaces the file in one step. WorkError if it cannot be written.
template <typename T>
void write_checkpoint(const std::filesystem::path& path, const Checkpoint<T>& checkpoint);
/// InputError for a file that is missing, foreign, truncated, changed, or of another precision.
template <typename T>
Checkpoint<T> read_checkpoint(const std::filesystem::path& path);

/// The step and fingerprint of a checkpoint alone; what() of the InputError says what is wrong with it.
struct CheckpointHead {
  std::int64_t step = 0;
  std::string fingerprint;
  bool single_precision = false;
};
CheckpointHead read_checkpoint_head(const std::filesystem::path& path);

/// sel, normalisation and energies by type of a model, as JSON and back.
Json statistics_of(const dp::Model& model);
void set_statistics(const Json& statistics, dp::Model& model);

}  // namespace solion::train
