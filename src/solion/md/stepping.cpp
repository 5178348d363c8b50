// Couplings, checks and the thermo row of every ensemble. Theory: docs/theory/md.md.
#include "solion/md/stepping.hpp"

#include <algorithm>
#include <cmath>

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
/// A cell whose vectors lean over so far that one is this much longer than the cell is wide along it has been
/// sheared by many lattice vectors.
constexpr double flow_factor = 10.0;

bool shears(const Mat3& strain_rate) { return strain_rate != Mat3(strain_rate(0, 0) * Mat3::Identity()); }

/// A fluid, or planes that glide, hold no shape: the cell goes on shearing until its lists, and whoever reads
/// the trajectory, drown in images.
void check_flow(const State& state, std::int64_t step) {
  if (!shears(state.strain_rate)) return;
  const Cell& cell = *state.frame.cell;
  const Vec3 widths = cell.widths();
  for (int k = 0; k < 3; ++k) {
    const double length = cell.vector(k).norm();
    if (length < flow_factor * widths[k]) continue;
    throw WorkError(
        "md: step {}: the cell has flowed: vector {} is {:.1f} Å long where the cell is {:.1f} Å wide; "
        "a melt, or planes that glide, do not resist shear: barostat = \"mtk-isotropic\" keeps the shape",
        step, "abc"[k], length, widths[k]);
  }
}

}  // namespace

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

Couplings couplings(const Settings& settings, std::size_t n_atoms, std::int64_t step) {
  Couplings c;
  c.thermostat = settings.thermostat_at(step);
  c.kT = k_B * settings.temperature_at(step);
  const double mass_kT = k_B * settings.highest_temperature();
  const double dof = degrees_of_freedom(n_atoms, c.thermostat);
  c.barostat.kind = settings.barostat;
  c.barostat.mass = (dof + 3.0) * mass_kT * settings.barostat_time_fs * settings.barostat_time_fs / 3.0;
  c.barostat.pressure = settings.pressure_bar * bar_in_eV_per_A3;
  c.barostat.dof_atoms = dof;
  c.atoms = {dof, c.kT, mass_kT, settings.thermostat_time_fs};
  c.cell = {c.barostat.dof(), c.kT, mass_kT, settings.barostat_time_fs};
  return c;
}

double move_chains(const Settings& s, const Couplings& c, const Mat3& kinetic, State& state) {
  const double scale = propagate(state.atom_chain, c.atoms, kinetic.trace(), s.timestep_fs);
  if (s.ensemble == Ensemble::npt) {
    const double twice = 2 * kinetic_energy(c.barostat, state.strain_rate);
    state.strain_rate *= propagate(state.cell_chain, c.cell, twice, s.timestep_fs);
  }
  return scale;
}

void kick_cell(const Settings& s, const Couplings& c, const Mat3& kinetic, State& state) {
  if (s.ensemble != Ensemble::npt) return;
  state.strain_rate += s.timestep_fs / 2 *
                       strain_acceleration(c.barostat, kinetic, state.now.virial, state.frame.cell->volume());
}

double rescale(const Settings& s, const Couplings& c, std::int64_t step, const Mat3& tensor, State& state) {
  RandomStream random(s.seed, "md csvr", static_cast<std::uint64_t>(step));
  const double kinetic = 0.5 * tensor.trace();
  if (!(kinetic > 0)) throw WorkError("md: step {}: csvr cannot heat atoms that do not move at all", step);
  const double factor = csvr_factor(kinetic, c.atoms.dof, c.kT, s.timestep_fs / s.thermostat_time_fs, random);
  state.reservoir_eV -= (factor * factor - 1.0) * kinetic;
  // The cell has a thermostat of its own, as with the other two: one factor for both would leave it to their
  // slow exchange how the kinetic energy is shared.
  const double cell = s.ensemble == Ensemble::npt ? kinetic_energy(c.barostat, state.strain_rate) : 0.0;
  if (!(cell > 0)) return factor;
  const double cell_factor =
      csvr_factor(cell, c.barostat.dof(), c.kT, s.timestep_fs / s.barostat_time_fs, random);
  state.strain_rate *= cell_factor;
  state.reservoir_eV -= (cell_factor * cell_factor - 1.0) * cell;
  return factor;
}

void shake_cell(const Settings& s, const Couplings& c, RandomStream& random, State& state) {
  if (s.ensemble != Ensemble::npt) return;
  const double before = kinetic_energy(c.barostat, state.strain_rate);
  ornstein_uhlenbeck_cell(c.barostat, c.kT, s.timestep_fs / s.barostat_time_fs, random, state.strain_rate);
  state.reservoir_eV -= kinetic_energy(c.barostat, state.strain_rate) - before;
}

LinearFlow deform_cell(double h, State& state) {
  const LinearFlow flow = position_flow(state.strain_rate, h);
  const Mat3 deformed = state.frame.cell->matrix() * flow.first;
  try {
    state.frame.cell = Cell(deformed);
  } catch (const InputError& error) {
    throw WorkError(
        "md: step {}: the barostat destroyed the {}; try a longer barostat_time_fs or a shorter "
        "timestep_fs",
        state.step + 1, error.what());
  }
  return flow;
}

double temperature_limit(const Settings& settings, const State& state, const Mat3& kinetic) {
  if (settings.temperature_limit_K > 0) return settings.temperature_limit_K;
  // The structure's own velocities may be hotter than any target.
  const double dof = degrees_of_freedom(state.masses.size(), settings.thermostat_at(state.step + 1));
  const double now_K = kinetic.trace() / (dof * k_B);
  return 10 * std::max(settings.highest_temperature(), now_K) + 1000;
}

void check_move(const State& state, std::int64_t step, std::size_t atom, double move_A) {
  if (!(move_A <= longest_move_A)) {
    throw WorkError(
        "md: step {}: atom {} ({}) would move {:.3g} Å in one step; the run has exploded (timestep_fs too "
        "long, overlapping atoms, or a potential outside its range)",
        step, atom + 1, state.frame.element(atom), move_A);
  }
}

void check_growth(const State& state, std::int64_t step) {
  const double growth = state.frame.cell->volume() / state.start_volume;
  if (!(growth < volume_factor && growth > 1 / volume_factor)) {
    throw WorkError(
        "md: step {}: the volume is {:.3g} times the one at the start; the crystal evaporated or collapsed "
        "(wrong pressure_bar, a too short barostat_time_fs, or a potential outside its range)",
        step, growth);
  }
  check_flow(state, step);
}

void check_energies(const Settings& settings, const State& state, const Mat3& kinetic, double limit_K) {
  const double twice_kinetic = kinetic.trace();
  const double dof = degrees_of_freedom(state.masses.size(), settings.thermostat_at(state.step));
  const double temperature = twice_kinetic / (dof * k_B);
  if (!std::isfinite(state.now.energy) || !state.now.virial.allFinite() || !std::isfinite(temperature))
    throw WorkError("md: step {}: energy or velocities are not finite numbers", state.step);
  if (!(temperature <= limit_K)) {
    throw WorkError(
        "md: step {}: {:.0f} K is above the limit of {:.0f} K (temperature_limit_K); the run has exploded "
        "(timestep_fs too long, overlapping atoms, or a potential outside its range)",
        state.step, temperature, limit_K);
  }
}

Thermo thermo(const Settings& settings, const State& state, const Mat3& kinetic) {
  // Step 0 is described with the couplings of step 1.
  const Couplings c = couplings(settings, state.masses.size(), std::max<std::int64_t>(state.step, 1));
  Thermo t;
  t.step = state.step;
  t.time_fs = static_cast<double>(state.step) * settings.timestep_fs;
  t.target_K = settings.temperature_at(state.step);
  t.temperature_K = kinetic.trace() / (c.atoms.dof * k_B);
  t.potential_eV = state.now.energy;
  t.kinetic_eV = 0.5 * kinetic.trace();
  t.volume_A3 = state.frame.cell->volume();
  t.pressure_bar = (kinetic + state.now.virial) / (t.volume_A3 * bar_in_eV_per_A3);
  t.conserved_eV = t.potential_eV + t.kinetic_eV + state.reservoir_eV;
  // The chains rest at zero energy where they are not used, and keep theirs once an equilibration is over.
  t.conserved_eV += energy(state.atom_chain, c.atoms) + energy(state.cell_chain, c.cell);
  if (settings.ensemble == Ensemble::npt)
    t.conserved_eV += kinetic_energy(c.barostat, state.strain_rate) + c.barostat.pressure * t.volume_A3;
  return t;
}

}  // namespace solion::md
