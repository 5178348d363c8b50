// Reading a campaign's TOML file.
#include "solion/learn/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/catalog/crystal.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

/// Structures name folders, stand in lines of CSV and in the texts of extended XYZ.
bool is_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && std::none_of(name.begin(), name.end(), [](unsigned char c) {
    return c == '/' || c == ',' || c == '"' || c == '\\' || std::iscntrl(c) != 0;
  });
}

std::vector<std::string> structures(TomlTable& table) {
  std::vector<std::string> names = table.texts("structures");
  if (names.empty()) table.fail("structures", "expected at least one structure");
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!is_name(name))
      table.fail(
          "structures",
          fmt::format("'{}' cannot name a structure: expected \"perfect\", the name of a reaction or one "
                      "of system.files, without '/', ',', quotes, '\\' and '.' in front",
                      name));
    if (!seen.insert(name).second) table.fail("structures", fmt::format("'{}' twice", name));
  }
  return names;
}

/// Up to which no cell turns inside out.
double read_strain(TomlTable& table, double fallback) {
  constexpr double most = 0.3;
  const double strain = table.not_negative("strain", fallback);
  if (!(strain <= most))
    table.fail("strain", fmt::format("expected a share of the lengths of at most {:g}: 2 % is 0.02", most));
  return strain;
}

SystemConfig read_system(TomlTable table) {
  SystemConfig system;
  system.crystal = crystal_at(table, "crystal", system.crystal);
  system.reactions = table.existing_path("reactions");
  if (table.has("supercell")) system.supercell = table.repeats("supercell");
  system.count = static_cast<int>(table.count("count", system.count, 1));
  if (table.has("placements")) system.placements = table.texts("placements");
  if (system.placements.empty()) table.fail("placements", "expected at least one placement");
  for (const std::string& name : system.placements) {
    if (name != "nearest" && name != "farthest" && name != "random")
      table.fail("placements", fmt::format("'{}'; expected \"nearest\", \"farthest\" or \"random\"", name));
  }
  system.lattice_A = table.not_negative("lattice_A", 0);
  TomlTable files = table.table_or_empty("files");
  for (const std::string& name : files.keys()) system.files[name] = files.existing_path(name);
  table.refuse_unknown();
  return system;
}

ReferenceConfig read_reference(TomlTable table) {
  ReferenceConfig reference;
  reference.potential = table.existing_path("potential");
  reference.code = table.text("code", "");
  reference.settings = table.existing_path("settings");
  if (reference.potential.empty() == reference.code.empty())
    table.fail("code", "give either a reference code (code) or the file of a potential (potential)");
  reference.jobs = static_cast<int>(table.count("jobs", 1, 1));
  reference.nice = static_cast<int>(table.count("nice", 0, 0));
  if (table.has("executor")) {
    if (reference.code.empty()) table.fail("executor", "the file of a potential labels in this process");
    reference.executor = reference::read_executor(table.table("executor"));
  }
  table.refuse_unknown();
  return reference;
}

ModelConfig read_model(TomlTable table) {
  ModelConfig model;
  if (!table.has("training_input")) table.fail("training_input", "missing: a training input");
  model.training_input = table.existing_path("training_input");
  model.committee = static_cast<int>(table.count("committee", model.committee, 2));
  model.retrain_steps = table.count("retrain_steps", 0, 0);
  model.retrain_start_lr = table.not_negative("retrain_start_lr", 0);
  table.refuse_unknown();
  return model;
}

StartConfig read_start(TomlTable table) {
  StartConfig start;
  start.frames = static_cast<int>(table.count("frames", 0, 0));
  start.displacement_A = table.not_negative("displacement_A", start.displacement_A);
  start.strain = read_strain(table, start.strain);
  table.refuse_unknown();
  return start;
}

TestConfig read_test(TomlTable table) {
  TestConfig test;
  test.systems = table.existing_paths("systems");
  if (table.has("structures")) {
    test.structures = structures(table);
    test.temperatures_K = table.positives("temperatures_K");
    test.steps = table.count("steps", 0, 1);
    test.frame_every = table.count("frame_every", 0, 1);
    if (test.frame_every > test.steps) table.fail("frame_every", "expected at most `steps`");
  }
  table.refuse_unknown();
  return test;
}

TrustConfig read_trust(TomlTable table) {
  TrustConfig trust;
  trust.lower_eV_per_A = table.positive("lower_eV_per_A", trust.lower_eV_per_A);
  trust.upper_eV_per_A = table.positive("upper_eV_per_A", trust.upper_eV_per_A);
  if (!(trust.upper_eV_per_A > trust.lower_eV_per_A))
    table.fail("upper_eV_per_A", "expected more than lower_eV_per_A");
  trust.calibrate = table.boolean("calibrate", false);
  trust.accurate_error_eV_per_A = table.positive("accurate_error_eV_per_A", trust.accurate_error_eV_per_A);
  trust.failed_error_eV_per_A = table.positive("failed_error_eV_per_A", trust.failed_error_eV_per_A);
  if (!(trust.failed_error_eV_per_A > trust.accurate_error_eV_per_A))
    table.fail("failed_error_eV_per_A", "expected more than accurate_error_eV_per_A");
  trust.calibrate_needs = static_cast<int>(table.count("calibrate_needs", trust.calibrate_needs, 5));
  table.refuse_unknown();
  return trust;
}

SelectConfig read_select(TomlTable table) {
  SelectConfig select;
  const std::string method = table.text("method", "coverage");
  if (method != "coverage" && method != "farthest" && method != "random")
    table.fail("method", "expected \"coverage\", \"farthest\" or \"random\"");
  select.method = method_from_name(method);
  select.max_frames = static_cast<int>(table.count("max_frames", select.max_frames, 1));
  select.least_distance = table.not_negative("least_distance", select.least_distance);
  table.refuse_unknown();
  return select;
}

StopConfig read_stop(TomlTable table) {
  StopConfig stop;
  stop.accurate_share = table.number("accurate_share", stop.accurate_share);
  if (!(stop.accurate_share > 0 && stop.accurate_share <= 1))
    table.fail("accurate_share", "expected a number above 0 and at most 1");
  stop.force_rmse_eV_per_A = table.not_negative("force_rmse_eV_per_A", 0);
  table.refuse_unknown();
  return stop;
}

IterationConfig read_iteration(TomlTable& table) {
  IterationConfig it;
  const std::string ensemble = table.text("ensemble", "npt");
  if (ensemble != "npt" && ensemble != "nvt") table.fail("ensemble", "expected \"npt\" or \"nvt\"");
  it.ensemble = ensemble == "npt" ? md::Ensemble::npt : md::Ensemble::nvt;
  it.structures = structures(table);
  it.temperatures_K = table.positives("temperatures_K");
  if (table.has("pressures_bar")) {
    it.pressures_bar = table.numbers("pressures_bar");
    if (it.ensemble == md::Ensemble::nvt) table.fail("pressures_bar", "NVT has no pressure");
    if (it.pressures_bar.empty()) table.fail("pressures_bar", "expected at least one pressure");
  }
  it.strain = read_strain(table, 0);
  it.steps = table.count("steps", 0, 1);
  it.frame_every = table.count("frame_every", it.frame_every, 1);
  if (it.frame_every > it.steps) table.fail("frame_every", "expected at most `steps`");
  it.timestep_fs = table.positive("timestep_fs", it.timestep_fs);
  it.trajectories = static_cast<int>(table.count("trajectories", 1, 1));
  it.repeat = static_cast<int>(table.count("repeat", 1, 1));
  table.refuse_unknown();
  return it;
}

}  // namespace

Campaign read_campaign(const fs::path& file) {
  TomlTable table = TomlTable::read(file);
  Campaign campaign;
  campaign.file = file;
  campaign.title = table.text("title");
  campaign.seed = static_cast<std::uint64_t>(table.count("seed", 1, 0));
  campaign.system = read_system(table.table_or_empty("system"));
  campaign.reference = read_reference(table.table("reference"));
  campaign.model = read_model(table.table("model"));
  TomlTable data = table.table_or_empty("data");
  campaign.data = data.existing_paths("systems");
  data.refuse_unknown();
  campaign.start = read_start(table.table_or_empty("start"));
  if (campaign.data.empty() && campaign.start.frames == 0)
    table.fail("start", "nothing to train the first models on: give data.systems or start.frames");
  campaign.test = read_test(table.table_or_empty("test"));
  campaign.trust = read_trust(table.table_or_empty("trust"));
  campaign.select = read_select(table.table_or_empty("select"));
  campaign.stop = read_stop(table.table_or_empty("stop"));
  if (campaign.stop.force_rmse_eV_per_A > 0 && campaign.test.systems.empty() &&
      campaign.test.structures.empty())
    table.fail("stop", "force_rmse_eV_per_A needs held-out frames: give test.systems or test.structures");
  for (TomlTable& iteration : table.tables("iterations"))
    campaign.iterations.push_back(read_iteration(iteration));
  if (campaign.iterations.empty()) table.fail("iterations", "expected at least one [[iterations]]");
  table.refuse_unknown();
  return campaign;
}

}  // namespace solion::learn
