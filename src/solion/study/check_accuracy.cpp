// Errors within a structure, by temperature and by coordination, and the bars on them.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/defects/formation.hpp"
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

/// Errors of the energy (eV/atom) about their mean over the frames of one structure and one composition. A
/// frame that is alone has none.
class WithinStructures {
 public:
  void add(const std::string& structure, const Frame& frame, const Comparison& c) {
    if (!c.has_energy) return;
    errors_[{structure, defects::composition(frame)}].push_back((c.energy - c.energy_label) /
                                                                static_cast<double>(c.n_atoms));
  }

  [[nodiscard]] Json json() const {
    std::size_t n = 0, alone = 0;
    double squares = 0;
    for (const auto& [group, errors] : errors_) {
      if (errors.size() < 2) {
        ++alone;
        continue;
      }
      n += errors.size();
      const double mean =
          std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
      for (const double e : errors) squares += (e - mean) * (e - mean);
    }
    return {{"energy_rmse_within_structure_eV_per_atom",
             json_number(std::sqrt(squares / static_cast<double>(n)))},
            {"frames_within_structures", n},
            {"frames_alone", alone}};
  }

 private:
  std::map<std::pair<std::string, std::map<std::string, int>>, std::vector<double>> errors_;
};

/// Force errors of the centres, by whether they have all their ligands; and of all other atoms.
class ByCoordination {
 public:
  explicit ByCoordination(const AccuracyConfig& config) : config_(config) {}

  void add(const Frame& frame, const Comparison& comparison) {
    const int centre = frame.type_map.find(config_.centre), ligand = frame.type_map.find(config_.ligand);
    near_.build(frame, config_.cutoff_A, 0);
    for (std::size_t i = 0; i < comparison.forces.size(); ++i) {
      Errors& errors =
          frame.types[i] == centre ? errors_[count(frame, i, ligand) >= config_.full ? 0 : 1] : errors_[2];
      for (int k = 0; k < 3; ++k) errors.add(comparison.forces_label[i][k], comparison.forces[i][k]);
    }
  }

  [[nodiscard]] Json json() const {
    if (errors_[0].n() + errors_[1].n() == 0 || n_ligands_ == 0)
      throw InputError("accuracy.coordination: no frame that judges the model has {} with a {} within {:g} Å",
                       config_.centre, config_.ligand, config_.cutoff_A);
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
  int count(const Frame& frame, std::size_t i, int ligand) {
    const int n = ligands(frame, i, ligand);
    n_ligands_ += static_cast<std::size_t>(n);
    return n;
  }

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
  std::size_t n_ligands_ = 0;
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

/// Over which frames the error within a structure was taken, where some were left out.
std::string note_of(const std::string& key, const Json& accuracy) {
  const auto alone = accuracy.value("frames_alone", std::size_t{0});
  if (key != "energy_within_structure_meV_per_atom" || alone == 0) return {};
  return fmt::format("{} frames; {} left out, each the only one of its structure and composition",
                     accuracy["frames_within_structures"].get<std::size_t>(), alone);
}

Json grouped(const Context& context, const Json& data, const Json& model) {
  const AccuracyConfig& config = context.config.checks.accuracy;
  const auto potential = open_model(context, model, "double");
  std::map<double, Accuracy> by_temperature;
  ByCoordination by_coordination(config);
  WithinStructures within;
  for (const Json& path : data["validation"]) {
    const auto frames = io::read_frames(context.options.run_dir / path.get<std::string>());
    const auto compared = train::compare(*potential, frames, context.options.threads);
    const Json temperatures = data["temperatures_K"].value(path.get<std::string>(), Json::array());
    for (std::size_t f = 0; f < frames.size(); ++f) {
      within.add(structure_of_path(path), frames[f], compared[f]);
      if (f < temperatures.size() && temperatures[f].is_number())
        by_temperature[temperatures[f].get<double>()].add(compared[f]);
      if (config.cutoff_A > 0) by_coordination.add(frames[f], compared[f]);
    }
  }
  Json result = within.json();
  result["temperatures"] = Json::array();
  result["coordination"] = config.cutoff_A > 0 ? by_coordination.json() : Json::array();
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
      verdicts.add(bar.words, measured(bar.key, validation, accuracy), found->second, bar.unit, bar.at_least,
                   note_of(bar.key, accuracy));
  }
  return accuracy;
}

}  // namespace solion::study
