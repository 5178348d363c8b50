// Molecular dynamics of one structure at one temperature, and what the ions did.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/study/analysis.hpp"
#include "solion/study/cells.hpp"

namespace solion::study {
namespace {

/// The frame with its cell and positions scaled to another volume.
Frame scaled_to(Frame frame, double volume_A3) {
  const double factor = std::cbrt(volume_A3 / frame.cell->volume());
  frame.cell = Cell(Mat3(frame.cell->matrix() * factor));
  for (Vec3& r : frame.positions) r *= factor;
  return frame;
}

/// What a point depends on.
Json inputs_of(const Context& context, const Json& model, const Point& point, double production_ps) {
  const MdConfig& m = context.config.md;
  const Content content = content_of(context.config, crystal_of(context.config), point.structure);
  return {{"model", model["hash"]},
          {"structure", point.structure},
          {"temperature_K", point.temperature_K},
          {"production_ps", production_ps},
          {"timestep_fs", m.timestep_fs},
          {"supercell", m.supercell},
          {"count", content.count},
          {"placement", m.placement},
          {"npt_ps", m.npt_ps},
          {"equilibration_ps", m.equilibration_ps},
          {"pressure_bar", m.pressure_bar},
          {"crystal", crystal_key(context.config, {point.structure})},
          {"precision", m.precision},
          {"frame_interval_fs", m.frame_interval_fs},
          {"seed", context.config.seed},
          {"transport", transport_key(context.config)}};
}

/// NPT for the cell of this temperature, NVT for the motion; both go on from their restart files.
Json run_md(const Context& context, const Point& point, double production_ps, Potential& potential,
            const Json& model, const std::function<void()>& tick) {
  const MdConfig& m = context.config.md;
  const std::filesystem::path folder = md_folder(context, model, point);
  const Frame start = build_cell(context.config, point.structure);

  md::Outputs npt_files;
  npt_files.log = folder / "npt.log";
  npt_files.restart = folder / "npt.restart";
  npt_files.final_structure = folder / "npt.extxyz";
  md::RunOptions options;
  options.potential_identity = model["hash"];
  const auto npt =
      md::run(settings_at(context.config, point.temperature_K, md::Ensemble::npt, m.npt_ps / 2, m.npt_ps / 2),
              npt_files, start, potential, options);

  md::Outputs nvt_files;
  nvt_files.log = folder / "nvt.log";
  nvt_files.restart = folder / "nvt.restart";
  md::TrajectoryOutput trajectory;
  trajectory.file = folder / "trajectory.extxyz";
  trajectory.every = steps_of(m.frame_interval_fs / 1000, m.timestep_fs);
  nvt_files.trajectories = {trajectory};
  md::Settings nvt_settings =
      settings_at(context.config, point.temperature_K, md::Ensemble::nvt, m.equilibration_ps, production_ps);
  nvt_settings.draw_velocities = false;
  options.observers.push_back({trajectory.every, [&](const md::Simulation&) { tick(); }});
  io::ReadOptions as_it_is;  // an exploded run is for the engine to say
  as_it_is.closest_A = 0;
  as_it_is.accept_any_density = true;
  const Frame relaxed =
      scaled_to(io::read_frame(npt_files.final_structure, as_it_is), npt.averages.volume_A3.mean);
  const auto nvt = md::run(nvt_settings, nvt_files, relaxed, potential, options);

  const double cells = static_cast<double>(m.supercell[0]) * m.supercell[1] * m.supercell[2];
  Json result =
      analyse(context.config, trajectory.file, static_cast<double>(trajectory.every) * m.timestep_fs, point);
  result["formula"] = nvt.formula;
  result["atoms"] = nvt.atoms;
  result["production_ps"] = production_ps;
  result["lattice_A"] = std::cbrt(npt.averages.volume_A3.mean / cells);
  result["mean_temperature_K"] = nvt.averages.temperature_K.mean;
  result["mean_pressure_bar"] = nvt.averages.pressure_bar.mean;
  result["drift_meV_per_atom_per_ps"] =
      nvt.averages.drift_eV_per_ps() * 1000 / static_cast<double>(nvt.atoms);
  return result;
}

}  // namespace

std::string Point::name() const { return fmt::format("{}_{:g}K", structure, temperature_K); }

std::vector<Point> points(const MdConfig& md) {
  std::vector<Point> result;
  for (const double T : md.temperatures_K) {
    for (const auto& structure : md.structures) result.push_back({structure, T});
  }
  return result;
}

Json plan_md(const Context& context, const Json& model) {
  const Config& config = context.config;
  const MdConfig& m = config.md;
  const Json inputs{{"model", model["hash"]},
                    {"crystal", crystal_key(config, m.structures)},
                    {"timestep_fs", m.timestep_fs},
                    {"supercell", m.supercell},
                    {"structures", m.structures},
                    {"temperatures_K", m.temperatures_K},
                    {"budget_min", config.time_budget_min},
                    {"least_ps", m.production_ps},
                    {"most_ps", m.production_max_ps},
                    {"count", m.count},
                    {"npt_ps", m.npt_ps}};
  return context.once("plan", "length of the runs", inputs, [&]() -> Json {
    if (config.time_budget_min == 0) return {{"production_ps", m.production_ps}, {"reason", "as asked for"}};
    const auto potential = open_model(context, model);
    const Frame frame = build_cell(config, m.structures.front());
    const double hottest = *std::max_element(m.temperatures_K.begin(), m.temperatures_K.end());
    const auto trial =
        md::run(settings_at(config, hottest, md::Ensemble::nvt, 0.02, 0.2), {}, frame, *potential, {});
    const double seconds_per_ps =
        trial.us_per_atom_step() * 1e-6 * static_cast<double>(frame.n_atoms()) * 1000 / m.timestep_fs;
    const double seconds = std::max(0.0, config.time_budget_min * 60 - model["seconds"].get<double>());
    const double share = static_cast<double>(context.options.threads) / static_cast<double>(points(m).size());
    // A tenth is kept for the analysis and for points that wait for each other.
    const double fits = 0.9 * seconds * share / seconds_per_ps - m.npt_ps - m.equilibration_ps;
    const double length = std::clamp(fits, m.production_ps, m.production_max_ps);
    const char* reason =
        fits < m.production_ps
            ? "the least asked for; longer than the time budget"
            : (fits > m.production_max_ps ? "the most asked for" : "what the time budget allows");
    return {{"production_ps", std::floor(length * 10) / 10},
            {"us_per_atom_step", trial.us_per_atom_step()},
            {"reason", reason}};
  });
}

bool simulated(const Context& context, const Json& model, const Point& point, double production_ps) {
  const auto known =
      context.ledger.find(learn::Ledger::key_of("md", inputs_of(context, model, point, production_ps)));
  return known && known->outcome == "done";
}

std::filesystem::path md_folder(const Context& context, const Json& model, const Point& point) {
  Json inputs = inputs_of(context, model, point, 0);
  inputs.erase("production_ps");  // a longer run goes on
  inputs.erase("transport");      // only looks
  return context.folder("md/" + point.name(), inputs);
}

Json simulate(const Context& context, const Json& model, const Point& point, double production_ps,
              Potential& potential, const std::function<void()>& tick) {
  return context.once("md", point.name(), inputs_of(context, model, point, production_ps),
                      [&] { return run_md(context, point, production_ps, potential, model, tick); });
}

}  // namespace solion::study
