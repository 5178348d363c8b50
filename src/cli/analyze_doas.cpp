// solion analyze doas: density of atomistic states of a species.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/transport/doas.hpp"

namespace solion::cli {
namespace {

struct Options : TrajectoryOptions {
  std::vector<std::string> models;
  transport::DoasOptions settings;
  bool as_is = false;
  int threads = available_threads();
};

void run(Options options) {
  check_target(options.json);
  check_target(options.csv);
  options.settings.relax = !options.as_is;
  std::vector<std::unique_ptr<Potential>> potentials;
  std::vector<Potential*> models;
  potentials.reserve(options.models.size());
  for (const std::string& model : options.models) {
    potentials.push_back(open_potential(model));
    potentials.back()->set_threads(options.threads);
    models.push_back(potentials.back().get());
  }
  transport::DoasAccumulator accumulator(options.settings, models);
  transport::for_each_frame(options.trajectory(), [&](const Frame& frame, const std::string& where,
                                                      std::size_t) { accumulator.add(frame, where); });
  const transport::Doas doas = accumulator.result();
  Json json = {{"species", options.settings.species},
               {"relaxed", options.settings.relax},
               {"n_frames", doas.n_frames},
               {"n_ions", doas.n_ions},
               {"n_unrelaxed", doas.n_unrelaxed},
               {"width_eV", options.settings.width_eV},
               {"committee_spread_eV", json_number(doas.committee_spread_eV)},
               {"energy_eV", doas.energy_eV},
               {"models", Json::array()}};
  Columns table;
  table.add("energy_eV", doas.energy_eV);
  fmt::print(
      "{} frames, {} {} ions{}\n", doas.n_frames, doas.n_ions, options.settings.species,
      doas.n_unrelaxed > 0 ? fmt::format("; {} frames did not relax to the end", doas.n_unrelaxed) : "");
  for (std::size_t m = 0; m < doas.models.size(); ++m) {
    const auto& model = doas.models[m];
    json["models"].push_back({{"model", options.models[m]},
                              {"mean_eV", model.mean_eV},
                              {"deviation_eV", model.deviation_eV},
                              {"density_per_eV", model.density}});
    table.add(fmt::format("density_{}", m + 1), model.density);
    fmt::print("{}: mean {:.4f} eV, deviation {:.4f} eV\n", options.models[m], model.mean_eV,
               model.deviation_eV);
  }
  if (doas.models.size() > 1)
    fmt::print("spread between the models: {:.4f} eV an ion\n", doas.committee_spread_eV);
  if (!options.json.empty()) write_json(options.json, json);
  if (!options.csv.empty()) table.write(options.csv);
}

}  // namespace

std::function<void()> setup_analyze_doas(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->add_to(app, false);
  app.add_option("-m,--model", options->models,
                 "Potentials; the first relaxes the frames, more of them show the committee's spread")
      ->required();
  app.add_option("--species", options->settings.species, "Whose atomic energies")
      ->required()
      ->check(an_element);
  app.add_flag("--as-is", options->as_is, "Do not relax the frames");
  app.add_option("--width-eV", options->settings.width_eV, "Of the Gaussian that each energy is drawn as")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--threads", options->threads, "Threads")
      ->default_str("all cores")
      ->check(CLI::Range(1, 4096));
  return [options] { run(*options); };
}

}  // namespace solion::cli
