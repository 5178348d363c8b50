// solion analyze paths: the free energy of ions between neighbouring sites.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/io/formats.hpp"
#include "solion/transport/hop_profile.hpp"
#include "solion/transport/reports.hpp"

namespace solion::cli {
namespace {

struct PathsOptions : TrajectoryOptions {
  transport::HopProfileOptions settings;
  std::string sites;
  double temperature_K = 0;
};

void run_paths(const PathsOptions& options) {
  check_target(options.json);
  check_target(options.csv);
  transport::HopProfileAccumulator paths(options.settings, io::read_frame(options.sites));
  std::size_t n_frames = 0;
  transport::for_each_frame(options.trajectory(),
                            [&](const Frame& frame, const std::string& where, std::size_t) {
                              paths.add(frame, where);
                              ++n_frames;
                            });
  const std::vector<transport::HopProfile> profiles = paths.profiles(options.temperature_K);
  Json json = {{"species", options.settings.species},
               {"temperature_K", options.temperature_K},
               {"n_frames", n_frames},
               {"paths", transport::to_json(profiles)}};
  fmt::print("free energy of {} between sites at {:g} K, {} frames:\n{}", options.settings.species,
             options.temperature_K, n_frames, transport::text(profiles));
  if (!options.json.empty()) write_json(options.json, json);
  if (!options.csv.empty()) transport::columns(profiles).write(options.csv);
}

}  // namespace

std::function<void()> setup_analyze_paths(CLI::App& app) {
  const auto options = std::make_shared<PathsOptions>();
  options->add_to(app, false);
  app.add_option("--species", options->settings.species, "The mobile species")->required()->check(an_element);
  app.add_option("--framework", options->settings.framework,
                 "Species whose mean motion is taken off as drift; default: all others")
      ->check(an_element);
  app.add_option("--sites", options->sites, "Crystal whose atoms of the species are the sites (solion build)")
      ->required();
  app.add_option("--temperature", options->temperature_K, "Temperature (K)")->required()->check(more_than_0);
  app.add_option("--reach", options->settings.edge_share,
                 "Lines between sites nearer than this times the least distance")
      ->capture_default_str();
  app.add_option("--radius", options->settings.radius_share, "Radius of the tube about a line, of its length")
      ->capture_default_str();
  app.add_option("--bins", options->settings.bins, "Bins from a site to the middle")->capture_default_str();
  return [options] { run_paths(*options); };
}

}  // namespace solion::cli
