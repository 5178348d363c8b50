// The cells of a study, and the model that moves them.
#pragma once

#include <memory>

#include "solion/md/run.hpp"
#include "solion/structure/defects.hpp"
#include "solion/study/stages.hpp"

namespace solion::study {

/// The crystal with the study's own reactions.
Crystal crystal_of(const Config& config);

/// The cell that molecular dynamics starts from; `structure` is "perfect" or a reaction. InputError.
Frame build_cell(const Config& config, const std::string& structure);

/// The model in the precision of `md`, or another.
std::unique_ptr<Potential> open_model(const Context& context, const Json& model);
std::unique_ptr<Potential> open_model(const Context& context, const Json& model,
                                      const std::string& precision);

std::int64_t steps_of(double ps, double timestep_fs);

/// NPT or NVT under a Nosé–Hoover chain, at one temperature.
md::Settings settings_at(const Config& config, double temperature_K, md::Ensemble ensemble,
                         double equilibration_ps, double ps);

}  // namespace solion::study
