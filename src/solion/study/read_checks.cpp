// Reading the tables of a study file that set bars.
#include <algorithm>

#include "solion/catalog/crystal.hpp"
#include "solion/study/checks.hpp"

namespace solion::study {
namespace {

AccuracyConfig read_accuracy(TomlTable table) {
  AccuracyConfig accuracy;
  for (const AccuracyBar& bar : accuracy_bars()) {
    if (table.has(bar.key)) accuracy.bars[bar.key] = table.positive(bar.key, 0);
  }
  if (table.has("coordination")) {
    TomlTable c = table.table("coordination");
    accuracy.centre = c.text("centre");
    accuracy.ligand = c.text("ligand");
    accuracy.cutoff_A = c.positive("cutoff_A", 0);
    accuracy.full = static_cast<int>(c.count("full", accuracy.full, 1));
    c.refuse_unknown();
  }
  table.refuse_unknown();
  return accuracy;
}

DirectConfig read_direct(TomlTable table) {
  DirectConfig direct;
  direct.equation_of_state = table.existing_path("equation_of_state");
  if (!direct.equation_of_state.empty()) {
    direct.lattice_A = table.positive("lattice_A", 0);
    direct.bulk_modulus_percent = table.positive("bulk_modulus_percent", 0);
  }
  direct.path = table.existing_path("path");
  if (!direct.path.empty()) direct.barrier_meV = table.positive("barrier_meV", 0);
  direct.formation = table.existing_path("formation");
  if (!direct.formation.empty()) {
    direct.compounds = table.existing_path("compounds");
    if (direct.compounds.empty()) table.fail("compounds", "expected the folder of the compounds' frames");
    direct.formation_meV = table.positive("formation_meV", 0);
  }
  table.refuse_unknown();
  return direct;
}

ConservationConfig read_conservation(TomlTable table) {
  ConservationConfig c;
  c.crystal = crystal_at(table, "crystal", "");  // empty: read_config has that of [md]
  c.reactions = table.existing_path("reactions");
  c.structure = table.text("structure", c.structure);
  if (table.has("supercell")) c.supercell = table.repeats("supercell");
  c.temperature_K = table.positive("temperature_K", c.temperature_K);
  c.equilibration_ps = table.positive("equilibration_ps", c.equilibration_ps);
  c.ps = table.positive("ps", c.ps);
  c.timestep_fs = table.positive("timestep_fs", c.timestep_fs);
  c.precision = table.text("precision", c.precision);
  if (c.precision != "single" && c.precision != "double")
    table.fail("precision", "expected \"single\" or \"double\"");
  c.drift_meV_per_atom = table.positive("drift_meV_per_atom", 0);
  table.refuse_unknown();
  return c;
}

}  // namespace

const std::array<AccuracyBar, 8>& accuracy_bars() {
  static const std::array<AccuracyBar, 8> bars{{
      {"energy_meV_per_atom", "energy, RMSE", "meV/atom", false},
      {"energy_within_structure_meV_per_atom", "energy within a structure, RMSE", "meV/atom", false},
      {"force_meV_per_A", "force, RMSE", "meV/Å", false},
      {"force_of_each_structure_meV_per_A", "force, RMSE of the worst structure", "meV/Å", false},
      {"virial_meV_per_atom", "virial, RMSE", "meV/atom", false},
      {"energy_r2", "energy, R²", "", true},
      {"force_r2", "force, R²", "", true},
      {"virial_r2", "virial, R²", "", true},
  }};
  return bars;
}

ChecksConfig read_checks(TomlTable& study) {
  ChecksConfig checks;
  if (study.has("accuracy")) checks.accuracy = read_accuracy(study.table("accuracy"));
  if (study.has("direct")) checks.direct = read_direct(study.table("direct"));
  if (study.has("conservation")) checks.conservation = read_conservation(study.table("conservation"));
  return checks;
}

}  // namespace solion::study
