// The whole chain from one file: data set → model → validation → molecular dynamics → transport → report.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "solion/study/config.hpp"

namespace solion::study {

struct Options {
  std::filesystem::path run_dir;  ///< everything the study makes; may exist from an earlier call
  int threads = 1;
};

struct Result {
  std::filesystem::path report;
  Json numbers;  ///< what the report says, for scripts
};

/// Runs every stage that the ledger in `run_dir` does not know as finished, and writes `run_dir/report.html`.
/// A call that was stopped (kill, Ctrl-C, power cut) goes on where it was. A molecular dynamics point that
/// fails is reported as failed and does not stop the others. Throws InputError, WorkError or Interrupted.
Result run(const Config& config, const Options& options);

}  // namespace solion::study
