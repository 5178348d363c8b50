// One simulation: the step of every ensemble, without files. Several can run side by side on their own
// threads.
#pragma once

#include <optional>
#include <utility>

#include "solion/md/stepping.hpp"
#include "solion/structure/pair_counts.hpp"

namespace solion::md {

/// Steps a state with a potential. Splitting (B: velocities by forces, A: positions, O: noise):
/// NVE  B A B (velocity Verlet); Nosé–Hoover N B A B N; CSVR B A B then one rescaling; Langevin B A O A B;
/// with a barostat, B holds the cell's kick and A its deformation. All random numbers of a step come from
/// streams named by (seed, step): nothing random has to be kept, and no thread count matters.
class Simulation {
 public:
  /// Step 0: unwraps images, draws velocities (or takes the frame's), evaluates. InputError for fewer than
  /// two atoms, no cell, missing velocities, elements without mass, or what the potential refuses.
  Simulation(const Settings& settings, const Frame& start, Potential& potential);
  /// Goes on from a state (from a restart file), exactly.
  Simulation(Settings settings, State state, Potential& potential);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  Simulation(Simulation&&) = delete;
  Simulation& operator=(Simulation&&) = delete;
  virtual ~Simulation() = default;

  /// One timestep. WorkError with step and hint if the system explodes, collapses or is not finite any more;
  /// the state is then of no use.
  virtual void step();
  /// So many timesteps, for who wants to see none between.
  virtual void advance(std::int64_t steps) {
    for (; steps > 0; --steps) step();
  }

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] virtual const State& state() const { return state_; }
  /// The state's step and cell, also where the whole of it is far away.
  [[nodiscard]] virtual std::int64_t steps_done() const { return state_.step; }
  [[nodiscard]] virtual const Cell& cell() const { return *state_.frame.cell; }
  [[nodiscard]] virtual Thermo thermo() const;
  /// The configuration with positions wrapped into the cell, images, velocities, and energy, forces, virial
  /// as labels.
  [[nodiscard]] Frame frame() const;
  /// Pairs of the present configuration by types and distance, `bins` bins of `bin_A`, where the atoms are
  /// somewhere that counts them; none: whoever wants them takes `frame()`.
  [[nodiscard]] virtual std::optional<PairCounts> count_pairs(double bin_A, int bins) const {
    (void)bin_A;
    (void)bins;
    return std::nullopt;
  }
  /// True after a step at which the potential's caches were dropped, so that a restart from here is exact.
  [[nodiscard]] bool at_exact_point() const { return steps_done() % settings_.reset_every == 0; }

 protected:
  /// For who moves the atoms without a Potential and overrides all that is virtual.
  explicit Simulation(Settings settings) : settings_(std::move(settings)) {}

 private:
  void evaluate(std::int64_t step);
  void rest_forces();
  void forget();
  void half_chains(const Couplings& c);
  void half_kick_atoms(const Couplings& c);
  void drift(double h);
  void csvr(const Couplings& c, std::int64_t step);
  void langevin(const Couplings& c, std::int64_t step);
  void check_moves(std::int64_t step) const;

  Settings settings_;
  State state_;
  Potential* potential_ = nullptr;
  bool barostat_ = false;
  double temperature_limit_K_ = 0;
};

}  // namespace solion::md
