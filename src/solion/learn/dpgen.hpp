// DP-GEN's input and run directories (`dpgen run`, v0.10 to 0.13) as a campaign, as data and as history.
// Format: https://docs.deepmodeling.com/projects/dpgen (param.json, machine.json, "Overview of the Run
// process").
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "solion/base/input.hpp"

namespace solion::learn {

/// What became of one key of DP-GEN's files.
struct ImportNote {
  enum class Fate { carried, needless, lost, unknown } fate;
  std::string key;   ///< "model_devi_jobs[3].press"
  std::string text;  ///< where it went, or why it did not
};

struct DpgenFiles {
  std::filesystem::path param;
  std::filesystem::path machine;  ///< or empty
  std::filesystem::path run;      ///< a run directory whose data the campaign begins with, or empty
};

/// Writes the campaign `out`, and beside it STEM-train.json (training input) and STEM-label.toml (settings of
/// the reference code, executor). What a campaign has no place for is in the notes, and nothing else is
/// missing: every key of both files has a note. InputError for files that are no DP-GEN input.
std::vector<ImportNote> import_dpgen(const DpgenFiles& files, const std::filesystem::path& out);

/// Table S1 of what a run did, from the lists that DP-GEN keeps in 02.fp, or from model_devi.out and the
/// trust levels of `param` (may be null) where there are none:
///
///     {"stage": last line of record.dpgen, "complete": iterations with all stages,
///      "iterations": [{"iteration", "ensemble", "temperatures_K", "pressures_bar", "steps", "counted_from",
///                      "accurate", "candidate", "failed", "tasks", "labelled",
///                      "systems": [{"system", the same counts, "data": [{"path", "frames"}]}]}],
///      "remarks": what of the run could not be read and was left out}
///
/// Frames whose deviation is not finite count as failed. InputError if there is no iter.000000.
Json dpgen_history(const std::filesystem::path& run, const Json& param);

/// The history as lines of text and as CSV.
std::string history_text(const Json& history);
std::string history_csv(const Json& history);

}  // namespace solion::learn
