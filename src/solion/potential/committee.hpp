// Several models of one energy surface, and how far they disagree.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "solion/potential/potential.hpp"

namespace solion {

/// Disagreement of K models about the forces of a frame: ε_i = √(1/K Σ_k |F_k,i − F̄_i|²), eV/Å
/// (Zhang et al., Comput. Phys. Commun. 253, 107206 (2020), eq. 2; docs/theory/learn.md).
struct Deviation {
  double force_max = 0;
  double force_mean = 0;
  double force_min = 0;
  double energy = 0;  ///< standard deviation of the energies, eV/atom
  /// False if any member gave a number that is not finite; then nothing above may be believed.
  bool finite = true;
};

/// Deviation of evaluations of the same frame. InputError unless there are two or more of equal size.
Deviation deviation_of(std::span<const Evaluation> evaluations);

/// The members, each a Potential of its own. One object serves one thread at a time.
class Committee {
 public:
  explicit Committee(std::vector<std::unique_ptr<Potential>> members);
  /// Evaluates every member. A member that throws WorkError (a result that is not finite) makes the deviation
  /// not finite.
  Deviation evaluate(const Frame& frame);
  /// Of the last frame, one a member.
  [[nodiscard]] const std::vector<Evaluation>& evaluations() const { return evaluations_; }

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] const Potential& member(std::size_t k) const { return *members_[k]; }
  [[nodiscard]] Committee clone() const;
  /// As of Potential, for every member.
  void reset();
  void set_threads(int threads);

 private:
  std::vector<std::unique_ptr<Potential>> members_;
  std::vector<Evaluation> evaluations_;
};

}  // namespace solion
