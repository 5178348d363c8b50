// Mechanics: conservation, order of the integrator, reversibility, momentum, exact points.
#include <gmock/gmock.h>

#include <cmath>

#include "md/known_potentials.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/md/simulation.hpp"

namespace solion::md {
namespace {

using testing::crystal;
using testing::KnownCase;

Settings nve(double dt) {
  Settings s;
  s.timestep_fs = dt;
  s.stages = {{1000000, 300, 300}};
  s.seed = 11;
  return s;
}

/// Largest |conserved − first| over `time_fs`, eV.
double fluctuation(const Settings& settings, KnownCase& c, double time_fs) {
  Simulation run(settings, c.frame, c.potential);
  const double first = run.thermo().conserved_eV;
  double largest = 0;
  for (int i = 0; i < static_cast<int>(time_fs / settings.timestep_fs); ++i) {
    run.step();
    largest = std::max(largest, std::abs(run.thermo().conserved_eV - first));
  }
  return largest;
}

TEST(Nve, EnergyFluctuatesWithTheSquareOfTheTimestep) {
  KnownCase c = crystal(3, 2, 2.0);
  const double coarse = fluctuation(nve(1.0), c, 400);
  const double fine = fluctuation(nve(0.5), c, 400);
  EXPECT_NEAR(coarse / fine, 4.0, 0.2);
}

TEST(Nve, EnergyDoesNotDrift) {
  KnownCase c = crystal(3, 2, 2.0);
  Simulation run(nve(0.5), c.frame, c.potential);
  // The mean over one half against the mean over the other: a drift, without the bounded fluctuation.
  double half[2] = {0, 0};
  constexpr int n = 20000;
  double spread = 0;
  const double start = run.thermo().conserved_eV;
  for (int i = 0; i < 2 * n; ++i) {
    run.step();
    const double e = run.thermo().conserved_eV - start;
    half[i / n] += e / n;
    spread = std::max(spread, std::abs(e));
  }
  EXPECT_LT(std::abs(half[1] - half[0]), 0.02 * spread);
}

TEST(Nve, TimeCanBeReversed) {
  KnownCase c = crystal(2, 2, 2.0);
  Simulation there(nve(1.0), c.frame, c.potential);
  const State start = there.state();
  for (int i = 0; i < 2000; ++i) there.step();
  State turned = there.state();
  for (Vec3& v : turned.frame.velocities) v = -v;
  Simulation back(nve(1.0), turned, c.potential);
  for (int i = 0; i < 2000; ++i) back.step();
  for (std::size_t i = 0; i < start.masses.size(); ++i) {
    EXPECT_LT((back.state().frame.positions[i] - start.frame.positions[i]).norm(), 1e-10);
    EXPECT_LT((back.state().frame.velocities[i] + start.frame.velocities[i]).norm(), 1e-12);
  }
}

TEST(NoseHoover, TimeCanBeReversed) {
  KnownCase c = crystal(2, 2, 2.0);
  Settings s = nve(1.0);
  s.ensemble = Ensemble::nvt;
  s.thermostat = Thermostat::nose_hoover;
  s.thermostat_time_fs = 30;
  Simulation there(s, c.frame, c.potential);
  const State start = there.state();
  for (int i = 0; i < 1000; ++i) there.step();
  State turned = there.state();
  for (Vec3& v : turned.frame.velocities) v = -v;
  for (double& v : turned.atom_chain.velocity) v = -v;
  Simulation back(s, turned, c.potential);
  for (int i = 0; i < 1000; ++i) back.step();
  for (std::size_t i = 0; i < start.masses.size(); ++i)
    EXPECT_LT((back.state().frame.positions[i] - start.frame.positions[i]).norm(), 1e-8);
}

TEST(Start, VelocitiesAreAtRestAndAtTheTemperature) {
  KnownCase c = crystal(3, 2, 2.0);
  Simulation run(nve(1.0), c.frame, c.potential);
  Vec3 momentum = Vec3::Zero();
  for (std::size_t i = 0; i < run.state().masses.size(); ++i)
    momentum += run.state().masses[i] * run.state().frame.velocities[i];
  EXPECT_LT(momentum.norm(), 1e-12);
  EXPECT_NEAR(run.thermo().temperature_K, 300, 1e-9);
  const double n_f = 3.0 * 27 - 3;
  EXPECT_NEAR(run.thermo().kinetic_eV, n_f / 2 * constants::boltzmann_eV_per_K * 300, 1e-12);
}

TEST(Barostat, SaysThatAFluidHoldsNoShape) {
  // An ideal gas in a full cell: nothing resists shear, and the cell leans over without end.
  KnownCase c = crystal(2, 2, 0.0);
  c.potential.springs.clear();
  c.potential.bulk = 0.05;
  c.potential.volume0 = c.frame.cell->volume();
  Settings s = nve(2.0);
  s.ensemble = Ensemble::npt;
  s.thermostat = Thermostat::csvr;
  s.barostat = Barostat::full;
  s.barostat_time_fs = 500;
  const auto run = [&] {
    Simulation simulation(s, c.frame, c.potential);
    for (int i = 0; i < 100000; ++i) simulation.step();
  };
  EXPECT_THAT(run, ::testing::ThrowsMessage<WorkError>(::testing::HasSubstr("do not resist shear")));
  s.barostat = Barostat::isotropic;
  Mat3 leaning = c.frame.cell->matrix();
  leaning.row(2) += 20 * leaning.row(0);
  c.frame.cell = Cell(leaning);
  EXPECT_NO_THROW(run());
}

}  // namespace
}  // namespace solion::md
