// What a molecular dynamics run is told: the physics (Settings), the files (Outputs), and the TOML input of
// both.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "solion/base/input.hpp"

namespace solion::md {

enum class Ensemble { nve, nvt, npt };
enum class Thermostat { none, nose_hoover, csvr, langevin };
enum class Barostat { none, isotropic, full };

/// A piece of the run whose target temperature goes linearly from the first value to the second.
struct Stage {
  std::int64_t steps = 0;
  double temperature_K = 300;
  double temperature_end_K = 300;
};

/// The physics of a run; everything that decides the trajectory besides structure and potential.
struct Settings {
  Ensemble ensemble = Ensemble::nve;
  Thermostat thermostat = Thermostat::none;
  Barostat barostat = Barostat::none;
  double timestep_fs = 1.0;
  std::uint64_t seed = 1;
  /// Steps before the stages, at the first stage's starting temperature; observers and averages leave them
  /// out. NVE runs them under `thermostat` (CSVR unless chosen).
  std::int64_t equilibration_steps = 0;
  std::vector<Stage> stages{{}};
  /// Relaxation time: of the chain (LAMMPS's Tdamp: Q = N_f·k·T·τ²), of CSVR, or 1/γ of Langevin.
  double thermostat_time_fs = 100;
  int chain_length = 3;
  double pressure_bar = 0;
  /// LAMMPS's Pdamp: W = (N_f + 3)·k·T·τ².
  double barostat_time_fs = 1000;
  /// Draw velocities from the seed, or take those of the structure.
  bool draw_velocities = true;
  /// The potential's caches are dropped after every such step (and after every restart), which makes a
  /// continued run exact; see docs/theory/md.md.
  std::int64_t reset_every = 20;
  /// A hotter system has exploded; 0: ten times the highest target, or the temperature at the start if
  /// that is higher, plus 1000 K.
  double temperature_limit_K = 0;

  [[nodiscard]] std::int64_t total_steps() const;
  /// The target during `step` (1 … total_steps), K.
  [[nodiscard]] double temperature_at(std::int64_t step) const;
  [[nodiscard]] double highest_temperature() const;
  /// True if a longer run begins with exactly the steps of a shorter one (no ramp, one stage).
  [[nodiscard]] bool can_be_extended() const;
  /// The thermostat in force at `step`: NVE has one only while it equilibrates.
  [[nodiscard]] Thermostat thermostat_at(std::int64_t step) const;
  /// InputError if a number is out of range or two choices exclude each other.
  void check() const;
};

struct TrajectoryOutput {
  std::filesystem::path file;  ///< the suffix is the format: .xyz, .extxyz; .dump, .lammpstrj (LAMMPS)
  std::int64_t every = 100;
  bool velocities = false;
  bool forces = false;
};

/// Files of a run; an empty path is not written.
struct Outputs {
  std::filesystem::path log;
  std::int64_t thermo_every = 10;
  std::vector<TrajectoryOutput> trajectories;
  std::filesystem::path restart;
  std::int64_t restart_every = 1000;
  std::filesystem::path final_structure;  ///< extxyz of the last step
};

/// The whole input file.
struct Input {
  std::filesystem::path structure;
  std::array<int, 3> supercell{1, 1, 1};
  /// The text of `potential`, made a path beside the input file where such a file exists.
  std::string potential;
  /// Of a Deep Potential: "double", "single" (sums in double) or "reference".
  std::string precision = "double";
  /// Where a Deep Potential and the atoms are: "cpu", "gpu", … (gpu::open_device).
  std::string device = "cpu";
  int threads = 0;  ///< 0: all cores
  Settings settings;
  Outputs outputs;
  /// The [[analysis]] tables, for who can read them (observe::Analyses).
  std::vector<TomlTable> analyses;
  /// The table [executor], for an engine that runs as a job (reference::read_executor).
  std::optional<TomlTable> executor;

  /// The files that the run reads beside the input file.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;
};

/// What a caller of the library has in hand, so that its keys may be missing.
struct InHand {
  bool structure = false;
  bool potential = false;
  bool outputs = false;  ///< log and restart file are written only where they are named
};

/// Reads `solion md`'s input; the table of keys stands in docs/theory/md.md. Throws InputError naming file,
/// line and key for what is missing, unknown or out of range.
Input read_input(TomlTable table, const InHand& in_hand = {});

/// InputError if two outputs of a run, or one and its input, are the same file.
void refuse_shared_files(const std::filesystem::path& input, const Outputs& outputs,
                         const std::vector<std::filesystem::path>& more = {});

/// One line that two inputs share exactly when one may go on with the other's restart file: everything but
/// the number of threads, and the number of steps where `can_be_extended()`.
std::string fingerprint(const Settings& settings, const Outputs& outputs);
/// "temperature_K …: 60 60 then, 70 70 now": in which keys two fingerprints differ; empty if they are alike.
std::string fingerprint_difference(const std::string& then, const std::string& now);

}  // namespace solion::md
