// Dynamics on a device against md::Simulation, replicas against each alone, failures, restarts.
#include "solion/gpu/replicas.hpp"

#include <filesystem>
#include <functional>

#include "gpu/cases.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/gpu/device_simulation.hpp"
#include "solion/md/run.hpp"
#include "support/temp_folder.hpp"

namespace solion::gpu {
namespace {

using testing::random_frame;
using testing::random_model;

using Dynamics = OnDevice;
INSTANTIATE_TEST_SUITE_P(Host, Dynamics, ::testing::Values(host_kind), kind_name);
INSTANTIATE_TEST_SUITE_P(Cuda, Dynamics, ::testing::Values(cuda_kind), kind_name);

/// Gentle: forces of a random model are large, and so is the heat that they make.
std::shared_ptr<const dp::Model> gentle_model(std::uint64_t seed = 1) {
  testing::ModelRecipe recipe;
  recipe.seed = seed;
  dp::Model model = random_model(recipe);
  for (nn::Network& net : model.fitting) net.layers.back().w *= 0.05;
  return std::make_shared<const dp::Model>(std::move(model));
}

md::Settings settings_of(md::Ensemble ensemble, md::Thermostat thermostat,
                         md::Barostat barostat = md::Barostat::none) {
  md::Settings s;
  s.ensemble = ensemble;
  s.thermostat = thermostat;
  s.barostat = barostat;
  s.timestep_fs = 0.5;
  s.seed = 7;
  s.stages = {{60, 300, ensemble == md::Ensemble::nve ? 300.0 : 500.0}};  // a ramp where there is a bath
  s.thermostat_time_fs = 20;
  s.barostat_time_fs = 200;
  s.reset_every = 20;
  s.temperature_limit_K = 1e6;
  return s;
}

struct Case {
  const char* name;
  md::Settings settings;
};
std::vector<Case> all_ensembles() {
  using E = md::Ensemble;
  using T = md::Thermostat;
  using B = md::Barostat;
  return {{"nve", settings_of(E::nve, T::none)},
          {"nose-hoover", settings_of(E::nvt, T::nose_hoover)},
          {"csvr", settings_of(E::nvt, T::csvr)},
          {"langevin", settings_of(E::nvt, T::langevin)},
          {"nose-hoover, isotropic", settings_of(E::npt, T::nose_hoover, B::isotropic)},
          {"csvr, full", settings_of(E::npt, T::csvr, B::full)},
          {"langevin, full", settings_of(E::npt, T::langevin, B::full)}};
}

std::vector<ReplicaStart> starts_of(const std::vector<md::Settings>& settings,
                                    const std::vector<Frame>& frames) {
  std::vector<ReplicaStart> starts;
  for (std::size_t k = 0; k < settings.size(); ++k)
    starts.push_back({settings[k], md::initial_state(settings[k], frames[k % frames.size()])});
  return starts;
}

double largest_difference(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, (a[i] - b[i]).cwiseAbs().maxCoeff());
  return most;
}

TEST_P(Dynamics, FollowTheSimulationOfTheProcessor) {
  const auto model = gentle_model();
  const Frame frame = random_frame(40, 3);
  for (const Case& one : all_ensembles()) {
    SCOPED_TRACE(one.name);
    dp::DeepPotential potential(model, {.path = dp::Path::fast_double});
    md::Simulation simulation(one.settings, frame, potential);
    const auto device = make();
    Replicas replicas(*device, model, Precision::double_precision, starts_of({one.settings}, {frame}));
    for (int k = 0; k < 60; ++k) {
      simulation.step();
      replicas.step();
    }
    ASSERT_EQ(replicas.failure(0), "");
    ASSERT_EQ(replicas.steps_done(0), 60);
    EXPECT_FALSE(replicas.moving());
    const md::State& expected = simulation.state();
    const md::State& found = replicas.state(0);
    // The atoms have moved by tenths of Å; what differs is the rounding of tables and sums.
    EXPECT_GT(largest_difference(expected.frame.positions, frame.positions), 0.05);
    EXPECT_LE(largest_difference(found.frame.positions, expected.frame.positions), 1e-9);
    EXPECT_LE(largest_difference(found.frame.velocities, expected.frame.velocities), 1e-9);
    EXPECT_LE((found.frame.cell->matrix() - expected.frame.cell->matrix()).norm(), 1e-9);
    const md::Thermo a = simulation.thermo(), b = replicas.thermo(0);
    EXPECT_NEAR(b.temperature_K, a.temperature_K, 1e-6);
    EXPECT_NEAR(b.potential_eV, a.potential_eV, 1e-8);
    EXPECT_NEAR(b.conserved_eV, a.conserved_eV, 1e-8);
    EXPECT_LE((b.pressure_bar - a.pressure_bar).cwiseAbs().maxCoeff(), 1e-4);
  }
}

TEST_P(Dynamics, EnergyIsConservedInBothPrecisions) {
  const auto model = gentle_model();
  for (const Precision precision : {Precision::single_precision, Precision::double_precision}) {
    md::Settings settings = settings_of(md::Ensemble::nve, md::Thermostat::none);
    settings.stages = {{400, 300, 300}};
    const auto device = make();
    Replicas replicas(*device, model, precision, starts_of({settings}, {random_frame(40, 3)}));
    const double before = replicas.thermo(0).conserved_eV;
    double kinetic = 0;
    while (replicas.moving()) {
      replicas.step();
      kinetic = std::max(kinetic, std::abs(replicas.thermo(0).kinetic_eV));
      ASSERT_NEAR(replicas.thermo(0).conserved_eV, before, 1e-3 * (1 + kinetic));
    }
    EXPECT_EQ(replicas.steps_done(0), 400);
  }
}

TEST(HostReplicas, ABatchGivesTheBitsOfEachAlone) {
  const auto model = gentle_model();
  std::vector<md::Settings> settings;
  for (const Case& one : all_ensembles()) settings.push_back(one.settings);
  settings[1].seed = 11;
  settings[2].stages = {{30, 700, 700}};  // ends before the others
  const std::vector<Frame> frames{random_frame(40, 3), random_frame(23, 3, 2), random_frame(3, 2, 3)};
  for (const Precision precision : {Precision::single_precision, Precision::double_precision}) {
    const auto device = make_host_device();
    Replicas together(*device, model, precision, starts_of(settings, frames), {.chunk = 50});
    while (together.moving()) together.step();
    for (std::size_t k = 0; k < settings.size(); ++k) {
      SCOPED_TRACE(k);
      Replicas alone(*device, model, precision, starts_of({settings[k]}, {frames[k % frames.size()]}));
      while (alone.moving()) alone.step();
      const int r = static_cast<int>(k);
      ASSERT_EQ(together.failure(r), "");
      ASSERT_EQ(together.steps_done(r), settings[k].total_steps());
      EXPECT_EQ(together.state(r).frame.positions, alone.state(0).frame.positions);
      EXPECT_EQ(together.state(r).frame.velocities, alone.state(0).frame.velocities);
      EXPECT_EQ(together.thermo(r).conserved_eV, alone.thermo(0).conserved_eV);
    }
  }
}

TEST_P(Dynamics, OneThatFailsStopsAlone) {
  const auto model = gentle_model();
  const md::Settings settings = settings_of(md::Ensemble::nvt, md::Thermostat::csvr);
  const Frame frame = random_frame(30, 3);
  auto starts = starts_of({settings, settings, settings}, {frame});
  starts[0].state.frame.velocities[3] = Vec3(1, 0, 0);  // 0.5 Å a step: it meets others
  starts[0].state.frame.velocities[4] = Vec3(5, 0, 0);  // too far
  starts[1].state.frame.velocities[5][1] = std::nan("");
  const auto device = make();
  Replicas replicas(*device, model, Precision::single_precision, std::move(starts));
  Replicas alone(*device, model, Precision::single_precision, starts_of({settings}, {frame}));
  while (replicas.moving()) replicas.step();
  while (alone.moving()) alone.step();
  EXPECT_NE(replicas.failure(0).find("atom 5 (" + frame.element(4) + ") would move"), std::string::npos)
      << replicas.failure(0);
  EXPECT_NE(replicas.failure(1).find("atom 6 "), std::string::npos) << replicas.failure(1);
  EXPECT_EQ(replicas.failure(2), "");
  EXPECT_EQ(replicas.steps_done(2), 60);
  EXPECT_EQ(replicas.state(2).frame.positions, alone.state(0).frame.positions);
}

TEST_P(Dynamics, RefuseWhatCannotBegin) {
  const auto model = gentle_model();
  const auto device = make();
  const md::Settings settings = settings_of(md::Ensemble::nve, md::Thermostat::none);
  Frame frame = random_frame(10, 3);
  EXPECT_THROW(Replicas(*device, model, Precision::single_precision, {}), InputError);
  frame.positions[1] = frame.positions[0] + Vec3(0.05, 0, 0);
  auto close = starts_of({settings}, {random_frame(10, 3)});
  close[0].state.frame.positions[1] = close[0].state.frame.positions[0] + Vec3(0.05, 0, 0);
  EXPECT_THROW(Replicas(*device, model, Precision::single_precision, std::move(close)), InputError);
  Frame other = random_frame(10, 4);
  other.types[0] = other.type_map.find_or_add("S");
  EXPECT_THROW(Replicas(*device, model, Precision::single_precision, starts_of({settings}, {other})),
               InputError);
}

/// The run of `solion md`: interrupted after 40 of 60 steps it ends with the bits of the whole one.
TEST_P(Dynamics, ARunGoesOnFromItsRestartFileExactly) {
  const auto model = gentle_model();
  DevicePotential potential(OnDevice::device(), model, {.precision = Precision::single_precision});
  const Frame frame = random_frame(40, 3);
  for (Case one : all_ensembles()) {
    SCOPED_TRACE(one.name);
    one.settings.stages = {{60, 400, 400}};  // one temperature, so that the run can be made longer
    const testing::TempFolder folder;
    md::RunOptions options;
    options.mover = mover_of(potential);
    ASSERT_TRUE(options.mover);
    const auto run = [&](std::int64_t steps, const std::string& name) {
      md::Settings settings = one.settings;
      settings.stages[0].steps = steps;
      md::Outputs outputs;
      outputs.log = folder.path() / (name + ".log");
      outputs.restart = folder.path() / (name + ".restart");
      outputs.restart_every = 20;
      outputs.final_structure = folder.path() / (name + ".extxyz");
      md::run(settings, outputs, frame, potential, options);
      return md::read_restart(outputs.restart).state;
    };
    const md::State whole = run(60, "whole");
    (void)run(40, "parts");
    const md::State parts = run(60, "parts");
    EXPECT_EQ(parts.frame.positions, whole.frame.positions);
    EXPECT_EQ(parts.frame.velocities, whole.frame.velocities);
    EXPECT_EQ(parts.now.forces, whole.now.forces);
    EXPECT_EQ(parts.now.energy, whole.now.energy);
    EXPECT_EQ(parts.frame.cell->matrix(), whole.frame.cell->matrix());
    EXPECT_EQ(parts.reservoir_eV, whole.reservoir_eV);
  }
}

/// A restart file of the processor goes on on a device, and the other way round.
TEST_P(Dynamics, RestartsCrossBetweenProcessorAndDevice) {
  const auto model = gentle_model();
  const Frame frame = random_frame(40, 3);
  const md::Settings settings = settings_of(md::Ensemble::nvt, md::Thermostat::nose_hoover);
  dp::DeepPotential potential(model, {.path = dp::Path::fast_double});
  const auto device = make();
  md::Simulation whole(settings, frame, potential);
  md::Simulation first(settings, frame, potential);
  Replicas other_first(*device, model, Precision::double_precision, starts_of({settings}, {frame}));
  for (int k = 0; k < 60; ++k) whole.step();
  for (int k = 0; k < 40; ++k) {
    first.step();
    other_first.step();
  }
  Replicas second(*device, model, Precision::double_precision, {{settings, first.state()}});
  md::Simulation other_second(settings, other_first.state(0), potential);
  for (int k = 0; k < 20; ++k) {
    second.step();
    other_second.step();
  }
  EXPECT_LE(largest_difference(second.state(0).frame.positions, whole.state().frame.positions), 1e-9);
  EXPECT_LE(largest_difference(other_second.state().frame.positions, whole.state().frame.positions), 1e-9);
  EXPECT_NEAR(second.thermo(0).conserved_eV, whole.thermo().conserved_eV, 1e-8);
  EXPECT_NEAR(other_second.thermo().conserved_eV, whole.thermo().conserved_eV, 1e-8);
}

}  // namespace
}  // namespace solion::gpu
