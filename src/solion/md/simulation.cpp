// The step of every ensemble. Theory: docs/theory/md.md.
#include "solion/md/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::md {
namespace {

constexpr double k_B = constants::boltzmann_eV_per_K;
constexpr double bar_in_eV_per_A3 = constants::bar_in_GPa / constants::eV_per_A3_in_GPa;
/// An atom that moves farther than this in one step passes through its neighbours.
constexpr double longest_move_A = 1.0;
/// A cell that grew or shrank by this factor since the start is no longer the system that was meant.
constexpr double volume_factor = 10.0;

State initial_state(const Settings& settings, const Frame& start) {
  settings.check();
  validate(start, "md: the starting structure");
  if (!start.cell) throw InputError("md: the starting structure has no cell");
  if (start.n_atoms() < 2) throw InputError("md: expected at least two atoms, found one");
  State state;
  state.frame.type_map = start.type_map;
  state.frame.types = start.types;
  state.frame.positions = start.positions;
  state.frame.cell = start.cell;
  state.masses = start.masses();
  for (std::size_t i = 0; i < start.images.size(); ++i)
    state.frame.positions[i] += start.cell->to_cartesian(start.images[i].cast<double>());
  if (settings.draw_velocities) {
    state.frame.velocities =
        draw_velocities(state.masses, settings.stages.front().temperature_K, settings.seed);
  } else if (!start.velocities.empty()) {
    state.frame.velocities = start.velocities;
    if (settings.thermostat_at(1) != Thermostat::langevin)
      stop_centre_of_mass(state.masses, state.frame.velocities);
  } else {
    throw InputError(
        "md: the starting structure has no velocities; ask for initial_velocities = \"maxwell-boltzmann\"");
  }
  const auto links = static_cast<std::size_t>(settings.chain_length);
  state.atom_chain.velocity.assign(links, 0.0);
  state.cell_chain.velocity.assign(links, 0.0);
  state.start_volume = start.cell->volume();
  return state;
}

}  // namespace

Simulation::Simulation(const Settings& settings, const Frame& start, Potential& potential)
    : Simulation(settings, initial_state(settings, start), potential) {
  potential_->evaluate(state_.frame, Request{}, state_.now);
  rest_forces();
  potential_->reset();
}

Simulation::Simulation(Settings settings, State state, Potential& potential)
    : settings_(std::move(settings)),
      state_(std::move(state)),
      potential_(&potential),
      barostat_(settings_.ensemble == Ensemble::npt),
      temperature_limit_K_(settings_.temperature_limit_K) {
  settings_.check();
  if (!(temperature_limit_K_ > 0)) {
    // The structure's own velocities may be hotter than any target.
    const double dof = degrees_of_freedom(state_.masses.size(), settings_.thermostat_at(state_.step + 1));
    const double now_K = kinetic_tensor(state_).trace() / (dof * k_B);
    temperature_limit_K_ = 10 * std::max(settings_.highest_temperature(), now_K) + 1000;
  }
  potential_->reset();
}

Simulation::Couplings Simulation::couplings(std::int64_t step) const {
  Couplings c;
  c.thermostat = settings_.thermostat_at(step);
  c.kT = k_B * settings_.temperature_at(step);
  const double mass_kT = k_B * settings_.highest_temperature();
  const double dof = degrees_of_freedom(state_.masses.size(), c.thermostat);
  c.barostat.kind = settings_.barostat;
  c.barostat.mass = (dof + 3.0) * mass_kT * settings_.barostat_time_fs * settings_.barostat_time_fs / 3.0;
  c.barostat.pressure = settings_.pressure_bar * bar_in_eV_per_A3;
  c.barostat.dof_atoms = dof;
  c.atoms = {dof, c.kT, mass_kT, settings_.thermostat_time_fs};
  c.cell = {c.barostat.dof(), c.kT, mass_kT, settings_.barostat_time_fs};
  return c;
}

void Simulation::step() {
  const std::int64_t next = state_.step + 1;
  const Couplings c = couplings(next);
  const double dt = settings_.timestep_fs;
  if (c.thermostat == Thermostat::nose_hoover) half_chains(c);
  half_kick_cell(c);
  half_kick_atoms(c);
  if (c.thermostat == Thermostat::langevin) {
    drift(dt / 2);
    langevin(c, next);
    drift(dt / 2);
  } else {
    drift(dt);
  }
  check_moves(next);
  evaluate(next);
  half_kick_atoms(c);
  half_kick_cell(c);
  if (c.thermostat == Thermostat::nose_hoover) half_chains(c);
  if (c.thermostat == Thermostat::csvr) csvr(c, next);
  state_.step = next;
  check_energies();
  if (at_exact_point()) potential_->reset();
}

void Simulation::half_chains(const Couplings& c) {
  const double dt = settings_.timestep_fs;
  const double scale = propagate(state_.atom_chain, c.atoms, kinetic_tensor(state_).trace(), dt);
  for (Vec3& v : state_.frame.velocities) v *= scale;
  if (!barostat_) return;
  const double twice = 2 * kinetic_energy(c.barostat, state_.strain_rate);
  state_.strain_rate *= propagate(state_.cell_chain, c.cell, twice, dt);
}

void Simulation::half_kick_cell(const Couplings& c) {
  if (!barostat_) return;
  state_.strain_rate +=
      settings_.timestep_fs / 2 *
      strain_acceleration(c.barostat, kinetic_tensor(state_), state_.now.virial, state_.frame.cell->volume());
}

void Simulation::half_kick_atoms(const Couplings& c) {
  const double h = settings_.timestep_fs / 2;
  auto& v = state_.frame.velocities;
  const auto& force = state_.now.forces;
  if (!barostat_) {
    for (std::size_t i = 0; i < v.size(); ++i)
      v[i] += h * constants::eV_per_A_per_amu_in_A_per_fs2 / state_.masses[i] * force[i];
    return;
  }
  const LinearFlow flow = velocity_flow(c.barostat, state_.strain_rate, h);
  for (std::size_t i = 0; i < v.size(); ++i) {
    const Vec3 a = constants::eV_per_A_per_amu_in_A_per_fs2 / state_.masses[i] * force[i];
    v[i] = flow.first * v[i] + flow.second * a;
  }
}

void Simulation::drift(double h) {
  Frame& frame = state_.frame;
  if (!barostat_) {
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) frame.positions[i] += h * frame.velocities[i];
    return;
  }
  const LinearFlow flow = position_flow(state_.strain_rate, h);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)
    frame.positions[i] = flow.first * frame.positions[i] + flow.second * frame.velocities[i];
  const Mat3 h_new = frame.cell->matrix() * flow.first;
  try {
    frame.cell = Cell(h_new);
  } catch (const InputError& error) {
    throw WorkError(
        "md: step {}: the barostat destroyed the {}; try a longer barostat_time_fs or a shorter "
        "timestep_fs",
        state_.step + 1, error.what());
  }
}

void Simulation::csvr(const Couplings& c, std::int64_t step) {
  RandomStream random(settings_.seed, "md csvr", static_cast<std::uint64_t>(step));
  const double kinetic = 0.5 * kinetic_tensor(state_).trace();
  if (!(kinetic > 0)) throw WorkError("md: step {}: csvr cannot heat atoms that do not move at all", step);
  const double factor =
      csvr_factor(kinetic, c.atoms.dof, c.kT, settings_.timestep_fs / settings_.thermostat_time_fs, random);
  for (Vec3& v : state_.frame.velocities) v *= factor;
  state_.reservoir_eV -= (factor * factor - 1.0) * kinetic;
  // The cell has a thermostat of its own, as with the other two: one factor for both would leave it to their
  // slow exchange how the kinetic energy is shared.
  const double cell = barostat_ ? kinetic_energy(c.barostat, state_.strain_rate) : 0.0;
  if (!(cell > 0)) return;
  const double cell_factor =
      csvr_factor(cell, c.barostat.dof(), c.kT, settings_.timestep_fs / settings_.barostat_time_fs, random);
  state_.strain_rate *= cell_factor;
  state_.reservoir_eV -= (cell_factor * cell_factor - 1.0) * cell;
}

void Simulation::langevin(const Couplings& c, std::int64_t step) {
  RandomStream random(settings_.seed, "md langevin", static_cast<std::uint64_t>(step));
  const double before = 0.5 * kinetic_tensor(state_).trace();
  ornstein_uhlenbeck(state_.masses, c.kT, settings_.timestep_fs / settings_.thermostat_time_fs, random,
                     state_.frame.velocities);
  state_.reservoir_eV -= 0.5 * kinetic_tensor(state_).trace() - before;
  if (!barostat_) return;
  const double cell_before = kinetic_energy(c.barostat, state_.strain_rate);
  ornstein_uhlenbeck_cell(c.barostat, c.kT, settings_.timestep_fs / settings_.barostat_time_fs, random,
                          state_.strain_rate);
  state_.reservoir_eV -= kinetic_energy(c.barostat, state_.strain_rate) - cell_before;
}

void Simulation::evaluate(std::int64_t step) {
  try {
    potential_->evaluate(state_.frame, Request{}, state_.now);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    // What was refused is no longer the user's input but where the run went.
    throw WorkError("md: step {}: {} (timestep_fs too long, or a structure far from equilibrium?)", step,
                    error.what());
  }
  rest_forces();
}

void Simulation::rest_forces() {
  // Rounding (or a tabulated model) leaves a small net force that would set the whole crystal in motion.
  if (settings_.thermostat_at(state_.step + 1) == Thermostat::langevin) return;
  Vec3 net = Vec3::Zero();
  double mass = 0;
  for (std::size_t i = 0; i < state_.masses.size(); ++i) {
    net += state_.now.forces[i];
    mass += state_.masses[i];
  }
  for (std::size_t i = 0; i < state_.masses.size(); ++i)
    state_.now.forces[i] -= state_.masses[i] / mass * net;
}

void Simulation::check_moves(std::int64_t step) const {
  double fastest = 0;
  std::size_t who = 0;
  for (std::size_t i = 0; i < state_.masses.size(); ++i) {
    const double v2 = state_.frame.velocities[i].squaredNorm();
    if (v2 <= fastest) continue;
    fastest = v2;
    who = i;
    if (std::isnan(v2)) break;
  }
  const double move = std::sqrt(fastest) * settings_.timestep_fs;
  if (!(move <= longest_move_A)) {
    throw WorkError(
        "md: step {}: atom {} ({}) would move {:.3g} Å in one step; the run has exploded (timestep_fs too "
        "long, "
        "overlapping atoms, or a potential outside its range)",
        step, who + 1, state_.frame.element(who), move);
  }
  const double growth = state_.frame.cell->volume() / state_.start_volume;
  if (!(growth < volume_factor && growth > 1 / volume_factor)) {
    throw WorkError(
        "md: step {}: the volume is {:.3g} times the one at the start; the crystal evaporated or collapsed "
        "(wrong "
        "pressure_bar, a too short barostat_time_fs, or a potential outside its range)",
        step, growth);
  }
}

void Simulation::check_energies() const {
  const double twice_kinetic = kinetic_tensor(state_).trace();
  const double dof = degrees_of_freedom(state_.masses.size(), settings_.thermostat_at(state_.step));
  const double temperature = twice_kinetic / (dof * k_B);
  if (!std::isfinite(state_.now.energy) || !state_.now.virial.allFinite() || !std::isfinite(temperature))
    throw WorkError("md: step {}: energy or velocities are not finite numbers", state_.step);
  if (!(temperature <= temperature_limit_K_)) {
    throw WorkError(
        "md: step {}: {:.0f} K is above the limit of {:.0f} K (temperature_limit_K); the run has exploded "
        "(timestep_fs too long, overlapping atoms, or a potential outside its range)",
        state_.step, temperature, temperature_limit_K_);
  }
}

Thermo Simulation::thermo() const {
  // Step 0 is described with the couplings of step 1.
  const Couplings c = couplings(std::max<std::int64_t>(state_.step, 1));
  const Mat3 kinetic = kinetic_tensor(state_);
  Thermo t;
  t.step = state_.step;
  t.time_fs = static_cast<double>(state_.step) * settings_.timestep_fs;
  t.target_K = settings_.temperature_at(state_.step);
  t.temperature_K = kinetic.trace() / (c.atoms.dof * k_B);
  t.potential_eV = state_.now.energy;
  t.kinetic_eV = 0.5 * kinetic.trace();
  t.volume_A3 = state_.frame.cell->volume();
  t.pressure_bar = (kinetic + state_.now.virial) / (t.volume_A3 * bar_in_eV_per_A3);
  t.conserved_eV = t.potential_eV + t.kinetic_eV + state_.reservoir_eV;
  // The chains rest at zero energy where they are not used, and keep theirs once an equilibration is over.
  t.conserved_eV += energy(state_.atom_chain, c.atoms) + energy(state_.cell_chain, c.cell);
  if (barostat_)
    t.conserved_eV += kinetic_energy(c.barostat, state_.strain_rate) + c.barostat.pressure * t.volume_A3;
  return t;
}

Frame Simulation::frame() const {
  Frame frame = state_.frame;
  wrap(frame);
  frame.labels.energy_eV = state_.now.energy;
  frame.labels.forces_eV_per_A = state_.now.forces;
  frame.labels.virial_eV = state_.now.virial;
  return frame;
}

}  // namespace solion::md
