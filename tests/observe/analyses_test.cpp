// What a run analyses by itself is what `solion analyze` says of its trajectory, also after it was killed.
#include "solion/observe/analyses.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/catalog/open.hpp"
#include "solion/potential/lennard_jones.hpp"
#include "solion/transport/deviation.hpp"
#include "solion/transport/msd_analysis.hpp"
#include "solion/transport/read.hpp"
#include "solion/transport/reports.hpp"

namespace solion::observe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// 32 argon- and neon-like atoms, half of each in alternating layers.
Frame mixture() {
  Frame cell;
  for (const Vec3& r : {Vec3(0, 0, 0), Vec3(.5, .5, 0)}) cell.add_atom("Ar", 5.4 * r);
  for (const Vec3& r : {Vec3(0, .5, .5), Vec3(.5, 0, .5)}) cell.add_atom("Ne", 5.4 * r);
  cell.cell = Cell::cubic(5.4);
  return repeat(cell, {2, 2, 2});
}

LennardJones potential() {
  LennardJonesModel model;
  model.type_map = TypeMap({"Ar", "Ne"});
  model.pairs = {{0.0104, 3.4}, {0.006, 3.1}, {0.006, 3.1}, {0.003, 2.8}};
  model.cutoff_A = 6.5;
  return LennardJones(model);
}

constexpr const char* nvt = "ensemble = 'nvt'\nthermostat = 'csvr'\n";
constexpr const char* npt =
    "ensemble = 'npt'\nthermostat = 'nose-hoover'\nbarostat = 'mtk-full'\npressure_bar = 200\n"
    "barostat_time_fs = 300\n";
constexpr const char* hold = "steps = 400\ntemperature_K = 150\n";
constexpr const char* ramp =
    "[[stages]]\nsteps = 120\ntemperature_K = 60\ntemperature_end_K = 150\n"
    "[[stages]]\nsteps = 240\ntemperature_K = 150\n"
    "[[stages]]\nsteps = 80\ntemperature_K = 150\ntemperature_end_K = 40\n";
constexpr const char* all_kinds = R"(
[[analysis]]
kind = 'msd'
species = 'Ne'
every = 4
charge_e = 1
temperature_K = 150
json = 'msd.json'
csv = 'msd.csv'
[[analysis]]
kind = 'rdf'
pairs = ['Ar-Ne', 'Ne-Ne']
r_max_A = 12
bin_A = 0.1
every = 8
json = 'rdf.json'
csv = 'rdf.csv'
[[analysis]]
kind = 'density'
species = 'Ne'
spacing_A = 0.9
temperature_K = 150
every = 4
json = 'density.json'
csv = 'density.csv'
[[analysis]]
kind = 'vanhove'
species = 'Ne'
times_ps = [0, 0.1, 0.4]
bin_A = 0.25
every = 8
json = 'vanhove.json'
csv = 'vanhove.csv'
[[analysis]]
kind = 'deviation'
models = ['soft.toml', 'hard.toml']
levels_eV_per_A = [0.001, 0.002]
every = 8
json = 'deviation.json'
csv = 'deviation.csv'
)";

/// Two models that differ in one pair.
std::string model_text(double epsilon_eV) {
  return fmt::format(
      "kind = 'lennard-jones'\ncutoff_A = 6.5\n"
      "[[pairs]]\nelements = ['Ar', 'Ar']\nepsilon_eV = 0.0104\nsigma_A = 3.4\n"
      "[[pairs]]\nelements = ['Ar', 'Ne']\nepsilon_eV = {}\nsigma_A = 3.1\n"
      "[[pairs]]\nelements = ['Ne', 'Ne']\nepsilon_eV = 0.003\nsigma_A = 2.8\n",
      epsilon_eV);
}

/// A folder of its own with the input of a run in it, removed at the end.
class Place {
 public:
  Place() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    static int n = 0;
    path_ = fs::temp_directory_path() / fmt::format("solion-observe-{}-{}-{}", ::getpid(), info->name(), ++n);
    fs::create_directories(path_);
    write_file(path_ / "soft.toml", model_text(0.006));
    write_file(path_ / "hard.toml", model_text(0.007));
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }

  /// `ensemble` and `length`: see above; `tables`: at the end.
  [[nodiscard]] md::Input input(const std::string& ensemble, const std::string& length,
                                const std::string& tables) const {
    const std::string text = ensemble +
                             "timestep_fs = 4\nequilibration_steps = 20\nseed = 7\nthermo_every = 10\n" +
                             "restart_every = 50\nreset_every = 25\n" + length +
                             "[[trajectory]]\nfile = 'run.xyz'\nevery = 4\n" + tables;
    return md::read_input(TomlTable::parse(text, (path_ / "md.toml").string()), {true, true, false});
  }

 private:
  fs::path path_;
};

/// Runs it, killed in front of the production step `kill_at` (if there is one), and writes the results.
void run(const md::Input& input, std::int64_t kill_at = -1) {
  Analyses analyses(input, mixture());
  md::RunOptions how;
  if (kill_at >= 0)
    how.observers.push_back({1, [kill_at](const md::Simulation& simulation) {
                               if (simulation.state().step == kill_at) throw std::runtime_error("killed");
                             }});
  for (md::Observer& observer : analyses.observers()) how.observers.push_back(std::move(observer));
  LennardJones fresh = potential();
  md::run(input.settings, input.outputs, mixture(), fresh, how);
  for (const std::string& text : analyses.write()) EXPECT_FALSE(text.empty());
}

/// Frames of the trajectory as `solion analyze --skip-frames SKIP --every EVERY` sees them, `most` at most.
template <class Accumulator>
double feed(const Place& place, std::size_t skip, std::size_t every, std::size_t most, Accumulator& into) {
  transport::ReadTrajectory what;
  what.files = {place / "run.xyz"};
  what.skip_frames = skip;
  what.every = every;
  std::size_t n = 0;
  return transport::for_each_frame(what, [&](const Frame& frame, const std::string& where, std::size_t) {
    if (n++ < most) into.add(frame, where);
  });
}

constexpr std::size_t all = 1000000;

void expect_equal(const Json& inside, const Json& from_trajectory) {
  EXPECT_TRUE(inside == Json::parse(from_trajectory.dump()))
      << Json::diff(inside, Json::parse(from_trajectory.dump())).dump().substr(0, 400);
}

/// All results are those from the trajectory, to the last bit, since it holds all bits of a coordinate.
/// `skip` and `most`: frames of the MSD.
void expect_as_from_trajectory(const Place& place, std::size_t skip, std::size_t most) {
  transport::MsdAnalysis msd(
      {.species = "Ne", .framework = {}, .charge_e = 1, .temperature_K = 150, .unwrap = {}});
  const double interval = feed(place, skip, 1, most, msd);
  EXPECT_EQ(interval, 16);
  const Json inside = read_json(place / "msd.json");
  EXPECT_GT(inside["msd_A2"]["Ne"].back().get<double>(), 0.1);
  EXPECT_TRUE(inside.contains("conductivity_bound_mS_per_cm"));
  expect_equal(inside, to_json(msd.report(interval)));

  transport::RdfAccumulator rdf({.pairs = {{"Ar", "Ne"}, {"Ne", "Ne"}}, .r_max_A = 12, .bin_A = 0.1});
  feed(place, skip, 2, (most + 1) / 2, rdf);
  expect_equal(read_json(place / "rdf.json"), transport::rdf_json(rdf.curves(), 0.1));

  transport::DensityAccumulator density({.species = "Ne", .framework = {}, .spacing_A = 0.9, .unwrap = {}});
  feed(place, skip, 1, most, density);
  expect_equal(read_json(place / "density.json"), to_json(transport::report(density, 150)));

  transport::VanHoveOptions options{.species = "Ne", .framework = {}, .times_fs = {0, 100, 400}};
  options.bin_A = 0.25;
  transport::VanHoveAccumulator van_hove(options, 32);
  feed(place, skip, 2, (most + 1) / 2, van_hove);
  expect_equal(read_json(place / "vanhove.json"), transport::van_hove_json(van_hove.curves(), options));

  transport::DeviationAccumulator deviation(open_committee({place / "soft.toml", place / "hard.toml"}));
  feed(place, skip, 2, (most + 1) / 2, deviation);
  const Json devi = read_json(place / "deviation.json");
  expect_equal(devi, to_json(deviation.report(32, transport::DeviationLevels{0.001, 0.002})));
  EXPECT_GT(devi["force_max_eV_per_A"].front().get<double>(), 0);
  EXPECT_NEAR(devi["accurate"].get<double>() + devi["candidate"].get<double>() + devi["failed"].get<double>(),
              1, 1e-12);
}

class InsideARun : public ::testing::TestWithParam<const char*> {};

TEST_P(InsideARun, SaysWhatTheTrajectorySays) {
  const Place place;
  run(place.input(GetParam(), hold, all_kinds));
  expect_as_from_trajectory(place, 0, all);
}

TEST_P(InsideARun, SeesOneStageOfARamp) {
  const Place place;
  std::string tables = all_kinds;
  for (std::size_t at = 0; (at = tables.find("kind", at)) != std::string::npos; at += 30)
    tables.insert(at, "stage = 2\nskip_steps = 40\n");
  run(place.input(GetParam(), ramp, tables));
  // Production steps 160 … 360.
  EXPECT_EQ(read_json(place / "msd.json")["n_frames"], 51);
  EXPECT_EQ(read_json(place / "rdf.json")["n_frames"], 26);
  expect_as_from_trajectory(place, 40, 51);
}

TEST_P(InsideARun, IsTheSameBitForBitAfterBeingKilled) {
  for (const char* length : {hold, ramp}) {
    const Place whole, broken;
    run(whole.input(GetParam(), length, all_kinds));
    const md::Input input = broken.input(GetParam(), length, all_kinds);
    // Before the first restart file, between two, and right behind one.
    for (const std::int64_t at : {33, 183, 351}) EXPECT_THROW(run(input, at), std::runtime_error);
    run(input);
    for (const char* file :
         {"msd.json", "msd.csv", "rdf.json", "rdf.csv", "density.json", "density.csv", "vanhove.json",
          "vanhove.csv", "deviation.json", "deviation.csv", "md.restart", "run.xyz"})
      EXPECT_TRUE(read_file(whole / file) == read_file(broken / file)) << file;
    // A finished run has all it needs in the restart file; what follows from the frames may change.
    fs::remove(broken / "msd.json");
    run(input);
    EXPECT_EQ(read_file(whole / "msd.json"), read_file(broken / "msd.json"));
  }
}

INSTANTIATE_TEST_SUITE_P(Observe, InsideARun, ::testing::Values(nvt, npt),
                         [](const auto& p) { return std::string(p.param).substr(12, 3); });

TEST(Analyses, GoOnWithALongerRun) {
  const Place whole, longer;
  run(whole.input(nvt, hold, all_kinds));
  run(longer.input(nvt, "steps = 230\ntemperature_K = 150\n", all_kinds));
  run(longer.input(nvt, hold, all_kinds));
  for (const char* file : {"msd.json", "rdf.json", "density.json", "vanhove.json", "deviation.json"})
    EXPECT_EQ(read_file(whole / file), read_file(longer / file)) << file;
}

TEST(Analyses, ARestartFileBelongsToItsTables) {
  const Place place;
  run(place.input(nvt, hold, ""));
  EXPECT_THAT([&] { run(place.input(nvt, hold, all_kinds)); },
              ThrowsMessage<InputError>(HasSubstr("written with other [[analysis]] tables")));
  EXPECT_FALSE(fs::exists(place / "msd.json"));
  const Place other;
  run(other.input(nvt, hold, all_kinds));
  std::string changed = all_kinds;
  changed.replace(changed.find("bin_A = 0.1"), 11, "bin_A = 0.2");
  EXPECT_THAT([&] { run(other.input(nvt, hold, changed)); },
              ThrowsMessage<InputError>(
                  HasSubstr("written with other [[analysis]] tables (msd of Ne every 4 from 0")));
  EXPECT_THAT([&] { run(other.input(nvt, hold, "")); },
              ThrowsMessage<InputError>(HasSubstr(" then, none now)")));
}

TEST(Analyses, RefuseWhatTheyCannotDo) {
  const std::string msd = "[[analysis]]\nkind = 'msd'\njson = 'a.json'\n";
  const std::string rdf = "[[analysis]]\nkind = 'rdf'\njson = 'a.json'\n";
  const std::string density = "[[analysis]]\nkind = 'density'\njson = 'a.json'\n";
  const std::string van_hove = "[[analysis]]\nkind = 'vanhove'\njson = 'a.json'\n";
  const std::string deviation = "[[analysis]]\nkind = 'deviation'\njson = 'a.json'\nevery = 4\n";
  const std::pair<std::string, const char*> wrong[] = {
      {"[[analysis]]\nkind = 'msdd'\n", "kind = 'msdd': expected msd, rdf, density, vanhove or deviation"},
      {msd + "species = 'Li'\nevery = 4", "species = 'Li': no atom of the structure is Li; it has Ar16 Ne16"},
      {msd + "species = 'Ne'\nevery = 4\nframework = ['Cl']", "no atom of the structure is Cl"},
      {msd + "species = 'Ne'\nevery = 500", "every = 500: longer than the 400 steps"},
      {msd + "species = 'Ne'\nevery = 100", "every = 100: shows 5 frames of 400 steps; at least 9"},
      {msd + "species = 'Ne'\nevery = 0", "every = 0: expected 1 step or more"},
      {msd + "species = 'Ne'\nevery = 4\nskip_steps = 400", "skip_steps = 400: expected 0 or more"},
      {msd + "species = 'Ne'\nevery = 4\nstage = 2", "stage = 2: expected 1 to 1"},
      {msd + "species = 'Ne'\nevery = 4\naxes = 'xx'", "axes = 'xx': axes xx: expected some of x, y and z"},
      {msd + "species = 'Ne'\nevery = 4\njump_length_A = -1", "jump_length_A = -1"},
      {msd + "species = 'Ne'\nevery = 4\nwindow_start_ps = 1", "window_start_ps = 1"},
      {msd + "species = 'Ne'\nevery = 4\ntemperature_K = 300", "needs charge_e"},
      {msd + "species = 'Ne'\nevery = 4\nspecie = 'Ne'", "specie = 'Ne': unknown key"},
      {"[[analysis]]\nkind = 'msd'\nspecies = 'Ne'\nevery = 4", "name a file for the results"},
      {"[[analysis]]\nkind = 'msd'\nspecies = 'Ne'\nevery = 4\njson = 'no/a.json'", "no does not exist"},
      {"[[analysis]]\nkind = 'msd'\nspecies = 'Ne'\nevery = 4\njson = 'md.log'", "two outputs"},
      {deviation + "models = ['soft.toml', 'no.toml']", "there is no"},
      {deviation + "models = ['soft.toml']", "a committee needs two models or more"},
      {deviation + "models = ['soft.toml', 'hard.toml']\nlevels_eV_per_A = [2, 1]", "expected two numbers"},
      {rdf + "pairs = ['Ar']\nevery = 4", "'Ar' is no pair of elements"},
      {rdf + "pairs = ['Ar-Li']\nevery = 4", "no atom of the structure is Li"},
      {rdf + "pairs = []\nevery = 4", "pairs"},
      {rdf + "pairs = ['Ar-Ne']\nr_max_A = 0\nevery = 4", "r_max_A = 0"},
      {rdf + "pairs = ['Ar-Ne']\nr_max_A = 1e9\nevery = 4", "r_max_A = 1000000000"},
      {density + "species = 'Ne'\nevery = 4\nspacing_A = 1e-4", "spacing_A = 0.0001"},
      {van_hove + "species = 'Ne'\nevery = 4\ntimes_ps = [2]", "2: expected 0 to 1.6 ps"},
  };
  for (const auto& [table, message] : wrong) {
    const Place place;
    try {
      run(place.input(nvt, hold, table));
      ADD_FAILURE() << "accepted: " << table;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message)) << table;
      EXPECT_THAT(error.what(), HasSubstr("md.toml")) << table;
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(place / ""), fs::directory_iterator()), 2) << table;
  }
}

}  // namespace
}  // namespace solion::observe
