// solion analyze rdf: partial g(r) and coordination numbers.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "solion/transport/rdf.hpp"

namespace solion::cli {
namespace {

struct Options : TrajectoryOptions {
  std::vector<std::string> pairs;
  transport::RdfOptions rdf;
};

void run(Options options) {
  check_target(options.json);
  check_target(options.csv);
  for (const std::string& pair : options.pairs) options.rdf.pairs.push_back(transport::parse_pair(pair));
  transport::RdfAccumulator rdf(options.rdf);
  for_each_frame(options.trajectory(),
                 [&](const Frame& frame, const std::string& where, std::size_t) { rdf.add(frame, where); });

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
  options->add_to(app, false);
  app.add_option("--pairs", options->pairs, "For example Li-O Li-Cl: the second around the first")
      ->required();
  app.add_option("--r-max-A", options->rdf.r_max_A, "Largest distance; may exceed half the cell")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--bin-A", options->rdf.bin_A, "Bin width")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  return [options] { run(*options); };
}

}  // namespace solion::cli
