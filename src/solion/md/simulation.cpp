// The step of every ensemble. Theory: docs/theory/md.md.
#include "solion/md/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::md {
Simulation::Simulation(const Settings& settings, const Frame& start, Potential& potential)
    : Simulation(settings, initial_state(settings, start), potential) {
  potential_->evaluate(state_.frame, Request{}, state_.now);
  rest_forces();
  forget();
}

void Simulation::forget() {
  potential_->reset();
  potential_->set_skin_A(state_.skin_A);
}

Simulation::Simulation(Settings settings, State state, Potential& potential)
    : settings_(std::move(settings)),
      state_(std::move(state)),
      potential_(&potential),
      barostat_(settings_.ensemble == Ensemble::npt),
      temperature_limit_K_(0) {
  settings_.check();
  temperature_limit_K_ = temperature_limit(settings_, state_, kinetic_tensor(state_));
  forget();
}

void Simulation::step() {
  const std::int64_t next = state_.step + 1;
  const Couplings c = couplings(settings_, state_.masses.size(), next);
  const double dt = settings_.timestep_fs;
  if (c.thermostat == Thermostat::nose_hoover) half_chains(c);
  if (barostat_) kick_cell(settings_, c, kinetic_tensor(state_), state_);
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
  if (barostat_) kick_cell(settings_, c, kinetic_tensor(state_), state_);
  if (c.thermostat == Thermostat::nose_hoover) half_chains(c);
  if (c.thermostat == Thermostat::csvr) csvr(c, next);
  state_.step = next;
  check_energies(settings_, state_, kinetic_tensor(state_), temperature_limit_K_);
  if (!at_exact_point()) return;
  state_.skin_A = potential_->next_skin_A();
  forget();
}

void Simulation::half_chains(const Couplings& c) {
  const double scale = move_chains(settings_, c, kinetic_tensor(state_), state_);
  for (Vec3& v : state_.frame.velocities) v *= scale;
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
  const LinearFlow flow = deform_cell(h, state_);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)
    frame.positions[i] = flow.first * frame.positions[i] + flow.second * frame.velocities[i];
}

void Simulation::csvr(const Couplings& c, std::int64_t step) {
  const double factor = rescale(settings_, c, step, kinetic_tensor(state_), state_);
  for (Vec3& v : state_.frame.velocities) v *= factor;
}

void Simulation::langevin(const Couplings& c, std::int64_t step) {
  RandomStream random(settings_.seed, "md langevin", static_cast<std::uint64_t>(step));
  const double before = 0.5 * kinetic_tensor(state_).trace();
  ornstein_uhlenbeck(state_.masses, c.kT, settings_.timestep_fs / settings_.thermostat_time_fs, random,
                     state_.frame.velocities);
  state_.reservoir_eV -= 0.5 * kinetic_tensor(state_).trace() - before;
  shake_cell(settings_, c, random, state_);
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
  check_move(state_, step, who, std::sqrt(fastest) * settings_.timestep_fs);
  check_growth(state_, step);
}

Thermo Simulation::thermo() const { return md::thermo(settings_, state_, kinetic_tensor(state_)); }

Frame Simulation::frame() const {
  const State& now = state();
  Frame frame = now.frame;
  wrap(frame);
  frame.labels.energy_eV = now.now.energy;
  frame.labels.forces_eV_per_A = now.now.forces;
  frame.labels.virial_eV = now.now.virial;
  return frame;
}

}  // namespace solion::md
