// solion analyze deviation: how far a committee of models disagrees about the frames of a trajectory.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/transport/deviation.hpp"

namespace solion::cli {
namespace {

struct Options : TrajectoryOptions {
  std::vector<std::filesystem::path> models;
  std::vector<double> levels;
  int threads = available_threads();
  std::string device = "cpu";
};

void run(const Options& options) {
  check_target(options.json);
  check_target(options.csv);
  std::optional<transport::DeviationLevels> levels;
  if (!options.levels.empty()) levels = {options.levels[0], options.levels[1]};
  if (levels) transport::check_levels(*levels);
  Committee committee = open_committee(options.models, {.device = options.device});
  committee.set_threads(options.threads);
  transport::DeviationAccumulator accumulator(std::move(committee));
  const double interval_fs = transport::for_each_frame(
      options.trajectory(),
      [&](const Frame& frame, const std::string& where, std::size_t) { accumulator.add(frame, where); });
  const transport::DeviationReport report = accumulator.report(interval_fs, levels);
  if (!options.json.empty()) write_json(options.json, to_json(report));
  if (!options.csv.empty()) columns(report).write(options.csv);
  fmt::print("{}", text(report));
}

}  // namespace

std::function<void()> setup_analyze_deviation(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->add_to(app, false);
  app.add_option("-m,--model", options->models, "The committee: two models or more")->required();
  app.add_option("--levels", options->levels,
                 "LOWER UPPER in eV/Å: what share of the frames is accurate, a candidate for labels, failed")
      ->expected(2)
      ->check(more_than_0);
  app.add_option("--threads", options->threads, "Threads")
      ->default_str("all cores")
      ->check(CLI::Range(1, 4096));
  app.add_option("--device", options->device,
                 std::string("Where the models are evaluated: ") + gpu::device_names)
      ->capture_default_str();
  return [options] { run(*options); };
}

}  // namespace solion::cli
