// Bars that a model must meet: what the study file asks for, and how it is judged.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "solion/base/input.hpp"

namespace solion::study {

/// Bars on the errors over the frames that were not trained on, and how their forces are told apart.
struct AccuracyConfig {
  std::map<std::string, double> bars;  ///< by key of the table, see docs/study.md
  std::string centre = "O", ligand = "Li";
  double cutoff_A = 0;  ///< of a ligand; 0: centres are not told apart
  int full = 6;         ///< ligands of a complete polyhedron
};

/// Labelled frames that say what the model should find, and how near it must come. An empty path: not asked.
struct DirectConfig {
  std::filesystem::path equation_of_state;  ///< one crystal at five volumes or more
  double lattice_A = 0, bulk_modulus_percent = 0;
  std::filesystem::path path;  ///< systems of frames along a hop, the first at rest, the saddle among them
  double barrier_meV = 0;
  std::filesystem::path formation;  ///< systems "perfect" and of the reactions, one cell
  std::filesystem::path compounds;  ///< systems of the compounds, each at five volumes or more
  double formation_meV = 0;
};

/// A run without a thermostat.
struct ConservationConfig {
  std::string crystal = "li3ocl", structure = "perfect";
  std::filesystem::path reactions;
  std::array<int, 3> supercell{2, 2, 2};
  double temperature_K = 900, equilibration_ps = 2, ps = 50, timestep_fs = 1;
  std::string precision = "single";
  double drift_meV_per_atom = 0;  ///< over the whole run; 0: not asked for
};

struct ChecksConfig {
  AccuracyConfig accuracy;
  DirectConfig direct;
  ConservationConfig conservation;
  [[nodiscard]] bool wanted() const {
    return !accuracy.bars.empty() || !direct.equation_of_state.empty() || !direct.path.empty() ||
           !direct.formation.empty() || conservation.drift_meV_per_atom > 0;
  }
};

/// The tables [accuracy], [direct] and [conservation] of a study file, where they are.
ChecksConfig read_checks(TomlTable& study);

/// A bar of [accuracy]: its key, what is held against it, and whether more is better.
struct AccuracyBar {
  const char* key;
  const char* words;
  const char* unit;
  bool at_least;
};
const std::array<AccuracyBar, 8>& accuracy_bars();

/// With four digits, or as many more as tell it from the bar.
std::string beside_bar(double value, double bar);

}  // namespace solion::study
