// Reading a study's TOML file.
#include "solion/study/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "solion/catalog/crystal.hpp"

namespace solion::study {
namespace {

DataConfig read_data(TomlTable table) {
  DataConfig data;
  data.systems = table.existing_paths("systems");
  if (data.systems.empty()) table.fail("systems", "expected at least one data set");
  data.validation_fraction = table.number("validation_fraction", data.validation_fraction);
  const double f = data.validation_fraction;
  if (!((f > 0 && f < 0.9) || f == 1))
    table.fail("validation_fraction", "expected a number between 0 and 0.9, or 1 for a model that is there");
  table.refuse_unknown();
  return data;
}

ModelConfig read_model(TomlTable table) {
  ModelConfig model;
  model.file = table.existing_path("file");
  model.training_input = table.existing_path("training_input");
  if (model.file.empty() == model.training_input.empty()) {
    table.fail("file", "give either a model (file) or a training input (training_input)");
  }
  model.training_max_min = table.number("training_max_min", 0);
  if (!(model.training_max_min >= 0)) table.fail("training_max_min", "expected minutes, or 0 for no limit");
  table.refuse_unknown();
  return model;
}

/// Structures name files and parts of the report: a reaction that is written out needs a name of its own.
void check_structure_names(const TomlTable& table, const std::string& key,
                           const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    const bool plain = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-';
    });
    if (!plain)
      table.fail(
          key, fmt::format(
                   "'{}' is no name of letters, digits, _ and -; name the reaction in a file of md.reactions "
                   "([reactions] in it: my_defect = \"{}\") and use the name",
                   name, name));
    if (!seen.insert(name).second) table.fail(key, fmt::format("'{}' twice", name));
  }
}

void check_frames(const TomlTable& table, const MdConfig& md) {
  constexpr double fewest = 9;  // that a slope of the MSD can be fitted to
  const double steps = md.frame_interval_fs / md.timestep_fs;
  if (!(std::abs(steps - std::round(steps)) < 1e-6 && steps > 0.5))
    table.fail("frame_interval_fs", fmt::format("{:g} fs is no whole number of steps of {:g} fs",
                                                md.frame_interval_fs, md.timestep_fs));
  if (!(md.production_ps * 1000 >= fewest * md.frame_interval_fs))
    table.fail("production_ps", fmt::format("{:g} ps are fewer than {:g} frames of {:g} fs", md.production_ps,
                                            fewest, md.frame_interval_fs));
}

void check_temperatures(const TomlTable& table, const std::vector<double>& temperatures_K) {
  std::set<std::string> seen;
  for (const double T : temperatures_K) {
    if (!seen.insert(fmt::format("{:g}", T)).second)
      table.fail("temperatures_K", fmt::format("{:g} twice", T));
  }
}

void read_supercells(TomlTable table, MdConfig& md) {
  for (const std::string& structure : table.keys()) {
    if (std::ranges::find(md.structures, structure) == md.structures.end())
      table.fail(structure, "is none of md.structures");
    md.supercells[structure] = table.repeats(structure);
  }
  table.refuse_unknown();
}

MdConfig read_md(TomlTable table) {
  MdConfig md;
  md.crystal = crystal_at(table, "crystal", md.crystal);
  md.reactions = table.existing_path("reactions");
  md.structures = table.texts("structures");
  if (md.structures.empty()) table.fail("structures", "expected at least one structure");
  check_structure_names(table, "structures", md.structures);
  md.supercell = table.repeats("supercell");
  if (table.has("supercells")) read_supercells(table.table("supercells"), md);
  md.count = static_cast<int>(table.count("count", md.count, 1));
  md.placement = table.text("placement", md.placement);
  if (md.placement != "nearest" && md.placement != "farthest" && md.placement != "random")
    table.fail("placement", "expected \"nearest\", \"farthest\" or \"random\"");
  md.temperatures_K = table.positives("temperatures_K");
  check_temperatures(table, md.temperatures_K);
  md.precision = table.text("precision", md.precision);
  if (md.precision != "single" && md.precision != "double")
    table.fail("precision", "expected \"single\" or \"double\"");
  md.device = table.text("device", md.device);
  md.pressure_bar = table.number("pressure_bar", md.pressure_bar);
  md.barostat = table.text("barostat", md.barostat);
  if (table.has("barostat") && md.barostat != "mtk-isotropic" && md.barostat != "mtk-full")
    table.fail("barostat", "expected \"mtk-isotropic\" or \"mtk-full\"");
  md.timestep_fs = table.positive("timestep_fs", md.timestep_fs);
  md.npt_ps = table.positive("npt_ps", md.npt_ps);
  md.equilibration_ps = table.positive("equilibration_ps", md.equilibration_ps);
  md.production_ps = table.positive("production_ps", md.production_ps);
  md.production_max_ps = table.number("production_max_ps", md.production_ps);
  if (!(md.production_max_ps >= md.production_ps))
    table.fail("production_max_ps", "expected at least production_ps");
  md.frame_interval_fs = table.positive("frame_interval_fs", md.frame_interval_fs);
  md.keep_trajectories = table.boolean("keep_trajectories", md.keep_trajectories);
  check_frames(table, md);
  table.refuse_unknown();
  return md;
}

TransportConfig read_transport(TomlTable table) {
  TransportConfig transport;
  transport.species = table.text("species", transport.species);
  transport.charge_e = table.number("charge_e", transport.charge_e);
  if (table.has("charge_e") && transport.charge_e == 0)
    table.fail("charge_e", "expected the charge of the mobile ion, or no such key for its oxidation state");
  transport.jump_length_A = table.number("jump_length_A", transport.jump_length_A);
  if (!(transport.jump_length_A >= 0))
    table.fail("jump_length_A", "expected a length, or 0 to take it from g(r)");
  transport.rdf_max_A = table.positive("rdf_max_A", transport.rdf_max_A);
  if (table.has("rdf_pairs")) {
    for (const std::string& pair : table.texts("rdf_pairs")) {
      const auto dash = pair.find('-');
      if (dash == std::string::npos || dash == 0 || dash + 1 == pair.size()) {
        table.fail("rdf_pairs", "expected pairs such as \"Li-O\", found \"" + pair + "\"");
      }
      transport.rdf_pairs.push_back({pair.substr(0, dash), pair.substr(dash + 1)});
    }
  }
  table.refuse_unknown();
  return transport;
}

StructureConfig read_structure(TomlTable table) {
  StructureConfig structure;
  structure.frames = static_cast<int>(table.integer("frames", 20));
  if (structure.frames < 0 || structure.frames > 100000)
    table.fail("frames", "expected the number of frames of each trajectory, or 0 for none");
  structure.centre = table.text("centre", structure.centre);
  structure.ligand = table.text("ligand", structure.ligand);
  structure.polyhedra_named = table.has("centre") || table.has("ligand");
  structure.full = static_cast<int>(table.count("full", structure.full, 1, 100));
  structure.hop_window_ps = table.positive("hop_window_ps", structure.hop_window_ps);
  structure.density = table.boolean("density", structure.density);
  if (table.has("channel_radii_A")) {
    TomlTable radii = table.table("channel_radii_A");
    for (const std::string& element : radii.keys())
      structure.channel_radii_A[element] = radii.positive(element, 0);
    radii.refuse_unknown();
  }
  table.refuse_unknown();
  return structure;
}

DefectsConfig read_defects(TomlTable table) {
  DefectsConfig defects;
  defects.wanted = true;
  defects.supercell = table.repeats("supercell");
  if (table.has("compounds")) defects.compounds = table.existing_paths("compounds");
  defects.max_placements = static_cast<int>(table.integer("max_placements", defects.max_placements));
  if (defects.max_placements < 2 || defects.max_placements > 10000)
    table.fail("max_placements", "expected a whole number from 2 to 10000");
  defects.temperature_K = table.positive("temperature_K", defects.temperature_K);
  table.refuse_unknown();
  return defects;
}

BarriersConfig read_barriers(TomlTable table) {
  BarriersConfig barriers;
  barriers.wanted = true;
  barriers.supercell = table.repeats("supercell");
  barriers.within_A = table.number("within_A", barriers.within_A);
  if (!(barriers.within_A >= 0)) table.fail("within_A", "expected a length, or 0 for the nearest sites");
  barriers.images = static_cast<int>(table.integer("images", barriers.images));
  if (barriers.images < 1 || barriers.images > 100)
    table.fail("images", "expected a whole number from 1 to 100");
  table.refuse_unknown();
  return barriers;
}

AnnealingConfig read_annealing(TomlTable table) {
  AnnealingConfig annealing;
  annealing.structures = table.texts("structures");
  check_structure_names(table, "structures", annealing.structures);
  annealing.low_K = table.positive("low_K", annealing.low_K);
  annealing.high_K = table.positive("high_K", annealing.high_K);
  annealing.hold_ps = table.positive("hold_ps", annealing.hold_ps);
  annealing.ramp_ps = table.positive("ramp_ps", annealing.ramp_ps);
  if (!(annealing.high_K > annealing.low_K)) table.fail("high_K", "expected more than low_K");
  table.refuse_unknown();
  return annealing;
}

/// What looks at the structures of [md], or follows from their trajectories.
void read_after_md(TomlTable& table, Config& config) {
  if (table.has("structure")) config.structure = read_structure(table.table("structure"));
  if (table.has("defects")) config.defects = read_defects(table.table("defects"));
  if (table.has("barriers")) config.barriers = read_barriers(table.table("barriers"));
  if (table.has("annealing")) config.annealing = read_annealing(table.table("annealing"));
}

}  // namespace

Config read_config(const std::filesystem::path& file) {
  TomlTable table = TomlTable::read(file);
  Config config;
  config.file = file;
  config.title = table.text("title");
  const std::int64_t seed = table.integer("seed", 1);
  if (seed < 0) table.fail("seed", "expected a whole number of at least 0");
  config.seed = static_cast<std::uint64_t>(seed);
  config.time_budget_min = table.number("time_budget_min", 0);
  if (!(config.time_budget_min >= 0)) table.fail("time_budget_min", "expected minutes, or 0 for no limit");
  config.data = read_data(table.table("data"));
  config.model = read_model(table.table("model"));
  if (config.data.validation_fraction == 1 && config.model.file.empty())
    table.fail("data", "with a validation_fraction of 1 nothing is left to train on; expected model.file");
  config.checks = read_checks(table);
  // A study of a model alone has no molecular dynamics, nor what follows from it.
  if (table.has("md") || !config.checks.wanted()) {
    config.md = read_md(table.table("md"));
    config.transport = read_transport(table.table_or_empty("transport"));
    read_after_md(table, config);
  } else {
    for (const char* key : {"transport", "structure", "defects", "barriers", "annealing"})
      if (table.has(key)) table.fail(key, "expected a table [md] beside it");
  }
  if (ConservationConfig& c = config.checks.conservation; c.crystal.empty()) {
    c.crystal = config.md.crystal;
    if (c.reactions.empty()) c.reactions = config.md.reactions;
  }
  config.campaign = table.existing_path("campaign");
  config.published = table.existing_path("published");
  table.refuse_unknown();
  return config;
}

}  // namespace solion::study
