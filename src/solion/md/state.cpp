// Kinetic quantities and initial velocities.
#include "solion/md/state.hpp"

#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/random.hpp"

namespace solion::md {

Mat3 kinetic_tensor(const State& state) {
  Mat3 sum = Mat3::Zero();
  for (std::size_t i = 0; i < state.masses.size(); ++i) {
    const Vec3& v = state.frame.velocities[i];
    sum.noalias() += (state.masses[i] * v) * v.transpose();
  }
  return sum * constants::amu_A2_per_fs2_in_eV;
}

double degrees_of_freedom(std::size_t n_atoms, Thermostat thermostat) {
  const double all = 3.0 * static_cast<double>(n_atoms);
  return thermostat == Thermostat::langevin ? all : all - 3.0;
}

void stop_centre_of_mass(const std::vector<double>& masses, std::vector<Vec3>& velocities) {
  Vec3 momentum = Vec3::Zero();
  double mass = 0;
  for (std::size_t i = 0; i < masses.size(); ++i) {
    momentum += masses[i] * velocities[i];
    mass += masses[i];
  }
  for (Vec3& v : velocities) v -= momentum / mass;
}

std::vector<Vec3> draw_velocities(const std::vector<double>& masses, double temperature_K,
                                  std::uint64_t seed) {
  RandomStream random(seed, "md velocities");
  const double kT = constants::boltzmann_eV_per_K * temperature_K;
  std::vector<Vec3> velocities(masses.size());
  for (std::size_t i = 0; i < masses.size(); ++i) {
    const double width = std::sqrt(kT / (masses[i] * constants::amu_A2_per_fs2_in_eV));
    for (int k = 0; k < 3; ++k) velocities[i][k] = width * random.normal();
  }
  stop_centre_of_mass(masses, velocities);
  double twice_kinetic = 0;
  for (std::size_t i = 0; i < masses.size(); ++i)
    twice_kinetic += masses[i] * velocities[i].squaredNorm() * constants::amu_A2_per_fs2_in_eV;
  const double wanted = degrees_of_freedom(masses.size(), Thermostat::none) * kT;
  const double scale = twice_kinetic > 0 ? std::sqrt(wanted / twice_kinetic) : 0.0;
  for (Vec3& v : velocities) v *= scale;
  return velocities;
}

}  // namespace solion::md
