// What a step is made from besides forces: couplings to baths, checks, and measured quantities. Shared by
// whoever moves the atoms, on the processor or on a device.
#pragma once

#include "solion/md/barostats.hpp"
#include "solion/md/state.hpp"

namespace solion::md {

/// Everything that depends on the target temperature of a step.
struct Couplings {
  Thermostat thermostat;
  double kT;
  ChainCoupling atoms;
  ChainCoupling cell;
  CellCoupling barostat;
};
Couplings couplings(const Settings& settings, std::size_t n_atoms, std::int64_t step);

/// The chains' part of a step, before or behind the rest: returns the factor for the velocities, whose Σ m
/// v⊗v (eV) is `kinetic`, and moves chains and strain rate.
double move_chains(const Settings& settings, const Couplings& couplings, const Mat3& kinetic, State& state);
/// The cell's half kick by kinetic energy and virial, where there is a barostat.
void kick_cell(const Settings& settings, const Couplings& couplings, const Mat3& kinetic, State& state);
/// CSVR behind a step: returns the factor for the velocities, rescales the strain rate, keeps account of the
/// heat. WorkError if nothing moves.
double rescale(const Settings& settings, const Couplings& couplings, std::int64_t step, const Mat3& kinetic,
               State& state);
/// The noise of the cell under Langevin dynamics; `random` stands behind the atoms' numbers.
void shake_cell(const Settings& settings, const Couplings& couplings, RandomStream& random, State& state);
/// Deforms the cell with its strain rate over h and returns the flow of the positions. WorkError if it
/// collapses.
LinearFlow deform_cell(double h, State& state);

/// Step 0 without forces: unwraps images, draws velocities or takes the frame's. InputError for fewer than
/// two atoms, no cell, missing velocities, elements without mass.
State initial_state(const Settings& settings, const Frame& start);

/// Above this temperature (K) the system has exploded.
double temperature_limit(const Settings& settings, const State& state, const Mat3& kinetic);

/// WorkError if the fastest atom moves too far in one step (Å; NaN does).
void check_move(const State& state, std::int64_t step, std::size_t atom, double move_A);
/// WorkError if the cell is no longer the one that was meant.
void check_growth(const State& state, std::int64_t step);
/// WorkError if an energy is not finite or the temperature above the limit; `kinetic` is Σ m v⊗v, eV.
void check_energies(const Settings& settings, const State& state, const Mat3& kinetic, double limit_K);

/// One row of the log; of the state's arrays by atom only their length is used.
Thermo thermo(const Settings& settings, const State& state, const Mat3& kinetic);

}  // namespace solion::md
