// Everything that a run carries from one step to the next, and the quantities measured on it.
#pragma once

#include <cstdint>
#include <vector>

#include "solion/md/settings.hpp"
#include "solion/md/thermostats.hpp"
#include "solion/potential/potential.hpp"
#include "solion/structure/skin.hpp"

namespace solion::md {

/// A restart file holds exactly this. Positions are unwrapped (an atom that leaves the cell goes on; under a
/// barostat unwrapped positions and cell deform together), so displacements need no images.
struct State {
  std::int64_t step = 0;
  Frame frame;                 ///< types, positions (Å, unwrapped), velocities (Å/fs), cell
  std::vector<double> masses;  ///< amu
  Evaluation now;              ///< energy (eV), forces (eV/Å), virial (eV) at the positions
  NoseHooverChain atom_chain;
  NoseHooverChain cell_chain;
  Mat3 strain_rate = Mat3::Zero();  ///< v_g of MTK, 1/fs, symmetric; isotropic: v_ε·1
  double reservoir_eV = 0;          ///< heat given to a stochastic thermostat so far
  double start_volume = 0;          ///< Å³, of step 0
  double skin_A = Skin::first_A;    ///< of the neighbour lists, as tuned so far
};

/// One row of the thermo log.
struct Thermo {
  std::int64_t step = 0;
  double time_fs = 0;
  double target_K = 0;
  double temperature_K = 0;
  double potential_eV = 0;
  double kinetic_eV = 0;
  double conserved_eV = 0;  ///< constant in exact dynamics, for every ensemble
  Mat3 pressure_bar;        ///< (Σ m v⊗v + W)/V
  double volume_A3 = 0;
  [[nodiscard]] double mean_pressure_bar() const { return pressure_bar.trace() / 3; }
};

/// Σ m v⊗v, eV.
Mat3 kinetic_tensor(const State& state);

/// 3N − 3 (the centre of mass rests), or 3N under Langevin dynamics, which moves it too.
double degrees_of_freedom(std::size_t n_atoms, Thermostat thermostat);

/// Draws Maxwell–Boltzmann velocities (Å/fs) from (seed, "md velocities"), removes the centre-of-mass
/// velocity and scales to exactly `temperature_K` for 3N − 3 degrees of freedom.
std::vector<Vec3> draw_velocities(const std::vector<double>& masses, double temperature_K,
                                  std::uint64_t seed);

/// Subtracts the centre-of-mass velocity.
void stop_centre_of_mass(const std::vector<double>& masses, std::vector<Vec3>& velocities);

}  // namespace solion::md
