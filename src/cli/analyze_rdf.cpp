// solion analyze rdf: partial g(r) and coordination numbers.
#include <cmath>

#include "cli/analyze.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/transport/rdf.hpp"

namespace solion::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> pairs;
  transport::RdfOptions rdf;
  std::size_t skip_frames = 0;
  std::size_t every = 1;
  std::string json;
  std::string csv;
};

void run(Options options) {
  check_target(options.json);
  check_target(options.csv);
  for (const std::string& pair : options.pairs) options.rdf.pairs.push_back(transport::parse_pair(pair));
  transport::RdfAccumulator rdf(options.rdf);
  std::size_t seen = 0;
  for (const std::string& file : options.files) {
    const auto reader = io::open_frames(file);
    Frame frame;
    for (std::size_t n = 1; reader->next(frame); ++n, ++seen) {
      if (seen < options.skip_frames || (seen - options.skip_frames) % options.every != 0) continue;
      rdf.add(frame, fmt::format("{}: frame {}", file, n));
    }
  }
  if (rdf.n_frames() == 0)
    throw InputError("{}: {} frames, none left after skipping {}", options.files.back(), seen,
                     options.skip_frames);

  Json json = {{"n_frames", rdf.n_frames()}, {"bin_A", options.rdf.bin_A}, {"pairs", Json::array()}};
  Columns table;
  fmt::print("{:>8} {:>12} {:>10} {:>16} {:>14}\n", "pair", "first peak Å", "height", "first minimum Å",
             "coordination");
  for (const transport::RdfCurve& curve : rdf.curves()) {
    const std::string name = curve.pair.first + "-" + curve.pair.second;
    if (table.names.empty()) {
      table.add("r_A", curve.r_A);
      json["r_A"] = curve.r_A;
    }
    table.add(name + "_g", curve.g);
    table.add(name + "_n", curve.coordination);
    json["pairs"].push_back({{"pair", name},
                             {"g", curve.g},
                             {"running_coordination", curve.coordination},
                             {"first_peak_A", number(curve.first_peak_A)},
                             {"first_peak_g", number(curve.first_peak_g)},
                             {"first_minimum_A", number(curve.first_minimum_A)},
                             {"coordination_number", number(curve.first_coordination)}});
    const auto shown = [](double value, const char* none) {
      return std::isfinite(value) ? fmt::format("{:.3f}", value) : std::string(none);
    };
    fmt::print("{:>8} {:>12} {:>10} {:>16} {:>14}\n", name, shown(curve.first_peak_A, "none"),
               shown(curve.first_peak_g, "-"), shown(curve.first_minimum_A, "none"),
               shown(curve.first_coordination, "-"));
  }
  if (!options.json.empty()) write_json(options.json, json);
  if (!options.csv.empty()) table.write(options.csv);
}

}  // namespace

std::function<void()> setup_analyze_rdf(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("trajectory", options->files, "Frames: extxyz, LAMMPS dump, DeePMD system, POSCAR …")
      ->required();
  app.add_option("--pairs", options->pairs, "For example Li-O Li-Cl: the second around the first")
      ->required();
  app.add_option("--r-max-A", options->rdf.r_max_A, "Largest distance; may exceed half the cell")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--bin-A", options->rdf.bin_A, "Bin width")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--skip-frames", options->skip_frames, "Leave these out at the start");
  app.add_option("--every", options->every, "Take every n-th frame")->check(CLI::PositiveNumber);
  app.add_option("--json", options->json, "Write all numbers to this file");
  app.add_option("--csv", options->csv, "Write the curves as a table");
  return [options] { run(*options); };
}

}  // namespace solion::cli
