// The frames of a training and the batches that are drawn from them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "solion/train/prepared.hpp"
#include "solion/train/sampler.hpp"
#include "solion/train/settings.hpp"

namespace solion::train {

/// All frames of one system, and how many of them the statistics look at.
template <typename T>
struct PreparedSystem {
  std::string name;
  std::shared_ptr<const std::vector<Prepared<T>>> frames;
  std::size_t n_sampled = 0;
};

/// Frames that are read and whose neighbours are found once, for all trainings that share the store. For
/// several threads.
class FrameStore {
 public:
  /// The frames of a system's folder. InputError as dataset::load_system and prepare.
  template <typename T>
  std::shared_ptr<const std::vector<Prepared<T>>> prepared(const std::filesystem::path& folder,
                                                           const ModelSettings& model, int threads);

 private:
  template <typename T>
  using Known = std::map<std::string, std::shared_ptr<const std::vector<Prepared<T>>>>;

  std::mutex mutex_;
  Known<float> single_;
  Known<double> double_;
};

/// Training or validation data.
template <typename T>
class Data {
 public:
  /// `purpose` names the random streams of the batches. InputError for data without the labels that the loss
  /// wants.
  Data(const DataSettings& settings, const Settings& all, const std::string& purpose, int threads,
       FrameStore& store);

  [[nodiscard]] const std::vector<PreparedSystem<T>>& systems() const { return systems_; }
  [[nodiscard]] std::size_t n_frames() const { return n_frames_; }
  [[nodiscard]] Sampler& sampler() { return *sampler_; }
  [[nodiscard]] const Sampler& sampler() const { return *sampler_; }

  /// The frames of a step, until the next call.
  const std::vector<const Prepared<T>*>& batch(std::int64_t step);

 private:
  std::vector<PreparedSystem<T>> systems_;
  std::optional<Sampler> sampler_;
  std::size_t n_frames_ = 0;
  std::vector<const Prepared<T>*> batch_;
};

}  // namespace solion::train
