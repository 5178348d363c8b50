// solion analyze rdf: partial g(r) and coordination numbers.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/transport/reports.hpp"

namespace solion::cli {
namespace {

struct Options : TrajectoryOptions {
  std::vector<std::string> pairs;
  transport::RdfOptions rdf;
};

void run(Options options) {
  check_target(options.json);
  check_target(options.csv);
  for (const std::string& pair : options.pairs) {
    const auto& [a, b] = options.rdf.pairs.emplace_back(transport::parse_pair(pair));
    for (const std::string& name : {a, b})
      if (const std::string problem = an_element(name); !problem.empty())
        throw InputError("--pairs {}: {}", pair, problem);
  }
  transport::RdfAccumulator rdf(options.rdf);
  for_each_frame(options.trajectory(),
                 [&](const Frame& frame, const std::string& where, std::size_t) { rdf.add(frame, where); });

  const std::vector<transport::RdfCurve> curves = rdf.curves();
  if (!options.json.empty()) write_json(options.json, transport::rdf_json(curves, options.rdf.bin_A));
  if (!options.csv.empty()) transport::rdf_columns(curves).write(options.csv);
  fmt::print("{}", transport::rdf_text(curves));
}

}  // namespace

std::function<void()> setup_analyze_rdf(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->add_to(app, false);
  app.add_option("--pairs", options->pairs, "For example Li-O Li-Cl: the second around the first")
      ->required();
  app.add_option("--r-max-A", options->rdf.r_max_A, "Largest distance; may exceed half the cell")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--bin-A", options->rdf.bin_A, "Bin width")->capture_default_str()->check(more_than_0);
  return [options] { run(*options); };
}

}  // namespace solion::cli
