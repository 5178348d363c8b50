// Molecular dynamics by LAMMPS against the own engine: the same rows, frames and restart files from the same
// input.
#include "solion/engine/lammps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <Eigen/Geometry>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/io/formats.hpp"
#include "solion/kim/collection.hpp"
#include "solion/md/restart.hpp"
#include "support/dp_models.hpp"
#include "support/temp_folder.hpp"

namespace solion::engine {
namespace {

using ::testing::HasSubstr;
using testing::random_frame;
using testing::random_model;
using testing::TempFolder;

/// A triclinic cell that lies in space any way, unlike LAMMPS's.
Frame turned_frame() {
  Frame frame = random_frame(40, 3, 1, 0.05, 1.8);
  const Mat3 turn = Eigen::AngleAxisd(1.1, Vec3(1, 2, 3).normalized()).toRotationMatrix();
  frame.cell = Cell(Mat3(frame.cell->matrix() * turn.transpose()));
  for (Vec3& r : frame.positions) r = turn * r;
  return frame;
}

md::Input input_in(const std::filesystem::path& folder, std::int64_t steps) {
  md::Input input;
  input.settings.timestep_fs = 0.5;
  input.settings.stages = {{steps, 300, 300}};
  input.settings.seed = 4;
  input.outputs = {.log = folder / "md.log",
                   .thermo_every = 4,
                   .trajectories = {{folder / "a.xyz", 6, true, true}, {folder / "b.dump", 10, false, false}},
                   .restart = folder / "md.restart",
                   .restart_every = 20,
                   .final_structure = folder / "final.xyz"};
  return input;
}

std::vector<std::vector<double>> rows(const std::filesystem::path& log) {
  std::vector<std::vector<double>> rows;
  std::istringstream lines(read_file(log));
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    rows.emplace_back(std::istream_iterator<double>(words), std::istream_iterator<double>());
  }
  return rows;
}

/// Largest distance between two frames' atoms, with the images.
double distance(const Frame& a, const Frame& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.n_atoms(); ++i) {
    const auto unwrapped = [i](const Frame& f) -> Vec3 {
      return f.images.empty() ? f.positions[i]
                              : f.positions[i] + f.cell->to_cartesian(f.images[i].cast<double>());
    };
    most = std::max(most, (unwrapped(a) - unwrapped(b)).norm());
  }
  return most;
}

class LammpsEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v lmp > /dev/null && command -v mpirun > /dev/null") != 0)
      GTEST_SKIP() << "needs lmp and mpirun (Debian packages lammps, openmpi-bin)";
#ifndef SOLION_KIM_PARTS
    GTEST_SKIP() << "needs libkim-api-dev when it is built";
#endif
    for (const char* name : {"own", "lammps", "mixed"}) std::filesystem::create_directory(folder_ / name);
  }
  md::Summary by_lammps(const md::Input& input, int ranks) {
    LammpsOptions options;
    options.ranks = ranks;
    options.potential_identity = "toy";
    options.folder = folder_ / "md.lammps";
#ifdef SOLION_KIM_PARTS
    options.kim_objects = SOLION_KIM_PARTS;
#endif
    return run_lammps(input, start_, potential_, options);
  }
  md::Summary by_own(const md::Input& input) {
    md::RunOptions options;
    options.potential_identity = "toy";
    return md::run(input.settings, input.outputs, start_, potential_, options);
  }
  TempFolder folder_;
  Frame start_ = turned_frame();
  dp::DeepPotential potential_{std::make_shared<const dp::Model>(random_model())};
};

// The engines add forces up in another order, which the motion doubles about every hundred steps: 1e-9
// after 80.
constexpr double together = 1e-9;

TEST_F(LammpsEngine, TheSameRowsFramesAndRestartFiles) {
  for (const int ranks : {1, 2}) {
    SCOPED_TRACE(ranks);
    for (const char* name : {"own", "lammps"}) {
      std::filesystem::remove_all(folder_ / name);
      std::filesystem::create_directory(folder_ / name);
    }
    const md::Input own = input_in(folder_ / "own", 80);
    const md::Input lammps = input_in(folder_ / "lammps", 80);
    const md::Summary a = by_own(own);
    const md::Summary b = by_lammps(lammps, ranks);
    EXPECT_EQ(b.last_step, 80);
    EXPECT_EQ(a.averages.temperature_K.n, b.averages.temperature_K.n);
    EXPECT_NEAR(a.averages.pressure_bar.mean, b.averages.pressure_bar.mean, 1e-3);

    const auto expected = rows(own.outputs.log);
    const auto found = rows(lammps.outputs.log);
    ASSERT_EQ(expected.size(), 21U);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(found[i].size(), expected[i].size());
      // Energies have eight decimals in the log, temperatures and pressures (of 1e5 bar) four.
      for (std::size_t k = 0; k < expected[i].size(); ++k)
        EXPECT_NEAR(found[i][k], expected[i][k], 2e-4 + together * std::abs(expected[i][k])) << i << " " << k;
      EXPECT_NEAR(found[i][4], expected[i][4], 2e-8);
      EXPECT_NEAR(found[i][5], expected[i][5], 2e-8);
    }
    for (const char* name : {"a.xyz", "b.dump", "final.xyz"}) {
      const auto one = io::read_frames(folder_ / "own" / name);
      const auto two = io::read_frames(folder_ / "lammps" / name);
      ASSERT_EQ(one.size(), two.size()) << name;
      for (std::size_t f = 0; f < one.size(); ++f) {
        EXPECT_LE(distance(one[f], two[f]), 1e-7) << name << " " << f;
        EXPECT_EQ(one[f].info, two[f].info);
        EXPECT_EQ(one[f].velocities.size(), two[f].velocities.size());
        for (std::size_t i = 0; i < one[f].velocities.size(); ++i)
          EXPECT_LE((one[f].velocities[i] - two[f].velocities[i]).norm(), 1e-8);
        ASSERT_EQ(one[f].labels.forces_eV_per_A.size(), two[f].labels.forces_eV_per_A.size());
        for (std::size_t i = 0; i < one[f].labels.forces_eV_per_A.size(); ++i)
          EXPECT_LE((one[f].labels.forces_eV_per_A[i] - two[f].labels.forces_eV_per_A[i]).norm(), 1e-6);
        ASSERT_EQ(one[f].labels.virial_eV.has_value(), two[f].labels.virial_eV.has_value());
        if (one[f].labels.virial_eV) {
          EXPECT_LE((*one[f].labels.virial_eV - *two[f].labels.virial_eV).norm(), 1e-6);
        }
      }
    }
    const md::Restart one = md::read_restart(own.outputs.restart);
    const md::Restart two = md::read_restart(lammps.outputs.restart);
    EXPECT_EQ(one.state.step, two.state.step);
    EXPECT_EQ(one.identity.potential, two.identity.potential);
    EXPECT_EQ(one.identity.structure, two.identity.structure);
    EXPECT_LE(distance(one.state.frame, two.state.frame), 1e-7);
  }
}

TEST_F(LammpsEngine, EitherGoesOnFromTheOthersRestartFile) {
  const md::Input own = input_in(folder_ / "own", 80);
  by_own(own);
  // 40 steps of one, 80 in all of the other; and the other way round. The identity has no file names in it.
  for (const bool lammps_first : {true, false}) {
    SCOPED_TRACE(lammps_first);
    std::filesystem::remove_all(folder_ / "mixed");
    std::filesystem::create_directory(folder_ / "mixed");
    const md::Input half = input_in(folder_ / "mixed", 40);
    const md::Input all = input_in(folder_ / "mixed", 80);
    if (lammps_first) {
      by_lammps(half, 1);
      EXPECT_EQ(by_own(all).first_step, 40);
    } else {
      by_own(half);
      EXPECT_EQ(by_lammps(all, 2).first_step, 40);
    }
    const auto expected = rows(own.outputs.log);
    const auto found = rows(all.outputs.log);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i][4], expected[i][4], 2e-8);
    EXPECT_EQ(io::read_frames(folder_ / "mixed/a.xyz").size(), io::read_frames(folder_ / "own/a.xyz").size());
    EXPECT_LE(
        distance(io::read_frame(folder_ / "mixed/final.xyz"), io::read_frame(folder_ / "own/final.xyz")),
        1e-7);
    // Finished already: returns at once.
    EXPECT_EQ(by_lammps(all, 1).first_step, 80);
  }
}

TEST_F(LammpsEngine, EquilibrationAndRampsHaveTheOwnEnginesRows) {
  for (const char* name : {"own", "lammps"}) {
    md::Input input = input_in(folder_ / name, 180);
    input.settings.ensemble = md::Ensemble::nvt;
    input.settings.thermostat = md::Thermostat::nose_hoover;
    input.settings.thermostat_time_fs = 15;
    input.settings.equilibration_steps = 10;
    input.settings.stages = {{10, 600, 600}, {80, 900, 900}, {80, 300, 300}, {10, 300, 400}};
    input.outputs.thermo_every = 5;
    if (std::string(name) == "own") {
      by_own(input);
    } else {
      by_lammps(input, 1);
    }
  }
  const auto own = rows(folder_ / "own/md.log");
  const auto lammps = rows(folder_ / "lammps/md.log");
  ASSERT_EQ(own.size(), lammps.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    EXPECT_EQ(own[i][0], lammps[i][0]);
    EXPECT_EQ(own[i][2], lammps[i][2]);  // target
    // The end of a stage is no jump of what is conserved (column 6), though heat has come in, nor is a
    // stage of one temperature a ramp from the one before.
    if (own[i][0] > 180) continue;  // LAMMPS's chain takes the target of the moment in a ramp
    EXPECT_NEAR(lammps[i][6], lammps[0][6], 0.005) << i;
    EXPECT_NEAR(own[i][6], own[0][6], 0.005) << i;
  }
  EXPECT_GT(lammps[20][4] + lammps[20][5] - lammps[0][6], 1);
  for (const char* name : {"a.xyz", "b.dump"}) {
    const auto one = io::read_frames(folder_ / "own" / name);
    const auto two = io::read_frames(folder_ / "lammps" / name);
    ASSERT_EQ(one.size(), two.size());
    for (std::size_t f = 0; f < one.size(); ++f) EXPECT_EQ(one[f].info, two[f].info);
  }
}

TEST_F(LammpsEngine, RefusesByName) {
  const auto said = [&](const std::function<void(md::Input&)>& change, int ranks = 1) -> std::string {
    md::Input input = input_in(folder_ / "own", 10);
    change(input);
    try {
      LammpsOptions options;
      options.ranks = ranks;
      check_lammps(input, start_, options);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(said([](md::Input&) {}), "");
  const auto nvt = [](md::Thermostat thermostat) {
    return [thermostat](md::Input& input) {
      input.settings.ensemble = md::Ensemble::nvt;
      input.settings.thermostat = thermostat;
    };
  };
  EXPECT_THAT(said(nvt(md::Thermostat::csvr)), HasSubstr("thermostat = \"csvr\""));
  EXPECT_THAT(said(nvt(md::Thermostat::langevin)), HasSubstr("thermostat = \"langevin\""));
  EXPECT_THAT(said([](md::Input& i) { i.settings.equilibration_steps = 5; }),
              HasSubstr("equilibration_steps"));
  EXPECT_THAT(said([](md::Input& i) { i.settings.temperature_limit_K = 5000; }),
              HasSubstr("temperature_limit_K"));
  const auto full = [](md::Input& i) {
    i.settings.ensemble = md::Ensemble::npt;
    i.settings.thermostat = md::Thermostat::nose_hoover;
    i.settings.barostat = md::Barostat::full;
  };
  EXPECT_EQ(said(full), "");
  const Frame upright = start_;
  Mat3 leaning = start_.cell->matrix();
  leaning.row(2) += 2 * leaning.row(0);
  start_.cell = Cell(leaning);
  EXPECT_THAT(said(full), HasSubstr("leans over by 1.9"));
  start_ = upright;
  EXPECT_THAT(said([](md::Input&) {}, 41), HasSubstr("41 ranks for 40 atoms"));
  const char* searched = std::getenv("PATH");
  ASSERT_NE(searched, nullptr);
  const std::string path = searched;
  setenv("PATH", "/nowhere", 1);
  EXPECT_THAT(said([](md::Input&) {}), HasSubstr("Debian package lammps"));
  setenv("PATH", path.c_str(), 1);
}

TEST_F(LammpsEngine, ARunThatExplodesFailsAsWithTheOwnEngine) {
  const auto exploding = [&](const char* folder, std::int64_t steps) {
    md::Input input = input_in(folder_ / folder, steps);
    input.settings.ensemble = md::Ensemble::npt;
    input.settings.thermostat = md::Thermostat::nose_hoover;
    input.settings.barostat = md::Barostat::isotropic;
    input.settings.barostat_time_fs = 200;
    input.settings.pressure_bar = -2e5;
    return input;
  };
  const auto failure = [](const std::function<md::Summary()>& run) -> std::string {
    try {
      const md::Summary done = run();
      return fmt::format("step {}: done", done.last_step);
    } catch (const WorkError& error) {
      return error.what();
    }
  };
  const std::string own = failure([&] { return by_own(exploding("own", 400)); });
  ASSERT_THAT(own, HasSubstr("the crystal evaporated or collapsed"));
  const std::int64_t end = std::stoll(own.substr(own.find("step ") + 5)) / 4 * 4 + 4;
  // LAMMPS itself ends well, and what it left is not taken for a run the second time either.
  for (int again = 0; again < 2; ++again) {
    EXPECT_THAT(failure([&] { return by_lammps(exploding("lammps", end), 1); }),
                HasSubstr("the crystal evaporated or collapsed"));
    EXPECT_EQ(md::read_restart(folder_ / "lammps/md.restart").state.step, 0);
  }
}

TEST_F(LammpsEngine, AKilledSolionLeavesWhatLammpsSavedToTheNext) {
  md::Input input = input_in(folder_ / "lammps", 4000);
  input.settings.timestep_fs = 0.02;  // long enough to be killed, too short for a random model to collapse
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      by_lammps(input, 1);
    } catch (...) {
    }
    ::_exit(0);
  }
  // The younger of two restart files may be half written.
  const auto saved = [&] {
    const std::filesystem::path log = folder_ / "md.lammps/log.lammps";
    std::istringstream lines(std::filesystem::exists(log) ? read_file(log) : "");
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::int64_t step = 0;
      if (words >> step && step == 64) return true;
    }
    return false;
  };
  for (int k = 0; k < 3000 && !saved(); ++k) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it ended before it was killed";
  const std::int64_t before = md::read_restart(input.outputs.restart).state.step;
  EXPECT_EQ(before, 0);
  EXPECT_EQ(by_lammps(input, 1).last_step, 4000);
  std::istringstream script(read_file(folder_ / "md.lammps/in.lammps"));
  std::int64_t from = 0;
  for (std::string word; script >> word;)
    if (word == "reset_timestep") script >> from;
  EXPECT_GE(from, 40) << "began anew";
  EXPECT_EQ(from % 20, 0);
  const auto found = rows(input.outputs.log);
  ASSERT_EQ(found.size(), 1001U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i][0], 4.0 * static_cast<double>(i));
}

TEST_F(LammpsEngine, AKilledRunKeepsWhatLammpsSaved) {
  // A lmp that dies the first time, long after its first restart file.
  const char* searched = std::getenv("PATH");
  ASSERT_NE(searched, nullptr);
  const std::string path = searched;
  write_file(folder_ / "lmp",
             "#!/bin/bash\ncase \"$*\" in *restart2dump*) PATH=${PATH#*:} exec lmp \"$@\" ;; esac\n"
             "PATH=${PATH#*:} lmp \"$@\" & pid=$!\n"
             "until grep -q '^ *44 ' log.lammps 2>/dev/null; do sleep 0.01; done\nkill -9 $pid\nexit 9\n");
  std::filesystem::permissions(folder_ / "lmp", std::filesystem::perms::owner_all);
  md::Input input = input_in(folder_ / "lammps", 4000);
  input.settings.timestep_fs = 0.02;  // long enough to be killed, too short for a random model to collapse
  setenv("PATH", ((folder_.path()).string() + ":" + path).c_str(), 1);
  std::string said;
  try {
    by_lammps(input, 1);
  } catch (const WorkError& error) {
    said = error.what();
  }
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(said, HasSubstr("exit status 9"));
  const std::int64_t kept = md::read_restart(input.outputs.restart).state.step;
  EXPECT_GE(kept, 40);
  EXPECT_EQ(kept % 20, 0);
  EXPECT_EQ(by_lammps(input, 1).first_step, kept);
  const auto found = rows(input.outputs.log);
  ASSERT_EQ(found.size(), 1001U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i][0], 4.0 * static_cast<double>(i));
  EXPECT_EQ(io::read_frames(folder_ / "lammps/a.xyz").size(), 4000U / 6 + 1);
}

}  // namespace
}  // namespace solion::engine
