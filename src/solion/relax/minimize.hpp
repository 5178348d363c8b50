// Relaxes atoms, and the cell if asked, to a minimum of any potential.
#pragma once

#include <functional>

#include "solion/potential/potential.hpp"

namespace solion::relax {

enum class CellMode { fixed, isotropic, full };

struct RelaxOptions {
  CellMode cell = CellMode::fixed;
  double pressure_GPa = 0;       ///< that the cell is relaxed against
  double force_eV_per_A = 0.01;  ///< done when no atom feels more
  double stress_GPa = 0.02;  ///< and no component of the stress that may relax is farther from the pressure
  int max_steps = 2000;
  double max_step_A = 0.2;  ///< farthest an atom moves in one step
  /// The start's labels (energy, forces; virial if the cell relaxes) are this potential's there: it is not
  /// asked again.
  bool start_is_evaluated = false;
};

struct RelaxResult {
  Frame frame;          ///< relaxed, with its labels
  double start_eV = 0;  ///< energy at the start
  double energy_eV = 0;
  double enthalpy_eV = 0;  ///< E + P·V
  double largest_force_eV_per_A = 0;
  double largest_stress_GPa = 0;  ///< deviation from the pressure; 0 at fixed cell
  int steps = 0;
  bool converged = false;
  /// Given up as the cell grew to ten times its volume: nothing holds the atoms together at this pressure.
  bool flew_apart = false;
};

/// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4) on the atoms'
/// positions in the undeformed cell and on the deformation, docs/theory/relax.md. A step that raises the
/// enthalpy is taken back and halved. `each(step, result so far)` may show progress. Not converged after
/// `max_steps`, where the cell flies apart, or where rounding lets no step go down, is said in the result.
/// InputError for options that make no sense, for a cell to relax that is not there, and what the potential
/// refuses.
RelaxResult minimize(Potential& potential, const Frame& start, const RelaxOptions& options,
                     const std::function<void(int, const RelaxResult&)>& each = {});

}  // namespace solion::relax
