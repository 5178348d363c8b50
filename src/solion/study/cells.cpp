// Cells by name, and the settings of their dynamics.
#include "solion/study/cells.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/catalog/crystal.hpp"
#include "solion/catalog/open.hpp"

namespace solion::study {

std::int64_t steps_of(double ps, double timestep_fs) {
  return std::max<std::int64_t>(1, std::llround(ps * 1000 / timestep_fs));
}

std::unique_ptr<Potential> open_model(const Context& context, const Json& model) {
  return open_model(context, model, context.config.md.precision);
}

std::unique_ptr<Potential> open_model(const Context& context, const Json& model,
                                      const std::string& precision) {
  OpenOptions options;
  options.precision = precision;
  return open_potential((context.options.run_dir / model["model"].get<std::string>()).string(), options);
}

Crystal crystal_of(const Config& config) { return open_crystal(config.md.crystal, config.md.reactions); }

Frame build_cell(const Config& config, const std::string& structure) {
  const MdConfig& md = config.md;
  const Crystal crystal = crystal_of(config);
  DefectOptions options;
  options.placement = parse_placement(md.placement);
  options.count = md.count;
  options.seed = config.seed;
  return build_defect_cells(crystal, diagonal(md.supercell), crystal.chemistry.reaction(structure), options)
      .front()
      .frame;
}

md::Settings settings_at(const Config& config, double temperature_K, md::Ensemble ensemble,
                         double equilibration_ps, double ps) {
  const MdConfig& m = config.md;
  md::Settings s;
  s.ensemble = ensemble;
  s.thermostat = md::Thermostat::nose_hoover;
  s.barostat = ensemble == md::Ensemble::npt ? md::Barostat::isotropic : md::Barostat::none;
  s.timestep_fs = m.timestep_fs;
  s.seed = config.seed;
  s.equilibration_steps = steps_of(equilibration_ps, m.timestep_fs);
  s.stages = {{steps_of(ps, m.timestep_fs), temperature_K, temperature_K}};
  s.pressure_bar = m.pressure_bar;
  return s;
}

}  // namespace solion::study
