// The checks of a model, one function each; what they find is held against the bars of the study file.
#pragma once

#include <string>

#include "solion/study/stages.hpp"

namespace solion::study {

/// Numbers held against their bars.
class Verdicts {
 public:
  /// `value` null: there is no such number, and the bar is missed. Otherwise it is met by |value| ≤ bar, or,
  /// with `at_least`, by value ≥ bar.
  void add(const std::string& what, const Json& value, double bar, const std::string& unit,
           bool at_least = false, const std::string& note = "");
  [[nodiscard]] Json json() const { return list_; }
  [[nodiscard]] bool all_met() const;

 private:
  Json list_ = Json::array();
};

/// {"energy_rmse_within_structure_eV_per_atom": about the mean error of each structure and composition,
/// "frames_within_structures", "frames_alone": left out as the only one of its kind, "temperatures":
/// [{temperature_K, errors}], "coordination":
/// [{name, atoms, force_rmse_eV_per_A}]}
Json check_accuracy(const Context& context, const Json& data, const Json& model, const Json& validation,
                    Verdicts& verdicts);
/// {"equation_of_state", "paths", "formation"}: what the labels say and what the model says.
Json check_direct(const Context& context, const Json& model, Verdicts& verdicts);
/// Whether all frames that `check_direct` needs are there, with their energies. InputError.
void rehearse_direct(const DirectConfig& config);
/// The cell that is to move without a thermostat, once its settings hold. InputError.
Frame rehearse_conservation(const ConservationConfig& config, std::uint64_t seed);
/// {"drift_meV_per_atom", "ps", "mean_temperature_K", …}
Json check_conservation(const Context& context, const Json& model, Verdicts& verdicts);

}  // namespace solion::study
