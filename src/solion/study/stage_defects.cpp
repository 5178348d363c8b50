// The structures' cells relaxed: formation and binding energies of every distinct placement.
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/defects/formation.hpp"
#include "solion/study/analysis.hpp"
#include "solion/study/cells.hpp"

namespace solion::study {
namespace {

/// Placements of one reaction; which rule chose each.
struct Placements {
  std::vector<DefectCell> cells;
  std::vector<std::string> rules;
  bool all_distinct = false;
};

Placements placements_of(const Config& config, const Crystal& crystal, const std::string& structure) {
  const DefectsConfig& d = config.defects;
  const IntMat3 matrix = diagonal(d.supercell);
  const Reaction reaction = crystal.chemistry.reaction(structure);
  DefectOptions options;
  options.seed = config.seed;
  Placements result;
  options.placement = Placement::all;
  options.max_configurations = static_cast<std::size_t>(d.max_placements);
  try {
    result.cells = build_defect_cells(crystal, matrix, reaction, options);
    result.rules.assign(result.cells.size(), "distinct");
    result.all_distinct = true;
    return result;
  } catch (const InputError&) {  // more than asked for: some of them
  }
  for (int k = 0; k < d.max_placements; ++k) {
    options.placement = k == 0 ? Placement::nearest : (k == 1 ? Placement::farthest : Placement::random);
    options.seed = config.seed + static_cast<std::uint64_t>(k);
    result.cells.push_back(build_defect_cells(crystal, matrix, reaction, options).front());
    result.rules.push_back(to_string(options.placement));
  }
  return result;
}

/// Goes on from what was kept. What fails starts anew the next time.
Json relax_placement(Potential& potential, const DefectCell& cell, const std::string& rule,
                     const defects::Reference& perfect, const std::vector<defects::Reference>& compounds,
                     defects::KeptRelaxations& kept) {
  Json result{{"rule", rule}, {"distance_A", cell.sum_of_distances_A}, {"degeneracy", cell.degeneracy}};
  try {
    const defects::Formation f = defects::formation(potential, cell.frame, perfect, compounds, {}, &kept);
    kept.save();
    result["formula"] = f.formula;
    result["excess_eV"] = f.excess_eV;
    result["formation_eV"] = json_number(f.formation_eV);
    result["relaxation_eV"] = f.energy_eV - f.unrelaxed_eV;
    result["steps"] = f.relaxed.steps;
    if (f.recombined) result["recombined"] = true;
    if (!defects::is_local(f)) result["moved_atoms"] = f.moved_atoms;
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception& error) {
    result["failed"] = error.what();
    kept.remove();
  }
  return result;
}

bool failed(const Json& placement) { return placement.contains("failed"); }

/// What the placements of one reaction say together. They are all distinct ones only if none failed.
Json summarised(const std::string& structure, std::vector<Json> placements, bool all_distinct,
                double temperature_K) {
  all_distinct = all_distinct && std::none_of(placements.begin(), placements.end(), failed);
  Json result{{"name", structure}, {"all_distinct", all_distinct}, {"placements", placements}};
  std::erase_if(placements, [](const Json& p) { return failed(p) || p.value("recombined", false); });
  if (placements.empty()) return result;
  const auto energy = [](const Json& p) { return p["excess_eV"].get<double>(); };
  const auto [low, high] =
      std::minmax_element(placements.begin(), placements.end(),
                          [&](const Json& a, const Json& b) { return energy(a) < energy(b); });
  // Of those at one distance the lowest.
  const auto [near, far] =
      std::minmax_element(placements.begin(), placements.end(), [&](const Json& a, const Json& b) {
        const double x = a["distance_A"], y = b["distance_A"];
        return std::abs(x - y) > 1e-3 ? x < y : false;
      });
  const auto lowest_at = [&](const Json& chosen) {
    double lowest = energy(chosen);
    for (const Json& p : placements) {
      if (std::abs(p["distance_A"].get<double>() - chosen["distance_A"].get<double>()) < 1e-3)
        lowest = std::min(lowest, energy(p));
    }
    return lowest;
  };
  result["lowest_eV"] = (*low)["formation_eV"];
  result["highest_eV"] = (*high)["formation_eV"];
  result["near_A"] = (*near)["distance_A"];
  result["far_A"] = (*far)["distance_A"];
  // One cell, one composition: the chemical potentials cancel. One distance alone tells nothing.
  if ((*far)["distance_A"].get<double>() - (*near)["distance_A"].get<double>() > 1e-3)
    result["binding_eV"] = lowest_at(*far) - lowest_at(*near);
  if (all_distinct && (*low)["formation_eV"].is_number()) {
    std::vector<double> energies, degeneracies;
    for (const Json& p : placements) {
      energies.push_back(p["formation_eV"]);
      degeneracies.push_back(p["degeneracy"]);
    }
    result["mean_eV"] = defects::boltzmann_mean_eV(energies, degeneracies, temperature_K);
  }
  return result;
}

/// Relaxations that were begun, by placement: one file each, as each thread has its own.
class Kept {
 public:
  Kept(std::filesystem::path folder, std::string model)
      : folder_(std::move(folder)), model_(std::move(model)) {}
  defects::KeptRelaxations& open(const std::string& name) {
    return *files_.emplace_back(
        std::make_unique<defects::KeptRelaxations>(folder_ / (name + ".relaxing.xyz"), model_));
  }
  void remove() {
    for (const auto& file : files_) file->remove();
  }

 private:
  std::filesystem::path folder_;
  std::string model_;
  std::vector<std::unique_ptr<defects::KeptRelaxations>> files_;
};

/// The perfect crystal and the compounds at rest.
struct Crystals {
  defects::Reference perfect;
  std::vector<defects::Reference> compounds;
  Json json = Json::array();  ///< of the compounds
};

Crystals relax_crystals(const Config& config, const Frame& perfect, Potential& potential,
                        defects::KeptRelaxations& kept) {
  try {
    const relax::RelaxOptions options;
    Crystals crystals{defects::relax_reference(potential, perfect, options, &kept), {}};
    for (const auto& file : config.defects.compounds) {
      const defects::Reference& c = crystals.compounds.emplace_back(
          defects::relax_reference(potential, open_crystal(file.string()).frame, options, &kept));
      crystals.json.push_back({{"file", file.filename().string()},
                               {"formula", c.frame.formula()},
                               {"eV_per_formula_unit", c.energy_eV / c.units}});
    }
    kept.save();
    return crystals;
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception&) {
    kept.remove();  // the next call starts anew
    throw;
  }
}

/// Placements by reaction, and what they relaxed to.
struct Work {
  std::vector<std::string> names;
  std::vector<Placements> placements;
  std::vector<std::vector<Json>> results;
};

/// Relaxes every placement of `work`, `threads` at a time.
void relax_placements(Work& work, const Crystals& crystals, const Potential& potential, Kept& kept,
                      int threads) {
  struct Task {
    std::size_t structure, placement;
    defects::KeptRelaxations* kept;
  };
  std::vector<Task> tasks;
  for (std::size_t s = 0; s < work.names.size(); ++s) {
    for (std::size_t k = 0; k < work.results[s].size(); ++k)
      tasks.push_back({s, k, &kept.open(fmt::format("{}-{}", work.names[s], k + 1))});
  }
  parallel_dynamic(tasks.size(), threads, [&](std::size_t i, int) {
    const auto [s, p, own] = tasks[i];
    work.results[s][p] =
        relax_placement(*potential.clone(), work.placements[s].cells[p], work.placements[s].rules[p],
                        crystals.perfect, crystals.compounds, *own);
  });
}

Json relax_all(const Context& context, const Json& model, const std::filesystem::path& folder) {
  const Config& config = context.config;
  const Crystal crystal = crystal_of(config);
  // Energies are compared to meV: double precision.
  const auto potential = open_model(context, model, "double");
  Kept kept(folder, model["hash"]);
  const Crystals crystals = relax_crystals(config, crystal.frame, *potential, kept.open("crystals"));
  Work work;
  for (const std::string& structure : reactions_of(config, crystal)) {
    if (structure == "perfect") continue;
    work.names.push_back(structure);
    work.placements.push_back(placements_of(config, crystal, structure));
    work.results.emplace_back(work.placements.back().cells.size());
  }
  relax_placements(work, crystals, *potential, kept, context.options.threads);
  const bool any_failed = std::any_of(work.results.begin(), work.results.end(), [](const auto& placements) {
    return std::any_of(placements.begin(), placements.end(), failed);
  });
  if (!any_failed) kept.remove();  // otherwise the next call repeats only what failed
  Json structures = Json::array();
  for (std::size_t s = 0; s < work.names.size(); ++s)
    structures.push_back(summarised(work.names[s], work.results[s], work.placements[s].all_distinct,
                                    config.defects.temperature_K));
  const defects::Reference& perfect = crystals.perfect;
  Json at_rest{{"eV_per_formula_unit", perfect.energy_eV / perfect.units},
               {"a_A", std::cbrt(perfect.frame.cell->volume())}};
  if (!is_cubic(*crystal.frame.cell)) at_rest["cell_matrix_A"] = matrix_json(perfect.frame.cell->matrix());
  return {{"perfect", at_rest},
          {"compounds", crystals.json},
          {"supercell", config.defects.supercell},
          {"temperature_K", config.defects.temperature_K},
          {"structures", structures}};
}

}  // namespace

Json relax_defects(const Context& context, const Json& model) {
  const DefectsConfig& d = context.config.defects;
  Json compounds = Json::array();
  for (const auto& file : d.compounds) compounds.push_back(sha256(read_file(file)));
  const Crystal crystal = crystal_of(context.config);
  const std::vector<std::string> reactions = reactions_of(context.config, crystal);
  const Json inputs{{"model", model["hash"]},           {"crystal", crystal_key(crystal, reactions)},
                    {"structures", reactions},          {"supercell", d.supercell},
                    {"compounds", compounds},           {"max_placements", d.max_placements},
                    {"temperature_K", d.temperature_K}, {"seed", context.config.seed}};
  const auto has_failed = [](const Json& known) {
    for (const Json& structure : known["structures"])
      for (const Json& placement : structure["placements"])
        if (failed(placement)) return true;
    return false;
  };
  return context.once_or_again(
      "defects", "formation energies", inputs,
      [&] { return relax_all(context, model, context.folder("defects", inputs)); }, has_failed);
}

}  // namespace solion::study
