// A training run from its settings to model.dp: data, steps, lcurve.out, checkpoints.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "solion/ranks/ranks.hpp"
#include "solion/train/model_errors.hpp"
#include "solion/train/settings.hpp"

namespace solion::train {

class FrameStore;

struct RunOptions {
  std::filesystem::path folder = ".";  ///< for model.dp, lcurve.out and the checkpoint
  std::filesystem::path model = "model.dp";
  std::optional<std::filesystem::path> init_model;  ///< start from its parameters and statistics
  enum class Start {
    automatic,  ///< go on from the checkpoint if it is of the same input and data; leave a finished run as
                ///< it is
    restart,    ///< go on from the checkpoint; it must be there. The input may have changed (more steps, …)
    fresh       ///< from step 0
  } start = Start::automatic;
  std::optional<Precision> precision;  ///< otherwise the input's
  int threads = 1;
  std::string device = "cpu";     ///< or a name that gpu::open_device knows: batches are computed there
  std::string name = "training";  ///< in messages
  /// Where frames are kept that other trainings of this process use too; none: this one's own.
  FrameStore* frames = nullptr;
  /// Called after every step with the number of steps done; for tests and callers that watch.
  std::function<void(std::int64_t)> after_step;
  /// The processes that share the atoms of each batch and the parameters of each update; none: this one
  /// alone. All of them have the same settings and read the same files; the first one writes.
  ranks::Ranks* ranks = nullptr;
};

/// One line of lcurve.out; NaN where there is no label or no validation data.
struct CurvePoint {
  std::int64_t step = 0;
  double rmse_val = 0, rmse_trn = 0;      ///< root of the loss
  double rmse_e_val = 0, rmse_e_trn = 0;  ///< eV per atom
  double rmse_f_val = 0, rmse_f_trn = 0;  ///< eV/Å
  double rmse_v_val = 0, rmse_v_trn = 0;  ///< eV per atom
  double learning_rate = 0;
};

struct RunSummary {
  std::int64_t steps = 0;       ///< done in all
  std::int64_t first_step = 0;  ///< where this call went on
  std::size_t n_parameters = 0;
  std::size_t n_training_frames = 0;
  std::size_t n_validation_frames = 0;
  int processes = 1;
  double ms_per_step = 0;                 ///< of this call, without reading data
  double seconds = 0;                     ///< of this call, all of it
  std::vector<CurvePoint> curve;          ///< the points of this call
  std::optional<ModelErrors> validation;  ///< on all validation frames, if this call trained
  std::filesystem::path model;
};
Json to_json(const RunSummary& summary);
/// Says that errors of batches (of forces, or else energies) more than doubled: a training that has diverged
/// and ended in numbers all the same. `name` of the training.
void warn_of_growth(const std::vector<CurvePoint>& curve, bool forces, const std::string& name);

/// Trains, in a folder that no other training uses meanwhile. Every `save_freq` steps and at the end the
/// model and the checkpoint are replaced. On Ctrl-C both are saved and Interrupted is thrown. InputError for
/// data without the labels that the loss wants and for names of files that cannot be written, before the
/// first step; WorkError if the loss is no longer finite (the last checkpoint stays) and if another training
/// is at work in the folder. Of several processes one throws these and the others ranks::Elsewhere; WorkError
/// too where one of them is gone. The same batches are trained on with any number of processes, so that only
/// rounding differs; InputError if a batch has fewer frames than there are processes, and for a device with
/// several of them. A device gives the same numbers to rounding; a run may change between it and the
/// processor.
RunSummary train(const Settings& settings, const RunOptions& options);

}  // namespace solion::train
