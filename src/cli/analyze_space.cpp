// solion analyze density|channels: where ions are, and what room the anions leave them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/text.hpp"
#include "solion/transport/channels.hpp"
#include "solion/transport/reports.hpp"

namespace solion::cli {
namespace {

struct DensityArguments : TrajectoryOptions {
  transport::DensityOptions settings;
  double temperature_K = 0;
  std::string cube;
};

Json levels(const double (&values)[3]) {
  return {json_number(values[0]), json_number(values[1]), json_number(values[2])};
}

void run_density(const DensityArguments& options) {
  check_target(options.json);
  check_target(options.csv);
  check_target(options.cube);
  transport::DensityAccumulator density(options.settings);
  transport::for_each_frame(options.trajectory(), [&](const Frame& frame, const std::string& where,
                                                      std::size_t) { density.add(frame, where); });
  const transport::DensityReport report = transport::report(density, options.temperature_K);
  if (!options.json.empty()) write_json(options.json, to_json(report));
  if (!options.cube.empty()) density.write_cube(options.cube);
  if (!options.csv.empty()) columns(report).write(options.csv);
  fmt::print("{}", text(report));
}

struct ChannelArguments : TrajectoryOptions {
  transport::ChannelOptions settings;
  std::vector<std::string> radii;
  std::string sites;
};

void run_channels(ChannelArguments options) {
  check_target(options.json);
  check_target(options.csv);
  for (const std::string& text : options.radii) {
    const auto equals = text.find('=');
    io::Fields number(equals == std::string::npos ? std::string_view()
                                                  : std::string_view(text).substr(equals + 1));
    double value = 0;
    if (equals == 0 || !number.real(value) || !number.at_end() || !(value > 0))
      throw InputError("--radii {}: expected for example O=1.40", text);
    options.settings.radii_A[text.substr(0, equals)] = value;
  }
  transport::ChannelAccumulator channels(options.settings, io::read_frame(options.sites));
  transport::for_each_frame(options.trajectory(), [&](const Frame& frame, const std::string& where,
                                                      std::size_t) { channels.add(frame, where); });
  const transport::ChannelStatistics s = channels.statistics();
  Columns table;
  std::vector<double> share;
  share.reserve(s.sorted_A.size());
  for (std::size_t q = 0; q < s.sorted_A.size(); ++q)
    share.push_back(static_cast<double>(q) / static_cast<double>(s.sorted_A.size() - 1));
  table.add("radius_A", s.sorted_A);
  table.add("cumulative", share);
  const Json json = {{"species", options.settings.species},
                     {"radii_A", options.settings.radii_A},
                     {"spacing_A", options.settings.spacing_A},
                     {"n_frames", s.n_frames},
                     {"n_edges", s.n_edges},
                     {"mean_bottleneck_A", s.mean_A},
                     {"critical_radius_A", levels(s.critical_A)},
                     {"critical_radius_std_A", levels(s.critical_std_A)},
                     {"radius_A", s.sorted_A},
                     {"cumulative", share}};
  fmt::print("{} frames, {} edges: bottleneck {:.3f} Å on the mean, median {:.3f} Å\n", s.n_frames, s.n_edges,
             s.mean_A, s.sorted_A[500]);
  for (int k = 0; k < 3; ++k)
    fmt::print("spans the cell in {} dimension{} up to a radius of {:.3f} ± {:.3f} Å\n", k + 1,
               k > 0 ? "s" : "", s.critical_A[k], s.critical_std_A[k]);
  if (!options.json.empty()) write_json(options.json, json);
  if (!options.csv.empty()) table.write(options.csv);
}

}  // namespace

std::function<void()> setup_analyze_density(CLI::App& app) {
  const auto options = std::make_shared<DensityArguments>();
  options->add_to(app, false);
  app.add_option("--species", options->settings.species, "The mobile species")->required()->check(an_element);
  app.add_option("--framework", options->settings.framework,
                 "Species whose mean motion is taken off as drift; default: all others")
      ->check(an_element);
  app.add_option("--spacing-A", options->settings.spacing_A, "Width of a voxel")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--temperature", options->temperature_K, "Temperature (K), for free energies")
      ->check(more_than_0);
  app.add_option("--cube", options->cube, "Write a Gaussian cube file for isosurfaces");
  return [options] { run_density(*options); };
}

std::function<void()> setup_analyze_channels(CLI::App& app) {
  const auto options = std::make_shared<ChannelArguments>();
  options->add_to(app, false);
  app.add_option("--species", options->settings.species, "The mobile species")->required()->check(an_element);
  app.add_option("--sites", options->sites, "Crystal whose atoms of the species are the sites (solion build)")
      ->required();
  app.add_option("--radii", options->radii, "Radii of the other species, e.g. O=1.40 Cl=1.81 (Å)")
      ->required();
  app.add_option("--spacing-A", options->settings.spacing_A,
                 "Width of a voxel: radii are about half as exact")
      ->capture_default_str()
      ->check(more_than_0);
  return [options] { run_channels(*options); };
}

}  // namespace solion::cli
