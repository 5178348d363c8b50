// Errors within a structure, by temperature and by coordination, and the bars on them.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/structure/neighborhood.hpp"
#include "solion/study/cells.hpp"
#include "solion/study/check_parts.hpp"
#include "solion/train/accuracy.hpp"

namespace solion::study {
namespace {

using train::Accuracy;
using train::Comparison;
using train::Errors;

/// Σ over frames of (energy error − its mean over the structure)², eV²/atom².
double squares_within(const std::vector<Comparison>& frames) {
  std::vector<double> errors;
  double mean = 0;
  for (const Comparison& f : frames) {
    if (!f.has_energy) continue;
    errors.push_back((f.energy - f.energy_label) / static_cast<double>(f.n_atoms));
    mean += errors.back();
  }
  mean /= static_cast<double>(std::max<std::size_t>(1, errors.size()));
  double sum = 0;
  for (const double e : errors) sum += (e - mean) * (e - mean);
  return sum;
}

/// Force errors of the centres, by whether they have all their ligands; and of all other atoms.
class ByCoordination {
 public:
  explicit ByCoordination(const AccuracyConfig& config) : config_(config) {}

  void add(const Frame& frame, const Comparison& comparison) {
    const int centre = frame.type_map.find(config_.centre), ligand = frame.type_map.find(config_.ligand);
    near_.build(frame, config_.cutoff_A, 0);
    for (std::size_t i = 0; i < comparison.forces.size(); ++i) {
      Errors& errors =
          frame.types[i] == centre ? errors_[ligands(frame, i, ligand) >= config_.full ? 0 : 1] : errors_[2];
      for (int k = 0; k < 3; ++k) errors.add(comparison.forces_label[i][k], comparison.forces[i][k]);
    }
  }

  [[nodiscard]] Json json() const {
    const std::array<std::string, 3> names{
        fmt::format("{} with {} {} or more", config_.centre, config_.full, config_.ligand),
        fmt::format("{} with fewer", config_.centre), "other atoms"};
    Json result = Json::array();
    for (std::size_t k = 0; k < names.size(); ++k) {
      result.push_back({{"name", names[k]},
                        {"atoms", errors_[k].n() / 3},
                        {"force_rmse_eV_per_A", json_number(errors_[k].rmse())}});
    }
    return result;
  }

 private:
  [[nodiscard]] int ligands(const Frame& frame, std::size_t i, int ligand) const {
    int n = 0;
    for (const int j : near_.neighbors(static_cast<int>(i))) {
      const bool within = (near_.position(j) - near_.position(static_cast<int>(i))).norm() < config_.cutoff_A;
      n += within && frame.types[static_cast<std::size_t>(near_.owner(j))] == ligand ? 1 : 0;
    }
    return n;
  }

  const AccuracyConfig& config_;
  Neighborhood near_;
  std::array<Errors, 3> errors_;
};

Json number_at(const Json& errors, const char* key, double factor) {
  return errors[key].is_number() ? Json(factor * errors[key].get<double>()) : Json();
}

/// What the bar of this key is held against.
Json measured(const std::string& key, const Json& validation, const Json& accuracy) {
  const Json& all = validation["validation"]["all"];
  if (key == "energy_meV_per_atom") return number_at(all, "energy_rmse_eV_per_atom", 1000);
  if (key == "force_meV_per_A") return number_at(all, "force_rmse_eV_per_A", 1000);
  if (key == "virial_meV_per_atom") return number_at(all, "virial_rmse_eV_per_atom", 1000);
  if (key == "energy_within_structure_meV_per_atom")
    return number_at(accuracy, "energy_rmse_within_structure_eV_per_atom", 1000);
  if (key == "force_of_each_structure_meV_per_A") {
    double worst = 0;
    for (const Json& s : validation["validation"]["structures"]) {
      const Json value = number_at(s["errors"], "force_rmse_eV_per_A", 1000);
      worst = std::max(worst, value.is_number() ? value.get<double>() : INFINITY);
    }
    return json_number(worst);
  }
  return number_at(all, key.c_str(), 1);
}

Json grouped(const Context& context, const Json& data, const Json& model) {
  const AccuracyConfig& config = context.config.checks.accuracy;
  const auto potential = open_model(context, model, "double");
  std::map<double, Accuracy> by_temperature;
  ByCoordination by_coordination(config);
  double within = 0;
  std::size_t n = 0;
  for (const Json& path : data["validation"]) {
    const auto frames = io::read_frames(context.options.run_dir / path.get<std::string>());
    const auto compared = train::compare(*potential, frames, context.options.threads);
    within += squares_within(compared);
    n += compared.size();
    const Json temperatures = data["temperatures_K"].value(path.get<std::string>(), Json::array());
    for (std::size_t f = 0; f < frames.size(); ++f) {
      if (f < temperatures.size() && temperatures[f].is_number())
        by_temperature[temperatures[f].get<double>()].add(compared[f]);
      if (config.cutoff_A > 0) by_coordination.add(frames[f], compared[f]);
    }
  }
  Json result{{"energy_rmse_within_structure_eV_per_atom", std::sqrt(within / static_cast<double>(n))},
              {"temperatures", Json::array()},
              {"coordination", config.cutoff_A > 0 ? by_coordination.json() : Json::array()}};
  for (const auto& [T, accuracy] : by_temperature)
    result["temperatures"].push_back({{"temperature_K", T}, {"errors", train::to_json(accuracy)}});
  return result;
}

}  // namespace

Json check_accuracy(const Context& context, const Json& data, const Json& model, const Json& validation,
                    Verdicts& verdicts) {
  const AccuracyConfig& config = context.config.checks.accuracy;
  const Json inputs{{"data", data["hash"]},    {"validation", data["validation"]},
                    {"model", model["hash"]},  {"centre", config.centre},
                    {"ligand", config.ligand}, {"cutoff_A", config.cutoff_A},
                    {"full", config.full}};
  Json accuracy = context.once("check", "accuracy", inputs, [&] { return grouped(context, data, model); });
  for (const AccuracyBar& bar : accuracy_bars()) {
    if (const auto found = config.bars.find(bar.key); found != config.bars.end())
      verdicts.add(bar.words, measured(bar.key, validation, accuracy), found->second, bar.unit, bar.at_least);
  }
  return accuracy;
}

}  // namespace solion::study
