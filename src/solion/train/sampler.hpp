// Which frames make the batch of a step: drawn from counted random streams, so that a restart draws the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "solion/train/settings.hpp"

namespace solion::train {

struct FrameId {
  std::size_t system = 0;
  std::size_t frame = 0;
  bool operator==(const FrameId&) const = default;
};

/// Each step draws one system, by its probability, and takes the next frames of that system's shuffled order;
/// once fewer are left than a batch needs, the order is shuffled anew. With "mixed:N" the frames of all
/// systems are shuffled together and a batch takes the next N of them.
class Sampler {
 public:
  /// `n_frames` and `n_atoms` of each system. InputError if the rule or the weights do not fit their number.
  Sampler(const DataSettings& settings, std::vector<std::size_t> n_frames,
          const std::vector<std::size_t>& n_atoms, std::uint64_t seed, std::string purpose);

  /// The batch of a step. The same object may not go back, but `state` can be kept and set.
  const std::vector<FrameId>& next(std::int64_t step);

  [[nodiscard]] std::size_t batch_size(std::size_t system) const { return batch_[system]; }
  /// Of each system; one for all with "mixed:N".
  [[nodiscard]] const std::vector<std::size_t>& batch_sizes() const { return batch_; }
  [[nodiscard]] const std::vector<double>& probabilities() const { return probability_; }

  /// Of each system: how often it was shuffled, and how many frames of the present order are used.
  struct Position {
    std::uint64_t round = 0;
    std::uint64_t used = 0;
    bool operator==(const Position&) const = default;
  };
  [[nodiscard]] std::vector<Position> state() const;
  void set_state(const std::vector<Position>& state);

 private:
  struct Deck {
    std::vector<FrameId> order;  ///< shuffled for `position.round`
    Position position;
  };
  void shuffle(std::size_t deck);

  std::uint64_t seed_;
  std::string purpose_;
  bool mixed_ = false;
  std::vector<std::size_t> n_frames_;
  std::vector<std::size_t> batch_;  ///< by deck
  std::vector<double> probability_;
  std::vector<Deck> decks_;
  std::vector<FrameId> chosen_;
};

}  // namespace solion::train
