// Which points there are, and how long their runs may be.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "solion/gpu/lockstep.hpp"
#include "solion/study/cells.hpp"

namespace solion::study {
namespace {

constexpr double warm_up_ps = 0.02, trial_ps = 0.2;

/// What a plan depends on.
Json inputs_of(const Config& config, const Json& model) {
  const MdConfig& m = config.md;
  Json inputs{{"model", model["hash"]},
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
  // Of a plan that is measured; named only where they are not the usual ones, so that known plans stay known.
  if (config.time_budget_min > 0) {
    if (m.equilibration_ps != MdConfig{}.equilibration_ps) inputs["equilibration_ps"] = m.equilibration_ps;
    if (m.precision != MdConfig{}.precision) inputs["precision"] = m.precision;
    if (!m.supercells.empty()) inputs["supercells"] = m.supercells;
  }
  return inputs;
}

double sum(const std::vector<std::size_t>& atoms) { return std::accumulate(atoms.begin(), atoms.end(), 0.0); }

md::Summary trial(const Config& config, const Point& point, Potential& potential,
                  const md::RunOptions& options = {}) {
  const md::Settings settings =
      settings_at(config, point.temperature_K, md::Ensemble::nvt, warm_up_ps, trial_ps);
  return md::run(settings, {}, build_cell(config, point.structure), potential, options);
}

/// Wall time of a picosecond of all points, s: from one of them for `threads` at a time on the processor,
/// from all of them on a device.
double seconds_per_ps(const Context& context, const Json& model, const std::vector<Point>& all,
                      const std::vector<std::size_t>& atoms) {
  const Config& config = context.config;
  const MdConfig& m = config.md;
  const auto potential = open_mover(context, model);
  if (const auto* on_device = dynamic_cast<const gpu::DevicePotential*>(potential.get())) {
    gpu::Lockstep company(*on_device);
    md::RunOptions options;
    options.mover = company.mover();
    const auto begin = std::chrono::steady_clock::now();
    gpu::run_together(atoms, gpu::enough_atoms,
                      [&](std::size_t i) { (void)trial(config, all[i], *potential, options); });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return seconds / (warm_up_ps + trial_ps);
  }
  const double hottest = *std::ranges::max_element(m.temperatures_K);
  const double us = trial(config, {m.structures.front(), hottest}, *potential).us_per_atom_step();
  return us * 1e-6 * sum(atoms) * 1000 / m.timestep_fs / context.options.threads;
}

}  // namespace

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
  return context.once("plan", "length of the runs", inputs_of(config, model), [&]() -> Json {
    if (config.time_budget_min == 0) return {{"production_ps", m.production_ps}, {"reason", "as asked for"}};
    const std::vector<Point> all = points(m);
    const std::vector<std::size_t> atoms = atoms_of(config, all);
    const double per_ps = seconds_per_ps(context, model, all, atoms);
    const double seconds = std::max(0.0, config.time_budget_min * 60 - model["seconds"].get<double>());
    // A tenth is kept for the analysis and for points that wait for each other.
    const double fits = 0.9 * seconds / per_ps - m.npt_ps - m.equilibration_ps;
    const double length = std::clamp(fits, m.production_ps, m.production_max_ps);
    const char* reason =
        fits < m.production_ps
            ? "the least asked for; longer than the time budget"
            : (fits > m.production_max_ps ? "the most asked for" : "what the time budget allows");
    return {{"production_ps", std::floor(length * 10) / 10},
            {"us_per_atom_step", per_ps * 1e6 * m.timestep_fs / 1000 / sum(atoms)},
            {"reason", reason}};
  });
}

}  // namespace solion::study
