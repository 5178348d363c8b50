// Heating, holding and slow cooling: what order a structure finds when its ions may move.
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/base/threads.hpp"
#include "solion/io/formats.hpp"
#include "solion/study/analysis.hpp"
#include "solion/study/cells.hpp"
#include "solion/transport/polyhedra.hpp"
#include "solion/transport/rdf.hpp"
#include "solion/transport/read.hpp"

namespace solion::study {
namespace {

/// g(r) of the study's pairs, and the share of under-coordinated polyhedra where there are any, over one
/// trajectory. Not given, the cutoff is taken from this g(r), so that what follows can be counted alike.
Json structure_of(const Config& config, const RdfRequest& request, const std::filesystem::path& trajectory,
                  std::optional<double>& cutoff_A) {
  Json result{{"rdf", Json::object()}};
  if (request.options.pairs.empty()) return result;
  transport::RdfAccumulator rdf(request.options);
  transport::ReadTrajectory what;
  what.files = {trajectory};
  what.needs_time = false;
  std::vector<Frame> frames;
  transport::for_each_frame(what, [&](const Frame& frame, const std::string& where, std::size_t) {
    rdf.add(frame, where);
    frames.push_back(frame);
  });
  const auto curves = rdf.curves();
  for (std::size_t k = 0; k < request.shown; ++k)
    result["rdf"][curves[k].pair.first + "-" + curves[k].pair.second] = {{"r_A", curves[k].r_A},
                                                                         {"g", curves[k].g}};
  if (curves.size() == request.shown) return result;
  if (!cutoff_A) cutoff_A = curves.back().first_minimum_A;
  if (std::isfinite(*cutoff_A)) {
    transport::PolyhedraAccumulator polyhedra(polyhedra_options(config, *cutoff_A));
    for (const Frame& frame : frames) polyhedra.add(frame, "annealing");
    const auto census = polyhedra.census();
    result["under_coordinated"] = census.under_coordinated;
    result["under_coordinated_std"] = json_number(census.under_coordinated_std);
    result["mean_coordination"] = census.mean_coordination;
  }
  return result;
}

/// One piece: a run with its own restart, trajectory and last frame.
struct Piece {
  std::string name;
  std::vector<md::Stage> stages;
  bool watched = false;  ///< its frames are kept and looked at
};

Json heat_and_cool(const Context& context, const std::string& structure, Potential& potential,
                   const Json& inputs) {
  const Config& config = context.config;
  const AnnealingConfig& a = config.annealing;
  const double dt = config.md.timestep_fs;
  const std::int64_t hold = steps_of(a.hold_ps, dt), ramp = steps_of(a.ramp_ps, dt);
  const std::filesystem::path folder = context.folder("annealing/" + structure, inputs);
  const std::vector<Piece> pieces{
      {"before", {{hold, a.low_K, a.low_K}}, true},
      {"heat", {{ramp, a.low_K, a.high_K}, {hold, a.high_K, a.high_K}, {ramp, a.high_K, a.low_K}}, false},
      {"after", {{hold, a.low_K, a.low_K}}, true}};
  Frame frame = build_cell(config, structure);
  const RdfRequest request = annealing_request(config, frame);
  std::optional<double> cutoff_A;
  Json result = Json::object();
  for (const Piece& piece : pieces) {
    md::Settings settings = settings_at(config, a.low_K, md::Ensemble::npt, a.hold_ps / 5, a.hold_ps);
    settings.stages = piece.stages;
    settings.draw_velocities = &piece == &pieces.front();
    md::Outputs files;
    files.log = folder / (piece.name + ".log");
    files.restart = folder / (piece.name + ".restart");
    files.final_structure = folder / (piece.name + ".extxyz");
    const std::filesystem::path trajectory = folder / (piece.name + "-trajectory.extxyz");
    if (piece.watched) files.trajectories = {{trajectory, steps_of(config.md.frame_interval_fs / 1000, dt)}};
    md::RunOptions options;
    options.potential_identity = inputs["model"];
    md::run(settings, files, frame, potential, options);
    frame = io::read_frame(files.final_structure);
    if (piece.watched) result[piece.name] = structure_of(config, request, trajectory, cutoff_A);
  }
  if (cutoff_A) result["cutoff_A"] = json_number(*cutoff_A);
  return result;
}

}  // namespace

Json anneal(const Context& context, const Json& model) {
  const Config& config = context.config;
  const AnnealingConfig& a = config.annealing;
  const Crystal crystal = crystal_of(config);
  const auto potential = open_model(context, model);
  std::vector<Json> results(a.structures.size());
  parallel_dynamic(a.structures.size(), context.options.threads, [&](std::size_t i, int) {
    const std::string& structure = a.structures[i];
    Json inputs{{"model", model["hash"]},
                {"structure", structure},
                {"low_K", a.low_K},
                {"high_K", a.high_K},
                {"hold_ps", a.hold_ps},
                {"ramp_ps", a.ramp_ps},
                {"supercell", repeats_of(config.md, structure)},
                {"count", content_of(config, crystal, structure).count},
                {"placement", config.md.placement},
                {"crystal", crystal_key(config, {structure})},
                {"pressure_bar", config.md.pressure_bar},
                {"polyhedra", {config.structure.centre, config.structure.ligand}},
                {"precision", config.md.precision},
                {"timestep_fs", config.md.timestep_fs},
                {"pairs", config.transport.rdf_pairs},
                {"r_max_A", config.transport.rdf_max_A},
                {"interval_fs", config.md.frame_interval_fs},
                {"seed", config.seed}};
    if (config.structure.full != StructureConfig{}.full) inputs["full"] = config.structure.full;
    add_barostat(config, inputs);
    try {
      const auto own = potential->clone();
      results[i] = context.once("anneal", structure, inputs,
                                [&] { return heat_and_cool(context, structure, *own, inputs); });
    } catch (const Interrupted&) {
      throw;
    } catch (const NotComputed&) {
      throw;
    } catch (const std::exception& error) {
      log().warn("annealing {}: {}", structure, error.what());
      results[i] = {{"failed", error.what()}};
    }
  });
  Json by_structure = Json::object();
  for (std::size_t i = 0; i < results.size(); ++i) by_structure[a.structures[i]] = results[i];
  return by_structure;
}

}  // namespace solion::study
