// The stages of a study. Each is a task of the ledger: its inputs name it, its outputs are JSON and files in
// run_dir.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/learn/ledger.hpp"
#include "solion/md/simulation.hpp"
#include "solion/potential/potential.hpp"
#include "solion/study/study.hpp"

namespace solion::study {

/// Where the dynamics of the points run.
const std::string& device_of(const Config& config, const Options& options);

/// What every stage works with.
struct Context {
  const Config& config;
  const Options& options;
  learn::Ledger& ledger;

  [[nodiscard]] const std::string& device() const { return device_of(config, options); }
  [[nodiscard]] std::filesystem::path folder(const std::string& name) const;  ///< made if it is not there
  /// The folder of work that has these inputs: `name`, or "name.2", "name.3", … beside those that were begun
  /// with others. So files are only ever gone on with by the work they belong to.
  [[nodiscard]] std::filesystem::path folder(const std::string& name, const Json& inputs) const;
  [[nodiscard]] std::string from_run_dir(const std::filesystem::path& path) const;
  /// The ledger's `once`; NotComputed instead of work where only a report is wanted.
  Json once(const std::string& kind, const std::string& name, const Json& inputs,
            const std::function<Json()>& work) const;
  /// The same, but a result with parts that failed is made again where work is wanted.
  Json once_or_again(const std::string& kind, const std::string& name, const Json& inputs,
                     const std::function<Json()>& work,
                     const std::function<bool(const Json&)>& has_failed) const;
};

/// Only a report is wanted, and the ledger does not have this task.
class NotComputed : public WorkError {
 public:
  explicit NotComputed(const std::string& name) : WorkError("{}: {}", name, not_computed) {}
};

/// Splits the labelled frames: npy systems in systems/training and systems/validation.
/// {"training": [paths], "validation": [paths], "temperatures_K": {path: [K or null]}, "structures": [{name,
/// training, validation, …}], "hash"}
Json prepare_data(const Context& context);

/// The structure of the frames in one of these paths.
std::string structure_of_path(const std::string& path);

/// Trains (or takes) the model: {"model": path, "hash", "seconds", "steps", "curve": file or null, …}
Json make_model(const Context& context, const Json& data);

/// Errors of the model by structure, on frames that were and were not trained on, with the points of the
/// parity plots.
Json validate_model(const Context& context, const Json& data, const Json& model);

/// What the study file sets bars for: {"accuracy", "direct", "conservation", "verdicts": [{what, value, bar,
/// unit, at_least, met, note}], "all_met"}
Json run_checks(const Context& context, const Json& data, const Json& model, const Json& validation);

/// One run of molecular dynamics.
struct Point {
  std::string structure;
  double temperature_K = 0;
  [[nodiscard]] std::string name() const;  ///< "type1_900K"
};

/// Every structure at every temperature, the most expensive last.
std::vector<Point> points(const MdConfig& md);

/// Builds every cell and makes each analysis of it once, and looks at compounds, hops, labelled frames and
/// the campaign's table, so that what is wrong with them is said before anything is computed. InputError.
void rehearse(const Config& config);

/// The production length that fits the time budget: {"production_ps", "us_per_atom_step", "reason"}.
Json plan_md(const Context& context, const Json& model);

/// Whether the ledger has this point's MD, done.
bool simulated(const Context& context, const Json& model, const Point& point, double production_ps);

/// Where the files of this point's MD are.
std::filesystem::path md_folder(const Context& context, const Json& model, const Point& point);

/// What moves the atoms of a point; `mover` as in md::RunOptions.
struct Engine {
  Potential& potential;
  std::function<std::unique_ptr<md::Simulation>(const md::Settings&, md::State)> mover = nullptr;
};

/// MD of one point, in files alone. `tick` is called once a frame.
void move_atoms(const Context& context, const Json& model, const Point& point, double production_ps,
                const Engine& engine, const std::function<void()>& tick);

/// MD of one point and what the ions did: MSD, D or its bound, conductivity, g(r), mean cell.
Json simulate(const Context& context, const Json& model, const Point& point, double production_ps,
              const Engine& engine, const std::function<void()>& tick);

/// Polyhedra, atomic energies, channels and hops in the trajectory that gave `result`: {"polyhedra", "doas",
/// "channels", "hops", "profiles", "before_hops"}, at the highest temperature "paths" and "density" too. What
/// is said of sites (from "channels" on) is left out where the point is molten and most ions are at none.
Json look_at_structure(const Context& context, const Json& model, const Point& point, const Json& result,
                       Potential& potential);

/// Both for every point, `threads` at a time: {"points", "structures"}, arrays in the order of `points`, each
/// with "structure" and "temperature_K"; one that failed has "failed" with its reason; "missing": how many
/// are not computed, where only a report is wanted. Once a point is done, the ledger alone holds all that the
/// report needs of it.
Json run_points(const Context& context, const Json& model, const Json& plan);

/// Every structure's cell relaxed in its distinct placements: {"perfect", "compounds", "structures": [{name,
/// placements, …}]}. docs/theory/relax.md.
Json relax_defects(const Context& context, const Json& model);

/// Every distinct hop of the mobile ion into a vacancy of the crystal at rest: {"within_A", "hops":
/// [{distance_A, per_vacancy, forward_eV, backward_eV, converged, profile, …}]}. docs/theory/defects.md.
Json find_barriers(const Context& context, const Json& model);

/// Each structure heated and cooled: {structure: {"before", "after": {"rdf", "mean_coordination", …},
/// "cutoff_A": of the polyhedra of both}}; the polyhedra only where there are any.
Json anneal(const Context& context, const Json& model);

/// Adds to each point "unsound" (why its run says nothing: it did not hold its temperature, or its energy
/// drifted) and "molten" (is_molten): neither belongs into a law of D(T) of the crystal.
void judge_points(const Config& config, Json& points);

/// Gives each of `structures` what was said of the point that it is a look into, and the point what was seen
/// of its defects.
void judge_structures(Json& points, Json& structures);

/// Arrhenius fits and the law of D(T) by structure, from the results of the points.
Json fit_temperatures(const Config& config, const Json& results);

/// Everything as one HTML page.
void write_report(const Context& context, const Json& numbers, const std::filesystem::path& file);

}  // namespace solion::study
