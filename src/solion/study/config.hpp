// What a study is told: the TOML file of `solion study`.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/study/checks.hpp"

namespace solion::study {

/// Which labelled frames there are, and which are kept from training.
struct DataConfig {
  std::vector<std::filesystem::path> systems;  ///< folders of DeePMD npy systems, searched below
  double validation_fraction =
      0.15;  ///< of every structure, drawn by the seed; 1: all, with a model that is there
};

/// Either a model that is there, or a training input in DeePMD-kit's format whose systems the study fills in.
struct ModelConfig {
  std::filesystem::path file;
  std::filesystem::path training_input;
  /// Wall time for the training on this machine; its schedule is shortened to fit. 0: as the input says.
  double training_max_min = 0;
};

/// The molecular dynamics of every structure at every temperature. No structures: none, and nothing that
/// comes after it.
struct MdConfig {
  std::string crystal = "li3ocl";       ///< a name, or a file (catalog/crystal.hpp)
  std::filesystem::path reactions;      ///< further reactions, or empty
  std::vector<std::string> structures;  ///< "perfect" and names of reactions
  std::array<int, 3> supercell{3, 3, 3};
  std::map<std::string, std::array<int, 3>> supercells;  ///< of structures that have another
  int count = 1;                                         ///< reactions in a cell
  std::string placement = "farthest";
  std::vector<double> temperatures_K;
  std::string precision = "single";  ///< of the Deep Potential: single or double
  std::string device = "cpu";        ///< where its dynamics run: gpu::open_device
  double pressure_bar = 1;
  std::string barostat;  ///< mtk-isotropic or mtk-full; empty: as the crystal is cubic or not
  double timestep_fs = 2;
  double npt_ps = 2;             ///< finds the cell of each temperature
  double equilibration_ps = 1;   ///< NVT before production
  double production_ps = 20;     ///< at least
  double production_max_ps = 0;  ///< at most, as the time budget allows; 0: exactly `production_ps`
  double frame_interval_fs = 40;
  bool keep_trajectories = true;  ///< of points that are done; without, a longer run begins anew
};

struct TransportConfig {
  std::string species = "Li";
  double charge_e = 0;       ///< 0: charge_of (cells.hpp)
  double jump_length_A = 0;  ///< 0: from the first peak of g(r) of the species
  std::vector<std::array<std::string, 2>> rdf_pairs;
  double rdf_max_A = 6;
};

/// What the frames of every trajectory look like inside.
struct StructureConfig {
  int frames = 0;  ///< of each trajectory, evenly chosen and relaxed at fixed cell; 0: none of this
  std::string centre = "O", ligand = "Li";  ///< of the polyhedra
  bool polyhedra_named = false;             ///< the file says which: they must be there
  int full = 6;                             ///< ligands of a whole polyhedron
  std::map<std::string, double>
      channel_radii_A;       ///< of the species between which the mobile one moves; none: no channels
  double hop_window_ps = 1;  ///< ions that hop this soon after a frame are compared with the others
  bool density = true;  ///< trajectories and density of the mobile ions at the highest temperature, in 3D
};

/// Formation and binding energies of the same structures, relaxed.
struct DefectsConfig {
  bool wanted = false;
  std::array<int, 3> supercell{3, 3, 3};
  std::vector<std::filesystem::path> compounds;  ///< crystals that set the chemical potentials
  int max_placements = 12;  ///< all distinct ones, or where there are more: nearest, farthest and random ones
  double temperature_K = 300;  ///< of the mean over placements
};

/// Barriers of hops into a vacancy of the mobile ion in the otherwise perfect crystal.
struct BarriersConfig {
  bool wanted = false;
  std::array<int, 3> supercell{3, 3, 3};
  double within_A = 0;  ///< longest hop; 0: nearest sites only
  int images = 5;
};

/// Heating and slow cooling, with the structure before and after.
struct AnnealingConfig {
  std::vector<std::string> structures;  ///< none: no annealing
  double low_K = 300, high_K = 900;
  double hold_ps = 5, ramp_ps = 10;
};

struct Config {
  std::filesystem::path file;
  std::string title;
  std::uint64_t seed = 1;
  /// Wall time that training and MD together may take on this machine; MD lengths are chosen to fit. 0: no
  /// limit.
  double time_budget_min = 0;
  DataConfig data;
  ModelConfig model;
  MdConfig md;
  TransportConfig transport;
  StructureConfig structure;
  DefectsConfig defects;
  BarriersConfig barriers;
  AnnealingConfig annealing;
  ChecksConfig checks;
  std::filesystem::path
      campaign;  ///< run folder of `solion learn` whose table of iterations is shown, or empty
  std::filesystem::path published;  ///< TOML with numbers of others to stand beside this study's, or empty
};

/// Reads the file; InputError naming file, line and key for what is missing, unknown or out of range.
Config read_config(const std::filesystem::path& file);

}  // namespace solion::study
