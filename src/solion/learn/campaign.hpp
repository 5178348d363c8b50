// What a campaign is told: the TOML file of `solion learn`.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/learn/select.hpp"
#include "solion/md/settings.hpp"
#include "solion/reference/executor.hpp"

namespace solion::learn {

/// Where cells come from: a crystal with its defect reactions, or files by name.
struct SystemConfig {
  std::string crystal = "li3ocl";
  std::filesystem::path reactions;  ///< further reactions, or empty
  std::array<int, 3> supercell{2, 2, 2};
  int count = 1;                                   ///< reactions in a cell
  std::vector<std::string> placements{"nearest"};  ///< used in turn
  double lattice_A = 0;                            ///< 0: the crystal's own
  std::map<std::string, std::filesystem::path> files;
};

/// What labels: an analytic potential (embedded; for tests and replays) or a reference code.
struct ReferenceConfig {
  std::filesystem::path potential;  ///< a file that `open_potential` takes, or empty
  std::string code;
  std::filesystem::path settings;  ///< of `solion label`; may be empty
  int jobs = 1;
  int nice = 0;
  /// Instead of that of the settings file.
  std::optional<reference::ExecutorSettings> executor;
};

/// The committee and its training.
struct ModelConfig {
  std::filesystem::path training_input;  ///< DeePMD-kit's format; the campaign fills in systems and seeds
  int committee = 4;
  std::int64_t retrain_steps = 0;  ///< 0: as many as the input says
  double retrain_start_lr = 0;     ///< 0: the input's
};

/// Displaced and strained cells, labelled before the first training.
struct StartConfig {
  int frames = 0;  ///< a structure
  double displacement_A = 0.1;
  double strain = 0.03;
};

/// Held-out frames: systems that are there, or frames of molecular dynamics with the reference itself.
struct TestConfig {
  std::vector<std::filesystem::path> systems;
  std::vector<std::string> structures;
  std::vector<double> temperatures_K;
  std::int64_t steps = 0;
  std::int64_t frame_every = 0;
};

/// Levels of the largest model deviation of a force in a frame (eV/Å).
struct TrustConfig {
  double lower_eV_per_A = 0.1;
  double upper_eV_per_A = 0.3;
  /// Move the levels once enough candidates are labelled, so that they mean these true errors.
  bool calibrate = false;
  double accurate_error_eV_per_A = 0.1;
  double failed_error_eV_per_A = 0.5;
  int calibrate_needs = 20;
};

struct SelectConfig {
  Method method = Method::coverage;
  int max_frames = 50;  ///< an iteration
  double least_distance = 0.05;
};

/// The campaign ends a block of iterations, and in the end itself, once both hold for every structure.
struct StopConfig {
  double accurate_share = 0.99;
  double force_rmse_eV_per_A = 0;  ///< held-out; 0: not asked for
};

/// One line of Table S1, repeated until the stop rule holds for its structures.
struct IterationConfig {
  md::Ensemble ensemble = md::Ensemble::npt;
  std::vector<std::string> structures;
  std::vector<double> temperatures_K;
  std::vector<double> pressures_bar{1};  ///< NPT
  double strain = 0;                     ///< NVT, NPT: the cell starts with random strains up to this
  std::int64_t steps = 0;
  std::int64_t frame_every = 10;
  double timestep_fs = 2;
  int trajectories = 1;  ///< of each structure, temperature and pressure
  int repeat = 1;        ///< at most
};

struct Campaign {
  std::filesystem::path file;
  std::string title;
  std::uint64_t seed = 1;
  SystemConfig system;
  ReferenceConfig reference;
  ModelConfig model;
  std::vector<std::filesystem::path> data;  ///< labelled systems to start from
  StartConfig start;
  TestConfig test;
  TrustConfig trust;
  SelectConfig select;
  StopConfig stop;
  std::vector<IterationConfig> iterations;
};

/// Reads the file; InputError naming file, line and key for what is missing, unknown or out of range.
Campaign read_campaign(const std::filesystem::path& file);

}  // namespace solion::learn
