// The skin of a neighbour list: given, or tuned while running by how long lists of each skin would have held.
#pragma once

#include <array>

namespace solion {

/// A caller that drops its list from time to time (molecular dynamics, at fixed steps) asks for `next` then:
/// the skin with which passing over the lists of such a time and making them would have been cheapest
/// together. What is measured are displacements and numbers of evaluations, never times, so that equal runs
/// have equal lists. Theory: docs/theory/structure.md.
class Skin {
 public:
  static constexpr double step_A = 0.1;   ///< tuned skins are multiples of this
  static constexpr double most_A = 3.0;   ///< and at most this
  static constexpr double first_A = 1.0;  ///< before anything has been measured

  /// Tuned.
  Skin() = default;
  /// Given, Å: stays.
  explicit Skin(double given_A) : tuned_(false), value_(given_A) {}

  [[nodiscard]] double value() const { return value_; }
  /// One more evaluation. A list serves it with a skin of at least `needed` Å (infinite or NaN: none does),
  /// the first list since `start` with `needed_by_first`. False if a list has to be made.
  bool keeps(double needed, double needed_by_first);
  /// The better skin after what was measured since `start`: at most one step from the present one. `cutoff`
  /// in Å.
  [[nodiscard]] double next(double cutoff) const;
  /// The list has been dropped. A tuned skin becomes `value` Å.
  void start(double value = first_A);

 private:
  static constexpr std::size_t n_values = 31;  // 0, step_A, … most_A
  [[nodiscard]] double cost(std::size_t k, double cutoff) const;

  bool tuned_ = true;
  double value_ = first_A;
  // Since the start:
  int evaluations_ = 0;
  std::array<int, n_values> lives_{};  ///< evaluations that the first list served with each; 0: all
};

}  // namespace solion
