// How well a run without a thermostat keeps its energy.
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/study/cells.hpp"
#include "solion/study/check_parts.hpp"

namespace solion::study {
namespace {

Frame start_of(const ConservationConfig& c, std::uint64_t seed) {
  const Crystal crystal = open_crystal(c.crystal, c.reactions);
  DefectOptions options;
  options.seed = seed;
  return build_defect_cells(crystal, diagonal(c.supercell), crystal.chemistry.reaction(c.structure), options)
      .front()
      .frame;
}

md::Settings settings_of(const ConservationConfig& c, std::uint64_t seed) {
  md::Settings s;
  s.ensemble = md::Ensemble::nve;
  s.timestep_fs = c.timestep_fs;
  s.seed = seed;
  s.equilibration_steps = steps_of(c.equilibration_ps, c.timestep_fs);
  s.stages = {{steps_of(c.ps, c.timestep_fs), c.temperature_K, c.temperature_K}};
  return s;
}

}  // namespace

Frame rehearse_conservation(const ConservationConfig& config, std::uint64_t seed) {
  settings_of(config, seed).check();
  return start_of(config, seed);
}

Json check_conservation(const Context& context, const Json& model, Verdicts& verdicts) {
  const ConservationConfig& c = context.config.checks.conservation;
  const std::uint64_t seed = context.config.seed;
  const Frame start = start_of(c, seed);
  const md::Settings settings = settings_of(c, seed);
  const Json inputs{{"model", model["hash"]},
                    {"start", start.formula()},
                    {"crystal", crystal_key(open_crystal(c.crystal, c.reactions), {c.structure})},
                    {"supercell", c.supercell},
                    {"structure", c.structure},
                    {"settings", md::fingerprint(settings, {})},
                    {"precision", c.precision}};
  Json result = context.once("check", "conservation", inputs, [&] {
    const auto potential = open_model(context, model, c.precision);
    md::Outputs outputs;
    const std::filesystem::path folder = context.folder("conservation", inputs);
    outputs.log = folder / "nve.log";
    outputs.restart = folder / "nve.restart";
    md::RunOptions options;
    options.potential_identity = model["hash"];
    options.progress = "without a thermostat";
    const md::Summary run = md::run(settings, outputs, start, *potential, options);
    return Json{{"formula", run.formula},
                {"ps", c.ps},
                {"mean_temperature_K", run.averages.temperature_K.mean},
                {"drift_meV_per_atom",
                 json_number(1000 * run.averages.drift_eV_per_ps() * c.ps / static_cast<double>(run.atoms))}};
  });
  verdicts.add("drift of the energy without a thermostat", result["drift_meV_per_atom"], c.drift_meV_per_atom,
               "meV/atom", false,
               fmt::format("{} at {:.0f} K, {:g} ps", result["formula"].get<std::string>(),
                           result["mean_temperature_K"].get<double>(), c.ps));
  return result;
}

}  // namespace solion::study
