// The loop and its files: exact continuation, refusals, ramps, observers, exploding runs, threads.
#include "solion/md/run.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/formats.hpp"
#include "solion/potential/from_toml.hpp"
#include "solion/potential/lennard_jones.hpp"

namespace solion::md {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = fmt::format("solion-md-{}-{}-{}", ::getpid(), info->test_suite_name(), info->name());
    std::replace(name.begin(), name.end(), '/', '-');
    path_ = fs::temp_directory_path() / name;
    fs::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

/// 32 argon-like atoms on a face-centred lattice.
Frame argon() {
  Frame cell;
  for (const Vec3& r : {Vec3(0, 0, 0), Vec3(0, .5, .5), Vec3(.5, 0, .5), Vec3(.5, .5, 0)})
    cell.add_atom("Ar", 5.4 * r);
  cell.cell = Cell::cubic(5.4);
  return repeat(cell, {2, 2, 2});
}

LennardJones argon_potential() {
  LennardJonesModel model;
  model.type_map = TypeMap({"Ar"});
  model.pairs = {{0.0104, 3.4}};
  model.cutoff_A = 6.5;
  return LennardJones(model);
}

Settings settings_for(Ensemble ensemble, Thermostat thermostat, Barostat barostat) {
  Settings s;
  s.ensemble = ensemble;
  s.thermostat = thermostat;
  s.barostat = barostat;
  s.timestep_fs = 4;
  s.barostat_time_fs = 400;
  s.stages = {{300, 80, 80}};
  s.equilibration_steps = 30;
  s.reset_every = 50;
  return s;
}

Outputs outputs_in(const Folder& folder, const char* stem) {
  Outputs o;
  const std::string base = (folder / stem).string();
  o.log = base + ".log";
  o.restart = base + ".restart";
  o.trajectories = {{base + ".xyz", 7, true, true}};
  o.thermo_every = 10;
  o.restart_every = 50;
  return o;
}

std::string content(const fs::path& path) { return read_file(path); }

void expect_same_files(const Outputs& a, const Outputs& b) {
  EXPECT_EQ(content(a.log), content(b.log));
  EXPECT_EQ(content(a.trajectories[0].file), content(b.trajectories[0].file));
  const State x = read_restart(a.restart).state;
  const State y = read_restart(b.restart).state;
  EXPECT_EQ(x.step, y.step);
  EXPECT_TRUE(x.frame.positions == y.frame.positions);
  EXPECT_TRUE(x.frame.velocities == y.frame.velocities);
  EXPECT_TRUE(x.now.forces == y.now.forces);
  EXPECT_TRUE(x.frame.cell->matrix() == y.frame.cell->matrix());
  EXPECT_EQ(x.reservoir_eV, y.reservoir_eV);
  EXPECT_EQ(x.skin_A, y.skin_A);
}

struct Case {
  const char* name;
  Ensemble ensemble;
  Thermostat thermostat;
  Barostat barostat;
};
class Restarted : public ::testing::TestWithParam<Case> {};

TEST_P(Restarted, RunIsTheUninterruptedOneBitForBit) {
  const Case& c = GetParam();
  const Folder folder;
  const Settings s = settings_for(c.ensemble, c.thermostat, c.barostat);
  LennardJones potential = argon_potential();
  const Outputs whole = outputs_in(folder, "whole");
  const Outputs broken = outputs_in(folder, "broken");
  const Summary straight = run(s, whole, argon(), potential);

  // Broken off twice in the middle of everything; files keep the steps after the last restart file.
  for (const std::int64_t at : {130, 260}) {
    RunOptions dying;
    dying.observers = {{1, [at](const Simulation& simulation) {
                          if (simulation.state().step == at) throw std::runtime_error("killed");
                        }}};
    LennardJones fresh = argon_potential();
    EXPECT_THROW(run(s, broken, argon(), fresh, dying), std::runtime_error);
  }
  LennardJones fresh = argon_potential();
  const Summary continued = run(s, broken, argon(), fresh);
  EXPECT_EQ(continued.first_step, 250);
  EXPECT_NE(read_restart(whole.restart).state.skin_A, Skin::first_A) << "it was not tuned at all";
  expect_same_files(whole, broken);
  EXPECT_EQ(straight.averages.temperature_K.mean, continued.averages.temperature_K.mean);
  EXPECT_EQ(straight.averages.drift_eV_per_ps(), continued.averages.drift_eV_per_ps());
  // And once more: nothing is left to do.
  EXPECT_EQ(run(s, broken, argon(), fresh).first_step, s.total_steps());
  expect_same_files(whole, broken);
}

INSTANTIATE_TEST_SUITE_P(
    Md, Restarted,
    ::testing::Values(Case{"Nve", Ensemble::nve, Thermostat::csvr, Barostat::none},
                      Case{"NoseHoover", Ensemble::nvt, Thermostat::nose_hoover, Barostat::none},
                      Case{"Csvr", Ensemble::nvt, Thermostat::csvr, Barostat::none},
                      Case{"Langevin", Ensemble::nvt, Thermostat::langevin, Barostat::none},
                      Case{"NptIsotropic", Ensemble::npt, Thermostat::nose_hoover, Barostat::isotropic},
                      Case{"NptFull", Ensemble::npt, Thermostat::nose_hoover, Barostat::full},
                      Case{"NptLangevin", Ensemble::npt, Thermostat::langevin, Barostat::full}),
    [](const auto& p) { return std::string(p.param.name); });

TEST(Run, CanBeMadeLonger) {
  const Folder folder;
  Settings s = settings_for(Ensemble::nvt, Thermostat::csvr, Barostat::none);
  LennardJones potential = argon_potential();
  s.stages[0].steps = 370;
  const Outputs whole = outputs_in(folder, "whole");
  run(s, whole, argon(), potential);
  const Outputs longer = outputs_in(folder, "longer");
  s.stages[0].steps = 170;
  run(s, longer, argon(), potential);
  s.stages[0].steps = 370;
  EXPECT_EQ(run(s, longer, argon(), potential).first_step, 200);
  expect_same_files(whole, longer);
}

TEST(Run, RefusesTheRestartFileOfOtherInput) {
  const Folder folder;
  const Settings s = settings_for(Ensemble::nvt, Thermostat::csvr, Barostat::none);
  LennardJones potential = argon_potential();
  const Outputs o = outputs_in(folder, "a");
  run(s, o, argon(), potential);

  Settings other = s;
  other.timestep_fs = 2;
  EXPECT_THAT([&] { run(other, o, argon(), potential); },
              ThrowsMessage<InputError>(HasSubstr("written with other settings (")));
  Frame moved = argon();
  moved.positions[3][1] += 0.01;
  EXPECT_THAT([&] { run(s, o, moved, potential); },
              ThrowsMessage<InputError>(HasSubstr("written with another structure")));
  RunOptions another;
  another.potential_identity = "another";
  EXPECT_THAT([&] { run(s, o, argon(), potential, another); },
              ThrowsMessage<InputError>(HasSubstr("written with another potential")));
  another.fresh = true;
  EXPECT_EQ(run(s, o, argon(), potential, another).first_step, 0);

  std::string text = content(o.restart);
  write_file(o.restart, text.substr(0, text.size() / 2));
  EXPECT_THAT([&] { run(s, o, argon(), potential); },
              ThrowsMessage<InputError>(HasSubstr("not a whole restart file")));
  const std::size_t digit = text.find("\"energy\":") + 11;
  text[digit] = text[digit] == '1' ? '2' : '1';
  write_file(o.restart, text);
  EXPECT_THAT([&] { run(s, o, argon(), potential); }, ThrowsMessage<InputError>(HasSubstr("checksum")));
  fs::remove(o.restart);
  EXPECT_THAT([&] { run(s, o, argon(), potential); },
              ThrowsMessage<InputError>(HasSubstr("there is no restart file")));
}

TEST(Run, SizesInTheRestartFileAreNotThoseOfOtherFiles) {
  const Folder folder;
  Settings s = settings_for(Ensemble::nvt, Thermostat::csvr, Barostat::none);
  LennardJones potential = argon_potential();
  const Outputs with = outputs_in(folder, "a");
  run(s, with, argon(), potential);
  const std::string trajectory = content(with.trajectories[0].file);
  s.stages[0].steps += 100;
  Outputs without = with;
  without.log.clear();
  EXPECT_THAT([&] { run(s, without, argon(), potential); },
              ThrowsMessage<InputError>(HasSubstr("(log: one then, none now)")));
  EXPECT_EQ(content(with.trajectories[0].file), trajectory);

  without.restart = folder / "b.restart";
  without.trajectories[0].file = folder / "b.xyz";
  run(s, without, argon(), potential);
  s.stages[0].steps += 100;
  without.log = folder / "b.log";
  write_file(without.log, "of another run\n");
  EXPECT_THAT([&] { run(s, without, argon(), potential); },
              ThrowsMessage<InputError>(HasSubstr("(log: none then, one now)")));
}

TEST(Run, KeepsItsFilesFromAnotherRun) {
  const Folder folder;
  const Settings s = settings_for(Ensemble::nvt, Thermostat::csvr, Barostat::none);
  LennardJones potential = argon_potential();
  const Outputs o = outputs_in(folder, "a");
  int refused = 0;
  RunOptions first;
  first.observers = {{100, [&](const Simulation& simulation) {
                        if (simulation.state().step != 130) return;
                        LennardJones own = argon_potential();
                        RunOptions second;
                        second.fresh = true;
                        Settings other = s;
                        other.seed = 7;
                        const std::string restart = content(o.restart);
                        EXPECT_THAT([&] { run(other, o, argon(), own, second); },
                                    ThrowsMessage<WorkError>(HasSubstr("another run is writing this file")));
                        EXPECT_EQ(content(o.restart), restart);
                        Outputs elsewhere = outputs_in(folder, "b");
                        elsewhere.log = "/dev/null";
                        EXPECT_NO_THROW(run(other, elsewhere, argon(), own, second));
                        ++refused;
                      }}};
  run(s, o, argon(), potential, first);
  EXPECT_EQ(refused, 1);
  const Outputs alone = outputs_in(folder, "c");
  run(s, alone, argon(), potential);
  expect_same_files(o, alone);
  EXPECT_NO_THROW(run(s, o, argon(), potential));
}

TEST(Run, AveragesOfNoRowAreNone) {
  const Folder folder;
  Settings s = settings_for(Ensemble::nvt, Thermostat::csvr, Barostat::none);
  s.stages[0].steps = 8;
  LennardJones potential = argon_potential();
  Outputs o = outputs_in(folder, "a");
  o.thermo_every = 50;
  const Json none = to_json(run(s, o, argon(), potential));
  EXPECT_EQ(none["thermo_rows"], 0);
  for (const char* key : {"temperature_K", "potential_energy_eV", "pressure_bar", "volume_A3"})
    EXPECT_TRUE(none[key]["mean"].is_null()) << key;
  EXPECT_TRUE(none["conserved_drift_eV_per_atom_per_ps"].is_null());
  o = outputs_in(folder, "b");
  o.thermo_every = 38;
  const Json one = to_json(run(s, o, argon(), potential));
  EXPECT_GT(one["temperature_K"]["mean"], 0.0);
  EXPECT_TRUE(one["temperature_K"]["std"].is_null());
  EXPECT_TRUE(one["conserved_drift_eV_per_atom_per_ps"].is_null());
}

/// A potential as slow as DFT, which Ctrl-C stops in the middle of a step.
class Slow : public Potential {
 public:
  explicit Slow(int calls) : calls_(calls) {}
  [[nodiscard]] std::string description() const override { return "slow"; }
  [[nodiscard]] const TypeMap& type_map() const override { return inner_.type_map(); }
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override {
    if (calls_-- == 0) throw Interrupted();
    std::this_thread::sleep_for(std::chrono::milliseconds(1050));
    inner_.evaluate(frame, request, result);
  }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override { return std::make_unique<Slow>(*this); }

 private:
  LennardJones inner_ = argon_potential();
  int calls_;
};

TEST(Run, CtrlCLosesNoMoreThanTheStepInFlightOfASlowPotential) {
  const Folder folder;
  Settings settings = settings_for(Ensemble::nvt, Thermostat::csvr, Barostat::none);
  const Outputs outputs = outputs_in(folder, "slow");
  Slow slow(4);  // the start and three steps
  EXPECT_THROW(run(settings, outputs, argon(), slow, {}), Interrupted);
  Slow rest(1);
  EXPECT_THROW(run(settings, outputs, argon(), rest, {}), Interrupted);
  LennardJones quick = argon_potential();
  EXPECT_EQ(run(settings, outputs, argon(), quick, {}).first_step, 4);
}

TEST(Run, TakesVelocitiesOfItsStructureHoweverHot) {
  Frame start = argon();
  Settings settings = settings_for(Ensemble::nve, Thermostat::none, Barostat::none);
  settings.equilibration_steps = 0;
  settings.draw_velocities = false;
  settings.timestep_fs = 0.5;
  settings.stages = {{3, 0, 0}};
  start.velocities = draw_velocities(start.masses(), 2000, 7);
  LennardJones potential = argon_potential();
  EXPECT_GT(run(settings, {}, start, potential, {}).averages.temperature_K.mean, 500);
  EXPECT_EQ(repeat(start, {1, 1, 2}).velocities.size(), 2 * start.n_atoms());
}

TEST(Run, FollowsItsStagesAndShowsThemToObservers) {
  Settings s = settings_for(Ensemble::nvt, Thermostat::nose_hoover, Barostat::none);
  s.equilibration_steps = 50;
  s.stages = {{1000, 40, 80}, {1000, 80, 80}, {1000, 80, 20}};
  EXPECT_EQ(s.temperature_at(50), 40);
  EXPECT_EQ(s.temperature_at(550), 60);
  EXPECT_EQ(s.temperature_at(1500), 80);
  EXPECT_EQ(s.temperature_at(3050), 20);
  LennardJones potential = argon_potential();
  std::vector<double> hold, conserved;
  std::int64_t first = -1;
  RunOptions options;
  options.observers = {{10, [&](const Simulation& simulation) {
                          const Thermo t = simulation.thermo();
                          if (first < 0) first = t.step;
                          conserved.push_back(t.conserved_eV);
                          if (t.step > 1250 && t.step <= 2050) hold.push_back(t.temperature_K);
                        }}};
  const Summary summary = run(s, Outputs{}, argon(), potential, options);
  EXPECT_EQ(first, 50);
  EXPECT_EQ(conserved.size(), 301U);
  double mean = 0;
  for (const double t : hold) mean += t / static_cast<double>(hold.size());
  // 93 degrees of freedom fluctuate by 15 %; 800 steps are some ten correlation times.
  EXPECT_NEAR(mean, 80, 80 * 0.15 / std::sqrt(10.0) * 3);
  // The work of the ramp is in the conserved quantity: it stays within a hundredth of the heat that went
  // through.
  const auto [low, high] = std::minmax_element(conserved.begin(), conserved.end());
  EXPECT_LT(*high - *low, 0.01 * 93 * 8.617e-5 * 60);
  EXPECT_EQ(summary.last_step, 3050);
}

TEST(Run, SaysWhenItExplodes) {
  const Folder folder;
  Settings s = settings_for(Ensemble::nve, Thermostat::none, Barostat::none);
  s.equilibration_steps = 0;
  s.timestep_fs = 20;
  s.stages = {{5000, 3000, 3000}};
  LennardJones potential = argon_potential();
  const Outputs o = outputs_in(folder, "hot");
  EXPECT_THAT([&] { run(s, o, argon(), potential); }, ThrowsMessage<WorkError>(HasSubstr("step ")));
  EXPECT_NO_THROW(read_restart(o.restart));
}

TEST(Run, DoesNotDependOnTheNumberOfThreads) {
  const fs::path model = fs::path(SOLION_SOURCE_DIR) / "examples/li3ocl/buckingham.toml";
  const Frame unit = io::read_frame(fs::path(SOLION_SOURCE_DIR) / "examples/li3ocl/unit_cell.xyz");
  Settings s;
  s.ensemble = Ensemble::nvt;
  s.thermostat = Thermostat::langevin;
  s.stages = {{5, 900, 900}};
  std::vector<std::vector<Vec3>> ends;
  for (const int threads : {1, 3}) {
    const auto potential = potential_from_toml(model);
    potential->set_threads(threads);
    Simulation simulation(s, repeat(unit, {2, 1, 1}), *potential);
    for (int i = 0; i < 5; ++i) simulation.step();
    ends.push_back(simulation.state().frame.positions);
  }
  EXPECT_TRUE(ends[0] == ends[1]);
}

/// The least input, and lines added to it.
Input read_with(const std::string& lines, const std::string& ensemble = "nvt\"\nthermostat = \"csvr") {
  return read_input(TomlTable::parse("structure = \"a.xyz\"\npotential = \"p.toml\"\nensemble = \"" +
                                         ensemble + "\"\ntimestep_fs = 1\n" + lines,
                                     "/some/where/md.toml"));
}

TEST(Input, IsReadWithItsDefaults) {
  const Input input = read_with(
      "[[stages]]\nsteps = 10\ntemperature_K = 300\ntemperature_end_K = 600\n[trajectory]\nfile = "
      "\"t.dump\"\nevery = 5\nvelocities = true\n");
  EXPECT_EQ(input.structure, "/some/where/a.xyz");
  EXPECT_EQ(input.outputs.log, "/some/where/md.log");
  EXPECT_EQ(input.outputs.restart, "/some/where/md.restart");
  EXPECT_EQ(input.settings.stages.at(0).temperature_end_K, 600);
  EXPECT_EQ(input.outputs.trajectories.at(0).every, 5);
  EXPECT_TRUE(input.outputs.trajectories.at(0).velocities);
}

TEST(Input, NamesWhatIsWrong) {
  const auto refuses = [](const std::string& lines, const char* text, const std::string& ensemble = "nve") {
    EXPECT_THAT([&] { read_with(lines, ensemble); }, ThrowsMessage<InputError>(HasSubstr(text))) << lines;
  };
  const std::string good = "steps = 10\ntemperature_K = 300\n";
  refuses(good + "temperatur_end_K = 4", "md.toml:7: temperatur_end_K = 4: unknown key");
  refuses("steps = 10", "temperature_K: missing");
  refuses("steps = -1\ntemperature_K = 300", "steps = -1: expected 0 or more");
  refuses("steps = 1.5\ntemperature_K = 300", "steps = 1.5: expected a whole number");
  refuses("steps = 1\ntemperature_K = -3", "temperature_K = -3");
  refuses("steps = 1\ntemperature_K = nan", "temperature_K");
  refuses(good + "thermostat = \"csvr\"", "has no thermostat");
  refuses(good + "pressure_bar = 1", "belongs to the ensemble \"npt\" only");
  refuses(good + "thermostat = \"nose\"", "expected one of \"nose-hoover\", \"csvr\", \"langevin\"", "nvt");
  refuses(good, "thermostat: missing", "nvt");
  refuses(good + "thermostat = \"csvr\"\nbarostat = \"mtk-full\"", "pressure_bar: missing", "npt");
  refuses(good + "[[stages]]\nsteps = 1\ntemperature_K = 1", "stands in each of the [[stages]]", "nvt");
  refuses(good + "[[trajectory]]\nfile = \"x.pdb\"\nevery = 1", "expected a name ending in");
  refuses(good + "[[trajectory]]\nfile = \"x.xyz\"\nevery = 0", "expected 1 or more");
  refuses(good + "restart = \"md.log\"", "two outputs");
  for (const char* key : {"log", "restart", "final"})
    refuses(good + key + " = \"\"", "= '': expected the name of a file");
  refuses(good + "[[trajectory]]\nfile = \"\"\nevery = 1", "file = '': expected the name of a file");
  refuses(good, "expected one of \"nve\", \"nvt\", \"npt\"", "NVT");
}

TEST(Input, OneFileIsOneHoweverItsNameIsWritten) {
  const std::string text =
      "structure = \"a.xyz\"\npotential = \"p.toml\"\nensemble = \"nve\"\ntimestep_fs = 1\nsteps = 10\n"
      "temperature_K = 300\nlog = \"both.out\"\nrestart = \"./both.out\"\n";
  EXPECT_THAT([&] { read_input(TomlTable::parse(text, "md.toml")); },
              ThrowsMessage<InputError>(HasSubstr("both.out is named for two outputs")));
}

}  // namespace
}  // namespace solion::md
