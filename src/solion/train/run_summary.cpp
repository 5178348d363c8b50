// A finished run in words and numbers.
#include <nlohmann/json.hpp>

#include "solion/base/input.hpp"
#include "solion/base/log.hpp"
#include "solion/train/trainer.hpp"

namespace solion::train {

void warn_of_growth(const std::vector<CurvePoint>& curve, bool forces, const std::string& name) {
  if (curve.size() < 2) return;
  const CurvePoint &first = curve.front(), &last = curve.back();
  const double before = forces ? first.rmse_f_trn : first.rmse_e_trn;
  const double after = forces ? last.rmse_f_trn : last.rmse_e_trn;
  if (!(after > 2 * before)) return;
  log().warn(
      "{}: the {} error of a batch was {:.2g} {} at step {} and is {:.2g} at step {}: the training has "
      "diverged; lower learning_rate/start_lr or look for wrong labels",
      name, forces ? "force" : "energy", before, forces ? "eV/Å" : "eV/atom", first.step, after, last.step);
}

Json to_json(const RunSummary& summary) {
  Json curve = Json::array();
  for (const CurvePoint& p : summary.curve) {
    curve.push_back({{"step", p.step},
                     {"rmse_val", json_number(p.rmse_val)},
                     {"rmse_trn", json_number(p.rmse_trn)},
                     {"energy_rmse_val_eV_per_atom", json_number(p.rmse_e_val)},
                     {"energy_rmse_trn_eV_per_atom", json_number(p.rmse_e_trn)},
                     {"force_rmse_val_eV_per_A", json_number(p.rmse_f_val)},
                     {"force_rmse_trn_eV_per_A", json_number(p.rmse_f_trn)},
                     {"virial_rmse_val_eV_per_atom", json_number(p.rmse_v_val)},
                     {"virial_rmse_trn_eV_per_atom", json_number(p.rmse_v_trn)},
                     {"learning_rate", p.learning_rate}});
  }
  Json validation;  // null where there is none
  if (summary.validation)
    validation = {{"n_frames", summary.validation->n_frames},
                  {"energy_rmse_eV_per_atom", json_number(summary.validation->energy)},
                  {"force_rmse_eV_per_A", json_number(summary.validation->force)},
                  {"virial_rmse_eV_per_atom", json_number(summary.validation->virial)}};
  return {{"steps", summary.steps},
          {"first_step", summary.first_step},
          {"n_parameters", summary.n_parameters},
          {"n_training_frames", summary.n_training_frames},
          {"n_validation_frames", summary.n_validation_frames},
          {"processes", summary.processes},
          {"ms_per_step", summary.ms_per_step},
          {"seconds", summary.seconds},
          {"model", summary.model.string()},
          {"validation", validation},
          {"curve", curve}};
}

}  // namespace solion::train
