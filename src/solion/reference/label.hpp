// The labelling flow: every frame through a reference code once, whatever is killed in between.
//
// Each frame has a folder in the work folder, named by its key (code, settings, elements, cell, positions):
//
//     WORK/<key>/result.json     the accepted end of a calculation; never computed again
//     WORK/<key>/failed.json     why the last try gave no result
//     WORK/<key>/tryN/           inputs and logs of the tries; each in a folder of its own, so that a process
//                                which outlived a killed solion cannot write into a later try
//     WORK/slurm/                the arrays of the Slurm executor (executor_slurm.cpp)
//     WORK/<key>/lock            held (flock) while a solion process works on the frame; the kernel frees it
//                                with the process, so that no stale lock can exist
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "solion/reference/audit.hpp"
#include "solion/reference/calculator.hpp"
#include "solion/reference/executor.hpp"

namespace solion::reference {

struct LabelOptions {
  std::filesystem::path work;
  int jobs = 1;  ///< frames at once on this machine
  ExecutorSettings executor;
  double time_limit_s = 0;  ///< for each frame; 0: none
  int nice = 0;
  bool retry_failed = false;  ///< run frames again whose last try gave no result
  AuditLimits audit;
  /// Labels of the same settings that are there already (with energies): the audit compares with them too.
  std::vector<Frame> known;
  /// Isotropic pressure added to the labels (GPa), for what a finite basis misses; the raw stress stays in
  /// `raw`.
  double pressure_correction_GPa = 0;
  /// Correction in proportion to what the cell holds: isotropic virial of each atom of an element (eV).
  std::map<std::string, double> virial_correction_eV;
  /// Virial of each atom (eV; yz, xz, xy) for what k-points without the crystal's symmetry add off the
  /// diagonal.
  Vec3 shear_correction_eV = Vec3::Zero();
};

/// A frame that passed the audit.
struct Label {
  std::size_t index = 0;  ///< of the frame in the input
  std::string key;
  Frame frame;  ///< with energy, forces and virial, corrected
  RawResult raw;
  bool resumed = false;                     ///< the result was there already
  double pressure_correction_GPa = 0;       ///< all of the isotropic correction, for this frame
  Vec3 shear_correction_eV = Vec3::Zero();  ///< as in LabelOptions
};

/// A frame that did not become a label.
struct Failure {
  std::size_t index = 0;
  std::string key;
  std::string reason;
  std::string log_tail;
  bool judged = false;  ///< a finished calculation that was refused, rather than one that gave no result
  bool again = false;   ///< it had given no result in an earlier call either
};

/// Where the results go. Called by one thread at a time.
struct Receiver {
  /// Takes a label; a text says why it does not want it (a duplicate), and the frame counts as failed.
  std::function<std::optional<std::string>(const Label&)> accept;
  std::function<void(const Failure&)> fail;
  /// Asked before a frame is computed: why it should not be. May be empty.
  std::function<std::optional<std::string>(const Frame&, const std::string& key)> refuse;
  /// Whether the label of this key was taken in an earlier call, so that nothing is left to do. May be empty.
  std::function<bool(const std::string& key)> has = {};
};

struct LabelSummary {
  std::size_t n_frames = 0;
  std::size_t labelled = 0;  ///< computed now
  std::size_t resumed = 0;   ///< result was there
  std::size_t repeated = 0;  ///< the same frame a second time in the input
  std::size_t failed = 0;
};

/// What a frame's folder holds, without starting anything.
enum class TaskState { open, finished, failed };
TaskState task_state(const std::filesystem::path& work, const std::string& key);

/// Labels all frames with the executor of the options. Finished results are taken as they are and judged
/// again; jobs in a queue that an earlier call has left are taken over; a job without a result is tried again
/// `executor.retries` times, and its failure never stops the others. A frame that another process works on is
/// waited for. Throws Interrupted after Ctrl-C once the children are gone (jobs in a queue stay); WorkError
/// if the code is missing or the disk is full; InputError for a template that cannot be filled.
/// `options.jobs` ≥ 1.
LabelSummary label(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
                   const LabelOptions& options, const Receiver& receiver);

/// Which code made a label and what of it is a correction, for the provenance of a data set.
Json provenance(const Label& label, const Calculator& code);

/// The virial of a label once more, from the raw stress that its provenance keeps, with the corrections of
/// `options`; the provenance says so. False, and nothing is changed, if it has these corrections already or
/// no raw stress.
bool correct_anew(Frame& frame, Json& provenance, const LabelOptions& options);

/// The frame with labels: W = −V·σ (symmetrised) plus the corrections. `correction_GPa` is set to the
/// isotropic part of them.
Frame corrected(const Frame& frame, const RawResult& raw, const LabelOptions& options,
                double& correction_GPa);

}  // namespace solion::reference
