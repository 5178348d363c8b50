// solion analyze paths: the free energy of ions between neighbouring sites.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/transport/hop_profile.hpp"

namespace solion::cli {
namespace {

struct PathsOptions : TrajectoryOptions {
  transport::HopProfileOptions settings;
  std::string sites;
  double temperature_K = 0;
};

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double v : values) list.push_back(number(v));
  return list;
}

Json path_json(const transport::HopProfile& p) {
  return {{"length_A", p.length_A},
          {"n_edges", p.n_edges},
          {"radius_A", p.radius_A},
          {"s", p.s},
          {"free_energy_eV", numbers(p.free_energy_eV)},
          {"free_energy_std_eV", numbers(p.std_eV)},
          {"seen", p.seen},
          {"barrier_eV", number(p.barrier_eV)},
          {"barrier_std_eV", number(p.barrier_std_eV)},
          {"barrier_above_eV", number(p.barrier_bound_eV)},
          {"rate_per_ps", p.rate_per_ps}};
}

void write_table(const std::string& file, const std::vector<transport::HopProfile>& profiles) {
  Columns table;
  std::vector<double> length, s, energy, error;
  for (const transport::HopProfile& p : profiles) {
    for (std::size_t b = 0; b < p.s.size(); ++b) {
      length.push_back(p.length_A);
      s.push_back(p.s[b]);
      energy.push_back(p.free_energy_eV[b]);
      error.push_back(p.std_eV[b]);
    }
  }
  table.add("length_A", length);
  table.add("s", s);
  table.add("free_energy_eV", energy);
  table.add("free_energy_std_eV", error);
  table.write(file);
}

void print(const transport::HopProfile& p) {
  fmt::print("{} lines of {:.3f} Å: ", p.n_edges, p.length_A);
  if (std::isfinite(p.barrier_eV)) {
    fmt::print("{:.3f} ± {:.3f} eV, {:.3g} passages of the middle an ion and ps\n", p.barrier_eV,
               p.barrier_std_eV, p.rate_per_ps);
  } else if (std::isfinite(p.barrier_bound_eV)) {
    fmt::print("not passed; above {:.3f} eV\n", p.barrier_bound_eV);
  } else {
    fmt::print("no ion was seen there\n");
  }
}

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
               {"paths", Json::array()}};
  fmt::print("free energy of {} between sites at {:g} K, {} frames:\n", options.settings.species,
             options.temperature_K, n_frames);
  for (const transport::HopProfile& p : profiles) {
    json["paths"].push_back(path_json(p));
    print(p);
  }
  if (!options.json.empty()) write_json(options.json, json);
  if (!options.csv.empty()) write_table(options.csv, profiles);
}

}  // namespace

std::function<void()> setup_analyze_paths(CLI::App& app) {
  const auto options = std::make_shared<PathsOptions>();
  options->add_to(app, false);
  app.add_option("--species", options->settings.species, "The mobile species")->required();
  app.add_option("--framework", options->settings.framework,
                 "Species whose mean motion is taken off as drift; default: all others");
  app.add_option("--sites", options->sites, "Crystal whose atoms of the species are the sites (solion build)")
      ->required();
  app.add_option("--temperature", options->temperature_K, "Temperature (K)")
      ->required()
      ->check(CLI::PositiveNumber);
  app.add_option("--reach", options->settings.edge_share,
                 "Lines between sites nearer than this times the least distance")
      ->capture_default_str();
  app.add_option("--radius", options->settings.radius_share, "Radius of the tube about a line, of its length")
      ->capture_default_str();
  app.add_option("--bins", options->settings.bins, "Bins from a site to the middle")->capture_default_str();
  return [options] { run_paths(*options); };
}

}  // namespace solion::cli
