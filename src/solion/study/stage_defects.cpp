// The structures' cells relaxed: formation and binding energies of every distinct placement.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/base/threads.hpp"
#include "solion/defects/formation.hpp"
#include "solion/io/formats.hpp"
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

Json relax_placement(Potential& potential, const DefectCell& cell, const std::string& rule,
                     const defects::Reference& perfect, const std::vector<defects::Reference>& compounds) {
  Json result{{"rule", rule}, {"distance_A", cell.sum_of_distances_A}, {"degeneracy", cell.degeneracy}};
  try {
    const defects::Formation f = defects::formation(potential, cell.frame, perfect, compounds, {});
    result["formula"] = f.formula;
    result["excess_eV"] = f.excess_eV;
    result["formation_eV"] = json_number(f.formation_eV);
    result["relaxation_eV"] = f.energy_eV - f.unrelaxed_eV;
    result["steps"] = f.relaxed.steps;
  } catch (const WorkError& error) {
    result["failed"] = error.what();
  }
  return result;
}

/// What the placements of one reaction say together.
Json summarised(const std::string& structure, std::vector<Json> placements, bool all_distinct,
                double temperature_K) {
  Json result{{"name", structure}, {"all_distinct", all_distinct}, {"placements", placements}};
  std::erase_if(placements, [](const Json& p) { return p.contains("failed"); });
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

Json relax_all(const Context& context, const Json& model) {
  const Config& config = context.config;
  const Crystal crystal = crystal_of(config);
  // Energies are compared to meV: double precision.
  const auto potential = open_model(context, model, "double");
  const relax::RelaxOptions options;
  const defects::Reference perfect = defects::relax_reference(*potential, crystal.frame, options);
  std::vector<defects::Reference> compounds;
  Json compounds_json = Json::array();
  compounds.reserve(config.defects.compounds.size());
  for (const auto& file : config.defects.compounds) {
    compounds.push_back(defects::relax_reference(*potential, io::read_frame(file), options));
    compounds_json.push_back({{"file", file.filename().string()},
                              {"formula", compounds.back().frame.formula()},
                              {"eV_per_formula_unit", compounds.back().energy_eV / compounds.back().units}});
  }
  struct Task {
    std::size_t structure, placement;
  };
  std::vector<Placements> all;
  std::vector<std::vector<Json>> results;
  std::vector<std::string> names;
  std::vector<Task> tasks;
  for (const std::string& structure : reactions_of(config, crystal)) {
    if (structure == "perfect") continue;
    all.push_back(placements_of(config, crystal, structure));
    results.emplace_back(all.back().cells.size());
    for (std::size_t k = 0; k < all.back().cells.size(); ++k) tasks.push_back({names.size(), k});
    names.push_back(structure);
  }
  parallel_dynamic(tasks.size(), context.options.threads, [&](std::size_t i, int) {
    const auto [s, p] = tasks[i];
    results[s][p] =
        relax_placement(*potential->clone(), all[s].cells[p], all[s].rules[p], perfect, compounds);
  });
  Json structures = Json::array();
  for (std::size_t s = 0; s < names.size(); ++s)
    structures.push_back(summarised(names[s], results[s], all[s].all_distinct, config.defects.temperature_K));
  return {{"perfect",
           {{"eV_per_formula_unit", perfect.energy_eV / perfect.units},
            {"a_A", std::cbrt(perfect.frame.cell->volume())}}},
          {"compounds", compounds_json},
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
  return context.once("defects", "formation energies", inputs, [&] { return relax_all(context, model); });
}

}  // namespace solion::study
