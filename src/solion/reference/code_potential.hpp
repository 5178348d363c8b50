// A reference code as a potential: ab initio molecular dynamics, relaxations and bands with it.
#pragma once

#include <filesystem>
#include <memory>

#include "solion/potential/potential.hpp"
#include "solion/reference/settings.hpp"

namespace solion::reference {

/// Energies, forces and virials as `solion label` would give them, corrections included, one frame after the
/// other in one folder. A code that can stay (Calculator::server_script) is started once and keeps its
/// wavefunctions from frame to frame; another one is run for each frame in the same folder, so that a
/// template which asks for it (CP2K: SCF_GUESS RESTART, pw.x: startingwfc = 'file') goes on from the last
/// one. `reset()` drops all of that. Knows all elements; what the template does not know is said by the code.
/// Not converged, crashed or too long: WorkError with the tail of its log.
class CodePotential final : public Potential {
 public:
  CodePotential(const Calculator& code, LabelSettings settings);

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] const TypeMap& type_map() const override { return elements_; }
  using Potential::evaluate;
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override;
  [[nodiscard]] std::unique_ptr<Potential> clone() const override;
  void reset() override;
  /// OMP_NUM_THREADS of the code, unless its settings say it.
  void set_threads(int threads) override { threads_ = threads; }

 private:
  class Session;

  const Calculator* code_;
  LabelSettings settings_;
  TypeMap elements_;
  int threads_ = 1;
  std::shared_ptr<Session> session_;  ///< made by the first evaluation
};

}  // namespace solion::reference
