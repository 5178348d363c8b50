// What a training run is told: DeePMD-kit's training input for se_e2_a energy models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/nn/adam.hpp"
#include "solion/nn/kalman.hpp"
#include "solion/nn/muon.hpp"
#include "solion/nn/network.hpp"
#include "solion/nn/soap.hpp"
#include "solion/structure/types.hpp"
#include "solion/train/engine.hpp"

namespace solion::train {

enum class Precision { single_precision, double_precision };

struct ModelSettings {
  std::vector<std::string> type_map;
  int stat_batches = 10;  ///< data_stat_nbatch: batches of each system that the statistics look at
  // descriptor
  double rcut = 6.0;
  double rcut_smth = 0.5;
  std::vector<int> sel;     ///< empty: counted in the data
  double sel_factor = 1.1;  ///< times this, rounded up to a multiple of 4
  std::vector<int> embedding{10, 20, 40};
  int axis_neuron = 4;
  bool embedding_resnet_dt = false;
  bool type_one_side = false;
  bool set_davg_zero = false;
  bool train_embedding = true;
  std::vector<std::pair<int, int>> exclude_types;
  double env_protection = 0.0;
  nn::Activation embedding_activation = nn::Activation::tanh;
  std::uint64_t embedding_seed = 0;
  // fitting net
  std::vector<int> fitting{120, 120, 120};
  bool fitting_resnet_dt = true;
  nn::Activation fitting_activation = nn::Activation::tanh;
  std::uint64_t fitting_seed = 0;
  bool train_fitting = true;
  std::optional<double> rcond;    ///< of the least squares for the energies by type
  bool embedding_single = false;  ///< `precision` of the two parts
  bool fitting_single = false;

  /// Both parts in single precision: train in single precision.
  [[nodiscard]] Precision precision() const {
    return embedding_single && fitting_single ? Precision::single_precision : Precision::double_precision;
  }
};

/// lr(t) as DeePMD-kit's schedules, t counted from the end of the warm-up:
///   exponential  start·rate^⌊t/decay_steps⌋ (smooth: rate^(t/decay_steps)), not below stop
///   cosine       stop + (start − stop)·(1 + cos(πt/T))/2
///   wsd          start, and over the last ⌊decay_phase_ratio·steps⌋ steps (at most those after the
///                warm-up) down to stop: with τ from 0 to 1, 1/(τ/stop + (1−τ)/start), or as the cosine,
///                or linear
struct LearningRate {
  enum class Kind { exponential, cosine, wsd } kind = Kind::exponential;
  enum class Decay { inverse_linear, cosine, linear } decay = Decay::inverse_linear;
  double start = 1e-3;
  double stop = 1e-8;
  int decay_steps = 5000;
  double decay_rate = 0.95;
  bool smooth = false;
  std::int64_t total_steps = 0;    ///< of the whole run; cosine and wsd
  double decay_phase_ratio = 0.1;  ///< wsd
  int warmup_steps = 0;
  double warmup_start = 0;  ///< lr at step 0 of the warm-up

  [[nodiscard]] double at(std::int64_t step) const;
  /// lr/start; 1 during the warm-up, whose small rates are no sign of an advanced training.
  [[nodiscard]] double share(std::int64_t step) const { return step < warmup_steps ? 1 : at(step) / start; }
};

/// p(lr) = limit + (start − limit)·lr/lr0 for each term; start during the warm-up.
struct LossSettings {
  LossWeights start{0.02, 1000, 0};
  LossWeights limit{1, 1, 0};

  [[nodiscard]] LossWeights at(double lr_over_start) const;
  [[nodiscard]] bool wants_energy() const { return start.energy != 0 || limit.energy != 0; }
  [[nodiscard]] bool wants_force() const { return start.force != 0 || limit.force != 0; }
  [[nodiscard]] bool wants_virial() const { return start.virial != 0 || limit.virial != 0; }
};

/// DeePMD-kit's LKF: how strongly the measurements of a step count, p = start·(limit/start)^(step/steps).
struct KalmanRule {
  nn::KalmanSettings filter;
  LossWeights start{1, 1, 0};
  LossWeights limit{1, 1, 0};

  /// `done`: the share of the steps that is done.
  [[nodiscard]] LossWeights at(double done) const;
};

struct OptimizerSettings {
  enum class Kind { adam, soap, muon, kalman } kind = Kind::adam;
  nn::AdamSettings adam;
  nn::SoapSettings soap;
  nn::MuonSettings muon;
  KalmanRule kalman;
};

/// How many frames make a batch.
struct BatchRule {
  enum class Kind { fixed, automatic, most, mixed } kind = Kind::automatic;
  std::vector<int> sizes;  ///< fixed: one for all, or one a system
  int number = 32;  ///< automatic: at least so many atoms; most: no more than those; mixed: so many frames,
                    ///< of any system
};

/// Systems begin … end − 1 are drawn with this probability together, each in proportion to its batches.
struct SystemBlock {
  std::size_t begin = 0, end = 0;
  double weight = 0;
};

struct DataSettings {
  std::vector<std::filesystem::path> systems;
  bool one_folder = false;  ///< `systems` is one name: lists have a number for each system found in it
  BatchRule batch;
  bool uniform = false;             ///< auto_prob: prob_uniform, otherwise prob_sys_size
  std::vector<SystemBlock> blocks;  ///< of prob_sys_size, one after the other from system 0
  std::vector<double>
      weights;  ///< sys_probs, by system; below 0: its share, by size, of what the others leave of 1
  std::string weights_key = "sys_probs", style_key = "auto_prob";  ///< as the input calls them
  int batches = 1;                                                 ///< validation: numb_btch
};

struct Settings {
  std::filesystem::path file;
  Json input;  ///< as read, kept in the model file
  ModelSettings model;
  LearningRate learning_rate;
  LossSettings loss;
  OptimizerSettings optimizer;
  bool optimizer_in_training = false;  ///< it was named by training/opt_type
  DataSettings training;
  std::optional<DataSettings> validation;
  std::int64_t steps = 0;
  std::uint64_t seed = 0;
  double gradient_max_norm = 0;  ///< 0: no limit
  double ema_decay = 0;          ///< of an average of the parameters, which the model gets; 0: none
  bool refit_bias = false;       ///< energy biases by least squares after the last step (bias_refit.hpp)
  std::string curve = "lcurve.out";
  int display_every = 1000;
  bool display_training = true;
  int save_every = 1000;
  std::string checkpoint = "model.ckpt";
  /// The prefactors that say which labels are learnt from.
  [[nodiscard]] LossSettings measured() const {
    if (optimizer.kind != OptimizerSettings::Kind::kalman) return loss;
    return {optimizer.kalman.start, optimizer.kalman.limit};
  }
  std::vector<std::string> notes;  ///< what the input asks for and does not get, to be said once
};

/// Reads the input file. Paths in it count from its folder. InputError names the first key that is unknown,
/// of the wrong kind, out of range, or asks for what this program does not do.
Settings read_settings(const std::filesystem::path& file);
/// Writes the default recipe into an input that says nothing of schedule and optimiser, so that one of its
/// numbers can be changed and the others stay; leaves any other input alone.
void write_own_recipe(Json& input);
/// The same from a value; `file` stands for messages and its folder for relative paths.
Settings parse_settings(const Json& input, const std::filesystem::path& file);

}  // namespace solion::train
