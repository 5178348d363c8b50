// solion analyze polyhedra: coordination census and distortion of octahedra.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/polyhedra.hpp"
#include "solion/transport/rdf.hpp"

namespace solion::cli {
namespace {

struct Options : TrajectoryOptions {
  std::string pair;
  double cutoff_A = 0;
};

/// The first minimum of g(centre–ligand) over at most 200 frames.
double first_minimum(const Options& options, const transport::ElementPair& pair) {
  transport::RdfAccumulator rdf({.pairs = {pair}, .r_max_A = 6, .bin_A = 0.02});
  transport::for_each_frame(options.trajectory(),
                            [&](const Frame& frame, const std::string& where, std::size_t) {
                              if (rdf.n_frames() < 200) rdf.add(frame, where);
                            });
  const double found = rdf.curves().front().first_minimum_A;
  if (!std::isfinite(found))
    throw InputError("g({}) has no first minimum below 6 Å; give --cutoff-A", options.pair);
  return found;
}

void run(const Options& options) {
  check_target(options.json);
  check_target(options.csv);
  const transport::ElementPair pair = transport::parse_pair(options.pair);
  const double cutoff_A = options.cutoff_A > 0 ? options.cutoff_A : first_minimum(options, pair);
  transport::PolyhedraAccumulator polyhedra(
      {.centre = pair.first, .ligand = pair.second, .cutoff_A = cutoff_A});
  transport::for_each_frame(options.trajectory(), [&](const Frame& frame, const std::string& where,
                                                      std::size_t) { polyhedra.add(frame, where); });
  const transport::PolyhedraCensus c = polyhedra.census();
  Json json = {{"pair", options.pair},
               {"cutoff_A", cutoff_A},
               {"cutoff_from", options.cutoff_A > 0 ? "given" : "first minimum of g(r)"},
               {"n_frames", c.n_frames},
               {"mean_coordination", c.mean_coordination},
               {"under_coordinated", c.under_coordinated},
               {"broken", c.broken},
               {"n_octahedra", c.n_octahedra},
               {"distortion_index", json_number(c.distortion_index)},
               {"distortion_index_std", json_number(c.distortion_std)},
               {"angle_variance_deg2", json_number(c.angle_variance_deg2)},
               {"angle_variance_std_deg2", json_number(c.angle_variance_std)},
               {"six_fold_by_frame", c.by_frame_six}};
  Columns table;
  std::vector<double> numbers, shares;
  fmt::print("{} within {:.3f} Å, {} frames\n", options.pair, cutoff_A, c.n_frames);
  for (const auto& [n, share] : c.share) {
    json["census"][std::to_string(n)] = share;
    numbers.push_back(n);
    shares.push_back(share);
    fmt::print("{:>4}-fold {:>8.3f} %\n", n, 100 * share);
  }
  table.add("coordination", numbers);
  table.add("share", shares);
  if (c.n_octahedra == 0) {
    fmt::print("no octahedra\n");
  } else {
    fmt::print("octahedra: distortion index {:.3e} ± {:.1e}, angle variance {:.4g} ± {:.2g} degrees²\n",
               c.distortion_index, c.distortion_std, c.angle_variance_deg2, c.angle_variance_std);
  }
  if (!options.json.empty()) write_json(options.json, json);
  if (!options.csv.empty()) table.write(options.csv);
}

}  // namespace

std::function<void()> setup_analyze_polyhedra(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->add_to(app, false);
  app.add_option("--pair", options->pair, "Centre and ligand, for example O-Li")->required();
  app.add_option("--cutoff-A", options->cutoff_A, "Farthest ligand; default: the first minimum of g(r)")
      ->check(more_than_0);
  return [options] { run(*options); };
}

}  // namespace solion::cli
