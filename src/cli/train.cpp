// solion train: trains a Deep Potential from DeePMD-kit's training input.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/failure.hpp"
#include "cli/numbers.hpp"
#include "cli/verbs.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/ranks/launch.hpp"
#include "solion/train/committee.hpp"
#include "solion/train/trainer.hpp"

namespace solion::cli {
namespace {

struct TrainOptions {
  std::string input;
  std::string folder = ".";
  std::string model = "model.dp";
  std::string init_model;
  std::string precision;
  std::string device = "cpu";
  std::string json;
  bool restart = false;
  bool fresh = false;
  int committee = 1;
  int threads = 0;  ///< 0: all cores that this process has to itself
};

void print(const train::RunSummary& summary) {
  const bool trained = summary.steps > summary.first_step;  // otherwise the library said that it is finished
  if (trained)
    fmt::print("{} steps, {:.2f} ms a step, {} in all\n", summary.steps, summary.ms_per_step,
               format_duration(summary.seconds));
  const auto shown = [](double x) { return std::isfinite(x) ? fmt::format("{:.2e}", x) : "-"; };
  if (!summary.curve.empty()) {  // its last point may be long before the last step
    const train::CurvePoint& last = summary.curve.back();
    fmt::print("step {}: energy {} eV/atom, force {} eV/Å on its batch\n", last.step, shown(last.rmse_e_trn),
               shown(last.rmse_f_trn));
  }
  if (const auto& errors = summary.validation)
    fmt::print("validation: energy {} eV/atom, force {} eV/Å on all {} frames\n", shown(errors->energy),
               shown(errors->force), errors->n_frames);
  fmt::print("model: {}\n", summary.model.string());
}

void run_committee(const TrainOptions& options, const train::Settings& settings,
                   const train::RunOptions& run) {
  Json json = Json::array();
  for (const train::RunSummary& summary : train::train_committee(settings, run, options.committee)) {
    print(summary);
    json.push_back(train::to_json(summary));
  }
  if (!options.json.empty()) write_json(options.json, {{"members", json}});
}

void run_train(const TrainOptions& options, ranks::Ranks& ranks) {
  train::Settings settings;
  ranks.together([&] { settings = train::read_settings(options.input); });
  train::RunOptions run;
  run.folder = options.folder;
  run.model = options.model;
  if (!options.init_model.empty()) run.init_model = options.init_model;
  if (options.restart) run.start = train::RunOptions::Start::restart;
  if (options.fresh) run.start = train::RunOptions::Start::fresh;
  if (options.precision == "single") run.precision = train::Precision::single_precision;
  if (options.precision == "double") run.precision = train::Precision::double_precision;
  run.device = options.device;
  run.threads = options.threads > 0 ? options.threads : ranks::threads_each(ranks);
  run.ranks = &ranks;
  ranks.together([&] { require_folder_of(options.json); });
  if (options.committee > 1) return run_committee(options, settings, run);
  const train::RunSummary summary = train::train(settings, run);
  if (!ranks.first()) return;
  print(summary);
  if (!options.json.empty()) write_json(options.json, train::to_json(summary));
}

/// This process says nothing and ends by what the speaking one does; by itself only if that does not happen.
[[noreturn]] void wait_for_the_end(int status) {
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  std::this_thread::sleep_for(std::chrono::seconds(10));
  std::_Exit(status);
}

/// One of several processes that a launcher started. Whatever goes wrong, one of them says it, and all end.
void run_in_company(const TrainOptions& options, const ranks::Launch& launch) {
  if (launch.rank != 0) log().set_level(spdlog::level::off);
  std::unique_ptr<ranks::MpiRanks> ranks;
  try {
    ranks = ranks::start(launch);
  } catch (...) {  // the same in all of them
    if (launch.rank != 0) wait_for_the_end(describe(std::current_exception()).status);
    throw;
  }
  try {
    run_train(options, *ranks);
  } catch (const ranks::Elsewhere&) {
    wait_for_the_end(1);
  } catch (...) {
    Failure failure = describe(std::current_exception());
    if (!ranks->first())
      failure.text = fmt::format("process {} of {}: {}", ranks->rank(), ranks->size(), failure.text);
    say(failure);
    ranks->abort(failure.status);
  }
  ranks->finish();
}

}  // namespace

std::function<void()> setup_train(CLI::App& app) {
  auto options = std::make_shared<TrainOptions>();
  app.add_option("input", options->input, "DeePMD-kit training input (se_e2_a, energy), JSON")->required();
  app.add_option("--folder", options->folder, "Where model, lcurve.out and checkpoint go")
      ->capture_default_str();
  app.add_option("-o,--output", options->model, "Name of the model file (.dp)")->capture_default_str();
  auto* restart =
      app.add_flag("--restart", options->restart,
                   "Go on from the checkpoint even if the input has changed (more steps, another rate)");
  app.add_flag("--fresh", options->fresh,
               "Start over; otherwise an unfinished run of the same input goes on and a finished one stays "
               "as it is")
      ->excludes(restart);
  auto* init = app.add_option("--init-model", options->init_model,
                              "Start from the parameters and statistics of this model");
  app.add_option(
         "--committee", options->committee,
         "Train so many models at once, into the folders 0, 1, 2 …; each next one has its seeds one higher")
      ->check(CLI::Range(2, 100))
      ->excludes(init);
  app.add_option("--precision", options->precision, "single or double; otherwise that of the input")
      ->check(CLI::IsMember({"single", "double"}));
  app.add_option("--device", options->device,
                 fmt::format("Where batches are computed: {}", gpu::device_names))
      ->capture_default_str();
  app.add_option("--threads", options->threads, "Threads")
      ->check(more_than_0)
      ->default_str("all cores, shared by the processes of an mpirun");
  app.add_option("--json", options->json, "Write the summary and the learning curve here");
  return [options] {
    const ranks::Launch launch = ranks::find_launch();
    if (launch.size > 1) return run_in_company(*options, launch);
    ranks::Ranks alone;
    run_train(*options, alone);
  };
}

}  // namespace solion::cli
