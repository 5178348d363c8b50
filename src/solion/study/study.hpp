// The whole chain from one file: data set → model → validation → molecular dynamics → transport → report.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "solion/study/config.hpp"

namespace solion::study {

struct Options {
  std::filesystem::path run_dir;  ///< everything the study makes; may exist from an earlier call
  int threads = 1;
  std::string device;        ///< in the place of md.device; empty: that
  bool report_only = false;  ///< computes nothing: a report of what the ledger has, which may be at work
};

struct Result {
  std::filesystem::path report;
  Json numbers;  ///< what the report says, for scripts
};

/// What a part of the numbers has under "failed" where it is only not computed (`report_only`).
inline constexpr const char* not_computed = "not computed yet";

/// Runs every stage that the ledger in `run_dir` does not know as finished (unless `report_only`), and writes
/// `run_dir/report.html`. A call that was stopped (kill, Ctrl-C, power cut) goes on where it was. Behind the
/// model's validation a stage, or a part of one, that fails has {"failed": why} in its place in the numbers,
/// does not stop the others, and is tried again by the next call. One process at a time works in a run_dir.
/// Throws InputError, WorkError or Interrupted.
Result run(const Config& config, const Options& options);

/// Whether this part of the numbers is there and did not fail as a whole.
bool computed(const Json& numbers, const char* key);

/// What failed, a line each with its reason; not what is only not computed.
std::vector<std::string> failures_of(const Json& numbers);

}  // namespace solion::study
