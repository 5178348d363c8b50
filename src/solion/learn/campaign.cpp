// Reading a campaign's TOML file.
#include "solion/learn/campaign.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"
#include "solion/catalog/crystal.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

double positive(TomlTable& table, const std::string& key, double fallback) {
  const double value = table.number(key, fallback);
  if (!(value > 0)) table.fail(key, "expected a number above zero");
  return value;
}

double not_negative(TomlTable& table, const std::string& key, double fallback) {
  const double value = table.number(key, fallback);
  if (!(value >= 0)) table.fail(key, "expected a number of at least zero");
  return value;
}

std::int64_t count(TomlTable& table, const std::string& key, std::int64_t fallback, std::int64_t least) {
  // A fallback out of range: the key must be there.
  const std::int64_t value = fallback < least ? table.integer(key) : table.integer(key, fallback);
  if (value < least || value > 1'000'000'000)
    table.fail(key, fmt::format("expected a whole number of at least {}", least));
  return value;
}

fs::path existing(TomlTable& table, const std::string& key) {
  if (!table.has(key)) return {};
  fs::path path = table.path(key);
  if (!fs::exists(path)) table.fail(key, "there is no '" + path.string() + "'");
  return path;
}

std::vector<fs::path> existing_list(TomlTable& table, const std::string& key) {
  std::vector<fs::path> result;
  if (!table.has(key)) return result;
  for (const std::string& text : table.texts(key)) {
    const fs::path path = text;
    result.push_back(path.is_absolute() ? path : table.file().parent_path() / path);
    if (!fs::exists(result.back())) table.fail(key, "there is no '" + result.back().string() + "'");
  }
  return result;
}

std::vector<double> temperatures(TomlTable& table) {
  std::vector<double> values = table.numbers("temperatures_K");
  if (values.empty() || !std::all_of(values.begin(), values.end(), [](double t) { return t > 0; }))
    table.fail("temperatures_K", "expected temperatures above zero");
  return values;
}

std::vector<std::string> structures(TomlTable& table) {
  std::vector<std::string> names = table.texts("structures");
  if (names.empty()) table.fail("structures", "expected at least one structure");
  return names;
}

SystemConfig read_system(TomlTable table) {
  SystemConfig system;
  system.crystal = crystal_at(table, "crystal", system.crystal);
  system.reactions = existing(table, "reactions");
  if (table.has("supercell")) {
    const auto n = table.integers("supercell");
    if (n.size() != 3 || std::any_of(n.begin(), n.end(), [](auto k) { return k < 1 || k > 1000; }))
      table.fail("supercell", "expected three whole numbers from 1 to 1000");
    for (std::size_t k = 0; k < 3; ++k) system.supercell.at(k) = static_cast<int>(n[k]);
  }
  system.count = static_cast<int>(count(table, "count", system.count, 1));
  if (table.has("placements")) system.placements = table.texts("placements");
  if (system.placements.empty()) table.fail("placements", "expected at least one placement");
  system.lattice_A = not_negative(table, "lattice_A", 0);
  TomlTable files = table.table_or_empty("files");
  for (const std::string& name : files.keys()) system.files[name] = existing(files, name);
  table.refuse_unknown();
  return system;
}

ReferenceConfig read_reference(TomlTable table) {
  ReferenceConfig reference;
  reference.potential = existing(table, "potential");
  reference.code = table.text("code", "");
  reference.settings = existing(table, "settings");
  if (reference.potential.empty() == reference.code.empty())
    table.fail("code", "give either a reference code (code) or the file of a potential (potential)");
  reference.jobs = static_cast<int>(count(table, "jobs", 1, 1));
  reference.nice = static_cast<int>(count(table, "nice", 0, 0));
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
  model.training_input = existing(table, "training_input");
  model.committee = static_cast<int>(count(table, "committee", model.committee, 2));
  model.retrain_steps = count(table, "retrain_steps", 0, 0);
  model.retrain_start_lr = not_negative(table, "retrain_start_lr", 0);
  table.refuse_unknown();
  return model;
}

StartConfig read_start(TomlTable table) {
  StartConfig start;
  start.frames = static_cast<int>(count(table, "frames", 0, 0));
  start.displacement_A = not_negative(table, "displacement_A", start.displacement_A);
  start.strain = not_negative(table, "strain", start.strain);
  table.refuse_unknown();
  return start;
}

TestConfig read_test(TomlTable table) {
  TestConfig test;
  test.systems = existing_list(table, "systems");
  if (table.has("structures")) {
    test.structures = structures(table);
    test.temperatures_K = temperatures(table);
    test.steps = count(table, "steps", 0, 1);
    test.frame_every = count(table, "frame_every", 0, 1);
    if (test.frame_every > test.steps) table.fail("frame_every", "expected at most `steps`");
  }
  table.refuse_unknown();
  return test;
}

TrustConfig read_trust(TomlTable table) {
  TrustConfig trust;
  trust.lower_eV_per_A = positive(table, "lower_eV_per_A", trust.lower_eV_per_A);
  trust.upper_eV_per_A = positive(table, "upper_eV_per_A", trust.upper_eV_per_A);
  if (!(trust.upper_eV_per_A > trust.lower_eV_per_A))
    table.fail("upper_eV_per_A", "expected more than lower_eV_per_A");
  trust.calibrate = table.boolean("calibrate", false);
  trust.accurate_error_eV_per_A = positive(table, "accurate_error_eV_per_A", trust.accurate_error_eV_per_A);
  trust.failed_error_eV_per_A = positive(table, "failed_error_eV_per_A", trust.failed_error_eV_per_A);
  if (!(trust.failed_error_eV_per_A > trust.accurate_error_eV_per_A))
    table.fail("failed_error_eV_per_A", "expected more than accurate_error_eV_per_A");
  trust.calibrate_needs = static_cast<int>(count(table, "calibrate_needs", trust.calibrate_needs, 5));
  table.refuse_unknown();
  return trust;
}

SelectConfig read_select(TomlTable table) {
  SelectConfig select;
  const std::string method = table.text("method", "coverage");
  if (method != "coverage" && method != "farthest" && method != "random")
    table.fail("method", "expected \"coverage\", \"farthest\" or \"random\"");
  select.method = method_from_name(method);
  select.max_frames = static_cast<int>(count(table, "max_frames", select.max_frames, 1));
  select.least_distance = not_negative(table, "least_distance", select.least_distance);
  table.refuse_unknown();
  return select;
}

StopConfig read_stop(TomlTable table) {
  StopConfig stop;
  stop.accurate_share = table.number("accurate_share", stop.accurate_share);
  if (!(stop.accurate_share > 0 && stop.accurate_share <= 1))
    table.fail("accurate_share", "expected a number above 0 and at most 1");
  stop.force_rmse_eV_per_A = not_negative(table, "force_rmse_eV_per_A", 0);
  table.refuse_unknown();
  return stop;
}

IterationConfig read_iteration(TomlTable& table) {
  IterationConfig it;
  const std::string ensemble = table.text("ensemble", "npt");
  if (ensemble != "npt" && ensemble != "nvt") table.fail("ensemble", "expected \"npt\" or \"nvt\"");
  it.ensemble = ensemble == "npt" ? md::Ensemble::npt : md::Ensemble::nvt;
  it.structures = structures(table);
  it.temperatures_K = temperatures(table);
  if (table.has("pressures_bar")) {
    it.pressures_bar = table.numbers("pressures_bar");
    if (it.ensemble == md::Ensemble::nvt) table.fail("pressures_bar", "NVT has no pressure");
    if (it.pressures_bar.empty()) table.fail("pressures_bar", "expected at least one pressure");
  }
  it.strain = not_negative(table, "strain", 0);
  it.steps = count(table, "steps", 0, 1);
  it.frame_every = count(table, "frame_every", it.frame_every, 1);
  if (it.frame_every > it.steps) table.fail("frame_every", "expected at most `steps`");
  it.timestep_fs = positive(table, "timestep_fs", it.timestep_fs);
  it.trajectories = static_cast<int>(count(table, "trajectories", 1, 1));
  it.repeat = static_cast<int>(count(table, "repeat", 1, 1));
  table.refuse_unknown();
  return it;
}

}  // namespace

Campaign read_campaign(const fs::path& file) {
  TomlTable table = TomlTable::read(file);
  Campaign campaign;
  campaign.file = file;
  campaign.title = table.text("title");
  campaign.seed = static_cast<std::uint64_t>(count(table, "seed", 1, 0));
  campaign.system = read_system(table.table_or_empty("system"));
  campaign.reference = read_reference(table.table("reference"));
  campaign.model = read_model(table.table("model"));
  TomlTable data = table.table_or_empty("data");
  campaign.data = existing_list(data, "systems");
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
