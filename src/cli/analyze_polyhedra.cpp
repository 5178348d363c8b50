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
  int full = 6;
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
      {.centre = pair.first, .ligand = pair.second, .cutoff_A = cutoff_A, .full = options.full});
  transport::for_each_frame(options.trajectory(), [&](const Frame& frame, const std::string& where,
                                                      std::size_t) { polyhedra.add(frame, where); });
  const transport::PolyhedraCensus c = polyhedra.census();
  Json json = {{"pair", options.pair},
               {"cutoff_A", cutoff_A},
               {"cutoff_from", options.cutoff_A > 0 ? "given" : "first minimum of g(r)"},
               {"n_frames", c.n_frames},
               {"mean_coordination", c.mean_coordination},
               {"full", options.full},
               {"under_coordinated", c.under_coordinated},
               {"under_coordinated_std", json_number(c.under_coordinated_std)},
               {"full_share", c.six_fold},
               {"full_share_std", json_number(c.six_fold_std)},
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
  fmt::print("{:.3f} ± {} % with {}, {:.3f} ± {} % with fewer\n", 100 * c.six_fold,
             or_dash(100 * c.six_fold_std, "{:.2g}"), options.full, 100 * c.under_coordinated,
             or_dash(100 * c.under_coordinated_std, "{:.2g}"));
  if (c.n_octahedra == 0) {
    fmt::print("none with {}\n", options.full);
  } else {
    fmt::print("{}-fold ones: distortion index {:.3e} ± {}, angle variance {} ± {} degrees²\n", options.full,
               c.distortion_index, or_dash(c.distortion_std, "{:.1e}"),
               or_dash(c.angle_variance_deg2, "{:.4g}"), or_dash(c.angle_variance_std, "{:.2g}"));
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
  app.add_option("--full", options->full, "Ligands of a whole polyhedron (4: tetrahedra)")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  return [options] { run(*options); };
}

}  // namespace solion::cli
