// Settings: checks, the temperature programme, the TOML input.
#include "solion/md/settings.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"

namespace solion::md {

std::int64_t Settings::total_steps() const {
  std::int64_t sum = equilibration_steps;
  for (const Stage& stage : stages) sum += stage.steps;
  return sum;
}

double Settings::temperature_at(std::int64_t step) const {
  std::int64_t begin = equilibration_steps;
  if (step <= begin) return stages.front().temperature_K;
  for (const Stage& stage : stages) {
    if (step <= begin + stage.steps) {
      const double f = static_cast<double>(step - begin) / static_cast<double>(stage.steps);
      return stage.temperature_K + f * (stage.temperature_end_K - stage.temperature_K);
    }
    begin += stage.steps;
  }
  return stages.back().temperature_end_K;
}

double Settings::highest_temperature() const {
  double highest = 0;
  for (const Stage& s : stages) highest = std::max({highest, s.temperature_K, s.temperature_end_K});
  return highest;
}

bool Settings::can_be_extended() const {
  return stages.size() == 1 && stages.front().temperature_K == stages.front().temperature_end_K;
}

Thermostat Settings::thermostat_at(std::int64_t step) const {
  if (ensemble != Ensemble::nve) return thermostat;
  if (step > equilibration_steps) return Thermostat::none;
  return thermostat == Thermostat::none ? Thermostat::csvr : thermostat;
}

namespace {

void require(bool good, const char* key, double value, const char* expected) {
  if (!good) throw InputError("md: {} = {}: {}", key, value, expected);
}

}  // namespace

void Settings::check() const {
  require(timestep_fs > 0 && timestep_fs <= 20, "timestep_fs", timestep_fs,
          "expected more than 0 and at most 20 fs");
  require(equilibration_steps >= 0, "equilibration_steps", static_cast<double>(equilibration_steps),
          "expected 0 or more");
  require(reset_every > 0, "reset_every", static_cast<double>(reset_every), "expected 1 or more");
  require(temperature_limit_K >= 0, "temperature_limit_K", temperature_limit_K, "expected 0 or more");
  require(std::isfinite(pressure_bar), "pressure_bar", pressure_bar, "expected a finite number");
  require(chain_length >= 1 && chain_length <= 10, "chain_length", chain_length, "expected 1 to 10");
  if (stages.empty()) throw InputError("md: no stages");
  for (const Stage& s : stages) {
    require(s.steps >= 0, "steps", static_cast<double>(s.steps), "expected 0 or more");
    require(s.temperature_K >= 0 && s.temperature_K < 1e6, "temperature_K", s.temperature_K,
            "expected 0 to 1e6 K");
    require(s.temperature_end_K >= 0 && s.temperature_end_K < 1e6, "temperature_end_K", s.temperature_end_K,
            "expected 0 to 1e6 K");
    const bool coupled = ensemble != Ensemble::nve || equilibration_steps > 0;
    require(!coupled || (s.temperature_K > 0 && s.temperature_end_K > 0), "temperature_K",
            std::min(s.temperature_K, s.temperature_end_K), "a thermostat needs more than 0 K");
  }
  if (ensemble == Ensemble::nve && !can_be_extended())
    throw InputError("md: a temperature ramp or stages need a thermostat; the ensemble is nve");
  if (ensemble != Ensemble::nve && thermostat == Thermostat::none)
    throw InputError("md: nvt and npt need a thermostat: nose-hoover, csvr or langevin");
  if (ensemble == Ensemble::nve && thermostat == Thermostat::langevin)
    throw InputError("md: nve cannot equilibrate with langevin, which sets the centre of mass in motion");
  if ((ensemble == Ensemble::npt) != (barostat != Barostat::none))
    throw InputError("md: a barostat belongs to the ensemble npt, and to no other");
  // Below two steps the thermostat no longer follows; the integrators stay stable but sample nothing useful.
  require(thermostat_time_fs >= 2 * timestep_fs, "thermostat_time_fs", thermostat_time_fs,
          "expected at least two timesteps");
  require(barostat == Barostat::none || barostat_time_fs >= 10 * timestep_fs, "barostat_time_fs",
          barostat_time_fs, "expected at least ten timesteps");
}

namespace {

/// One of the names, as the value that stands at the same place.
template <typename T, std::size_t N>
T choice(TomlTable& table, const std::string& key, const std::array<std::pair<const char*, T>, N>& options) {
  const std::string text = table.text(key);
  std::string known;
  for (const auto& [name, value] : options) {
    if (text == name) return value;
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", name);
  }
  table.fail(key, "expected one of " + known);
}

double number_in(TomlTable& table, const std::string& key, double low, double high) {
  const double value = table.number(key);
  if (!(value >= low && value <= high)) table.fail(key, fmt::format("expected {} to {}", low, high));
  return value;
}

double number_in(TomlTable& table, const std::string& key, double low, double high, double fallback) {
  return table.has(key) ? number_in(table, key, low, high) : fallback;
}

std::int64_t count(TomlTable& table, const std::string& key, std::int64_t low,
                   std::optional<std::int64_t> fallback = std::nullopt) {
  if (fallback && !table.has(key)) return table.integer(key, *fallback);
  const std::int64_t value = table.integer(key);
  if (value < low) table.fail(key, fmt::format("expected {} or more", low));
  return value;
}

constexpr double hottest_K = 1e5;
constexpr std::int64_t most_steps = 1'000'000'000'000'000;  // sums of them are still numbers

std::int64_t bounded(TomlTable& table, const char* key, std::int64_t least, std::int64_t most,
                     std::optional<std::int64_t> otherwise = std::nullopt) {
  const std::int64_t value = otherwise ? count(table, key, least, *otherwise) : count(table, key, least);
  if (value > most) table.fail(key, fmt::format("expected at most {}", most));
  return value;
}

Stage read_stage(TomlTable& table, double lowest_K) {
  Stage stage;
  stage.steps = bounded(table, "steps", 0, most_steps);
  stage.temperature_K = number_in(table, "temperature_K", lowest_K, hottest_K);
  stage.temperature_end_K = number_in(table, "temperature_end_K", lowest_K, hottest_K, stage.temperature_K);
  return stage;
}

void read_stages(TomlTable& table, Settings& settings) {
  const double lowest_K = settings.ensemble == Ensemble::nve ? 0.0 : 1e-3;
  if (!table.has("stages")) {
    settings.stages = {read_stage(table, lowest_K)};
    if (settings.ensemble == Ensemble::nve && table.has("temperature_end_K"))
      table.fail("temperature_end_K", "a ramp needs a thermostat; the ensemble is nve");
    return;
  }
  for (const char* key : {"steps", "temperature_K", "temperature_end_K"}) {
    if (table.has(key)) table.fail(key, "stands in each of the [[stages]] instead when there are any");
  }
  if (settings.ensemble == Ensemble::nve)
    table.fail("stages", "stages need a thermostat; the ensemble is nve");
  settings.stages.clear();
  for (TomlTable& item : table.tables("stages")) {
    settings.stages.push_back(read_stage(item, lowest_K));
    item.refuse_unknown();
  }
  if (settings.stages.empty()) table.fail("stages", "expected at least one stage");
}

void read_thermostat(TomlTable& table, Settings& s) {
  using T = std::pair<const char*, Thermostat>;
  const bool nve = s.ensemble == Ensemble::nve;
  if (!nve || table.has("thermostat")) {
    s.thermostat = choice(table, "thermostat",
                          std::array{T{"nose-hoover", Thermostat::nose_hoover}, T{"csvr", Thermostat::csvr},
                                     T{"langevin", Thermostat::langevin}});
  }
  if (nve && s.thermostat == Thermostat::langevin)
    table.fail("thermostat",
               "would set the centre of mass in motion; nve equilibrates with csvr or nose-hoover");
  if (nve && s.equilibration_steps == 0) {
    for (const char* key : {"thermostat", "thermostat_time_fs", "chain_length"}) {
      if (table.has(key)) table.fail(key, "nve without equilibration_steps has no thermostat");
    }
  }
  s.thermostat_time_fs = number_in(table, "thermostat_time_fs", 2 * s.timestep_fs, 1e7, s.thermostat_time_fs);
  if (s.thermostat == Thermostat::nose_hoover)
    s.chain_length = static_cast<int>(bounded(table, "chain_length", 1, 10, s.chain_length));
}

void read_barostat(TomlTable& table, Settings& s) {
  if (s.ensemble != Ensemble::npt) {
    for (const char* key : {"barostat", "pressure_bar", "barostat_time_fs"}) {
      if (table.has(key)) table.fail(key, "belongs to the ensemble \"npt\" only");
    }
    return;
  }
  using B = std::pair<const char*, Barostat>;
  s.barostat = choice(table, "barostat",
                      std::array{B{"mtk-isotropic", Barostat::isotropic}, B{"mtk-full", Barostat::full}});
  s.pressure_bar = number_in(table, "pressure_bar", -1e7, 1e7);
  s.barostat_time_fs = number_in(table, "barostat_time_fs", 10 * s.timestep_fs, 1e8, s.barostat_time_fs);
}

/// LAMMPS's input in metal units says 0.002 where this one says 2. A run without motion would look well.
void warn_of_picoseconds(const TomlTable& table, double timestep_fs) {
  constexpr double shortest_fs = 0.05;  // a 180th of the period of O–H, the fastest there is to follow
  if (timestep_fs < shortest_fs)
    log().warn("{}: timestep_fs = {}: femtoseconds, not picoseconds?", table.file().string(), timestep_fs);
}

Settings read_settings(TomlTable& table) {
  Settings s;
  using E = std::pair<const char*, Ensemble>;
  s.ensemble = choice(table, "ensemble",
                      std::array{E{"nve", Ensemble::nve}, E{"nvt", Ensemble::nvt}, E{"npt", Ensemble::npt}});
  s.timestep_fs = number_in(table, "timestep_fs", 1e-4, 20);
  warn_of_picoseconds(table, s.timestep_fs);
  s.seed = static_cast<std::uint64_t>(count(table, "seed", 0, 1));
  s.equilibration_steps = bounded(table, "equilibration_steps", 0, most_steps, 0);
  read_stages(table, s);
  read_thermostat(table, s);
  read_barostat(table, s);
  if (table.has("initial_velocities")) {
    using V = std::pair<const char*, bool>;
    s.draw_velocities =
        choice(table, "initial_velocities", std::array{V{"maxwell-boltzmann", true}, V{"structure", false}});
  }
  s.reset_every = count(table, "reset_every", 1, s.reset_every);
  s.temperature_limit_K = number_in(table, "temperature_limit_K", 0, 1e9, 0);
  if (s.temperature_limit_K > 0 && !(s.temperature_limit_K > s.highest_temperature()))
    table.fail("temperature_limit_K",
               fmt::format("expected more than the highest target of {} K", s.highest_temperature()));
  return s;
}

/// Nothing is not a name: it would be the folder of the input.
std::filesystem::path named_file(TomlTable& table, const char* key) {
  if (table.text(key).empty()) table.fail(key, "expected the name of a file");
  return table.path(key);
}

TrajectoryOutput read_trajectory(TomlTable& table) {
  TrajectoryOutput t;
  t.file = named_file(table, "file");
  t.every = count(table, "every", 1);
  const std::string suffix = t.file.extension().string();
  if (suffix != ".xyz" && suffix != ".extxyz" && suffix != ".dump" && suffix != ".lammpstrj")
    table.fail("file",
               "expected a name ending in .xyz or .extxyz (extended XYZ), .dump or .lammpstrj (LAMMPS)");
  t.velocities = table.boolean("velocities", false);
  t.forces = table.boolean("forces", false);
  table.refuse_unknown();
  return t;
}

Outputs read_outputs(TomlTable& table, bool only_named) {
  Outputs o;
  const auto named = [&](const char* key, const char* suffix) {
    if (table.has(key)) return named_file(table, key);
    if (only_named) return std::filesystem::path();
    std::filesystem::path path = table.file();
    return path.replace_extension(suffix);
  };
  o.log = named("log", ".log");
  o.restart = named("restart", ".restart");
  if (table.has("final")) o.final_structure = named_file(table, "final");
  o.thermo_every = count(table, "thermo_every", 1, o.thermo_every);
  o.restart_every = count(table, "restart_every", 1, o.restart_every);
  for (TomlTable& item : table.tables("trajectory")) o.trajectories.push_back(read_trajectory(item));
  return o;
}

std::string potential_at(TomlTable& table) {
  const std::string text = table.text("potential");
  if (text.empty()) table.fail("potential", "expected a file or the name of a potential");
  const std::filesystem::path beside = table.path("potential");
  return std::filesystem::exists(beside) ? beside.string() : text;
}

}  // namespace

void refuse_shared_files(const std::filesystem::path& input, const Outputs& o,
                         const std::vector<std::filesystem::path>& more) {
  std::vector<std::filesystem::path> files = more;
  for (const auto& file : {o.log, o.restart, o.final_structure}) {
    if (!file.empty()) files.push_back(file);
  }
  for (const TrajectoryOutput& t : o.trajectories) files.push_back(t.file);
  files.push_back(input);
  // Absolute first: relative names that are not there would stay relative.
  for (auto& file : files) file = std::filesystem::weakly_canonical(std::filesystem::absolute(file));
  std::sort(files.begin(), files.end());
  const auto twice = std::adjacent_find(files.begin(), files.end());
  if (twice != files.end())
    throw InputError("{}: {} is named for two outputs, or for an output and an input", input.string(),
                     twice->string());
}

std::vector<std::filesystem::path> Input::files() const {
  std::vector<std::filesystem::path> all;
  if (!structure.empty()) all.push_back(structure);
  if (std::filesystem::is_regular_file(potential)) all.emplace_back(potential);
  return all;
}

Input read_input(TomlTable table, const InHand& in_hand) {
  Input input;
  if (!in_hand.structure) input.structure = named_file(table, "structure");
  if (table.has("supercell")) input.supercell = table.repeats("supercell");
  if (!in_hand.potential) input.potential = potential_at(table);
  if (table.has("precision")) {
    using P = std::pair<const char*, const char*>;
    input.precision =
        choice(table, "precision",
               std::array{P{"double", "double"}, P{"single", "single"}, P{"reference", "reference"}});
  }
  input.device = table.text("device", input.device);
  input.threads = static_cast<int>(std::min<std::int64_t>(count(table, "threads", 0, 0), 4096));
  input.settings = read_settings(table);
  input.outputs = read_outputs(table, in_hand.outputs);
  input.analyses = table.tables("analysis");
  if (table.has("executor")) input.executor = table.table("executor");
  table.refuse_unknown();
  refuse_shared_files(table.file(), input.outputs, input.files());
  input.settings.check();
  return input;
}

}  // namespace solion::md
