// solion study: one TOML file → the whole chain → a report.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/numbers.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/study/checks.hpp"
#include "solion/study/study.hpp"

namespace solion::cli {

namespace {

/// A line for each bar of the study; how many are missed.
std::size_t print_checks(const Json& numbers) {
  std::size_t missed = 0;
  if (!study::computed(numbers, "checks")) return missed;
  for (const Json& v : numbers["checks"]["verdicts"]) {
    const bool met = v["met"].get<bool>();
    missed += met ? 0 : 1;
    const std::string value = v["value"].is_number()
                                  ? study::beside_bar(v["value"].get<double>(), v["bar"].get<double>())
                                  : std::string("–");
    fmt::print("{:7} {:48} {:>9} {} {:g} {}  {}\n", met ? "met" : "MISSED", v["what"].get<std::string>(),
               value, v["at_least"].get<bool>() ? "≥" : "≤", v["bar"].get<double>(),
               v["unit"].get<std::string>(), v["note"].get<std::string>());
  }
  return missed;
}

}  // namespace

std::function<void()> setup_study(CLI::App& app) {
  struct Given {
    std::string file;
    std::string run_dir;
    std::string json;
    std::string device;
    int threads = 0;
    bool report_only = false;
  };
  auto given = std::make_shared<Given>();
  app.add_option("file", given->file, "what to do (TOML; see docs/study.md)")->required();
  app.add_option("--run-dir", given->run_dir,
                 "where everything goes; an unfinished study there goes on (default: FILE without suffix)");
  app.add_option("--threads", given->threads, "cores to use (default: all)")->check(zero_or_more);
  app.add_option(
      "--device", given->device,
      std::string("where molecular dynamics runs, in the place of md.device: ") + gpu::device_names);
  app.add_option("--json", given->json, "write the report's numbers there too");
  app.add_flag("--report-only", given->report_only,
               "compute nothing: a report of what is finished, also while the study runs");
  return [given] {
    const study::Config config = study::read_config(given->file);
    study::Options options;
    options.run_dir = given->run_dir.empty() ? std::filesystem::path(given->file).stem()
                                             : std::filesystem::path(given->run_dir);
    options.threads = given->threads > 0 ? given->threads : available_threads();
    options.device = given->device;
    options.report_only = given->report_only;
    const study::Result result = study::run(config, options);
    if (!given->json.empty()) write_json(given->json, result.numbers);
    const std::size_t missed = print_checks(result.numbers);
    if (result.numbers.contains("missing")) {
      fmt::print("not finished: {}\n",
                 fmt::join(result.numbers["missing"].get<std::vector<std::string>>(), ", "));
    }
    fmt::print("report: {}\n", result.report.string());
    const std::vector<std::string> failed = study::failures_of(result.numbers);
    for (const std::string& one : failed) fmt::print("failed: {}\n", one);
    if (!failed.empty()) throw WorkError("{} parts of {} failed", failed.size(), given->file);
    if (missed > 0) throw WorkError("{} of the bars of {} are missed", missed, given->file);
  };
}

}  // namespace solion::cli
