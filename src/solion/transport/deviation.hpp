// How far a committee of models disagrees along a trajectory: where its dynamics can be trusted, and where
// not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "solion/potential/committee.hpp"
#include "solion/transport/columns.hpp"

namespace solion::transport {

/// Of the largest deviation of a force in a frame (eV/Å): up to `lower` a frame is accurate, beyond `upper`
/// it has failed, between them it is a candidate for labelling (DP-GEN's names; docs/theory/learn.md).
struct DeviationLevels {
  double lower = 0, upper = 0;
};

/// InputError unless 0 < lower < upper.
void check_levels(const DeviationLevels& levels);

struct DeviationReport {
  std::size_t n_models = 0;
  double interval_fs = 0;  ///< between frames; NaN: not known
  std::vector<double> force_max, force_mean,
      force_min;               ///< eV/Å, by frame; NaN where a member gave no number
  std::vector<double> energy;  ///< eV/atom
  std::size_t n_not_finite = 0;
  std::optional<DeviationLevels> levels;
};

/// Memory: four numbers a frame.
class DeviationAccumulator {
 public:
  explicit DeviationAccumulator(Committee models) : models_(std::move(models)) {}

  /// Every frame from fresh caches, so that its numbers do not depend on the frames before it. InputError for
  /// an element that a member does not know.
  void add(const Frame& frame, const std::string& where);
  /// InputError without frames, or for levels that are not 0 < lower < upper.
  [[nodiscard]] DeviationReport report(double interval_fs, std::optional<DeviationLevels> levels = {}) const;

  [[nodiscard]] std::string save() const;
  void load(std::string_view bytes);
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.force_max_, self.force_mean_, self.force_min_, self.energy_);
  }

 private:
  Committee models_;
  std::vector<double> force_max_, force_mean_, force_min_, energy_;
};

Json to_json(const DeviationReport& report);
/// frame (from 0), time_ps where it is known, and the four deviations.
Columns columns(const DeviationReport& report);
std::string text(const DeviationReport& report);

}  // namespace solion::transport
