// Active learning from one file: explore, select, label, retrain, until the stop rule holds.
#pragma once

#include <filesystem>

#include "solion/learn/campaign.hpp"

namespace solion::learn {

struct Options {
  std::filesystem::path run_dir;  ///< everything the campaign makes; may exist from an earlier call
  int threads = 1;
};

/// Runs every task that the ledger in `run_dir` does not know as finished. A call that was stopped (kill,
/// Ctrl-C, power cut) goes on where it was and ends as if nothing had happened; a finished campaign returns
/// at once. Writes `table_s1.json`, `table_s1.csv` and `calibration.csv` (also as JSON) after every
/// iteration, and returns
///
///     {"title", "stop_rule", "met", "rows": [row, …], "calibration": {…, "points": […]}, "models": [paths],
///      "data": [folders], "test": {errors of the last models}, "frames": {"start", "labelled", "rejected"}}
///
/// where a row is one iteration of Table S1; paths count from `run_dir`. Throws InputError, WorkError
/// (another process has the run_dir; a task failed) or Interrupted.
Json run(const Campaign& campaign, const Options& options);

/// Table S1 as lines of text, for a terminal.
std::string table_text(const Json& rows);

}  // namespace solion::learn
