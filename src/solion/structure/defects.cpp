// Frames from placements, with their provenance.
#include "solion/structure/defects.hpp"

#include <array>
#include <utility>

#include "solion/base/errors.hpp"
#include "solion/structure/placement.hpp"

namespace solion {
namespace {

constexpr std::array<std::pair<const char*, Placement>, 4> placements{{{"nearest", Placement::nearest},
                                                                       {"farthest", Placement::farthest},
                                                                       {"random", Placement::random},
                                                                       {"all", Placement::all}}};

/// The supercell with the configuration's defects in it.
DefectCell make_cell(const Frame& perfect, const PlacementProblem& problem,
                     const Configuration& configuration) {
  const SiteLattice& lattice = problem.lattice();
  DefectCell result;
  Frame& frame = result.frame;
  frame = perfect;
  std::vector<bool> keep(perfect.n_atoms(), true);
  for (const TakenSite& taken : configuration) {
    const DefectTerm& term = problem.reaction().terms[static_cast<std::size_t>(taken.term)];
    PlacedDefect defect{term.text(), taken.reaction, lattice.position(taken.site), term.occupant, -1};
    if (term.is_interstitial()) {
      frame.add_atom(term.occupant, defect.position);
      keep.push_back(true);
    } else {
      defect.atom = taken.site;
      const auto atom = static_cast<std::size_t>(taken.site);
      if (term.is_vacancy()) {
        keep[atom] = false;
      } else {
        frame.types[atom] = frame.type_map.find_or_add(term.occupant);
      }
    }
    result.defects.push_back(std::move(defect));
  }
  std::size_t n = 0;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (!keep[i]) continue;
    frame.types[n] = frame.types[i];
    frame.positions[n] = frame.positions[i];
    ++n;
  }
  frame.types.resize(n);
  frame.positions.resize(n);
  result.sum_of_distances_A = problem.sum_of_distances(configuration);
  return result;
}

/// "V_Li'@12 V_Cl*@4 Li_i*": each defect with the atom (from 1) of the perfect supercell.
std::string describe_defects(const DefectCell& cell) {
  std::string text;
  for (const PlacedDefect& defect : cell.defects) {
    if (!text.empty()) text += " ";
    text += defect.term;
    if (defect.atom >= 0) text += fmt::format("@{}", defect.atom + 1);
  }
  return text;
}

void add_provenance(DefectCell& cell, const Crystal& crystal, const IntMat3& supercell,
                    const Reaction& reaction, const DefectOptions& options) {
  auto& info = cell.frame.info;
  info["crystal"] = crystal.name;
  info["supercell"] = describe_supercell(supercell);
  info["reaction"] = reaction.name;
  info["reaction_text"] = reaction.text();
  info["count"] = std::to_string(options.count);
  info["placement"] = to_string(options.placement);
  info["seed"] = std::to_string(options.seed);
  info["degeneracy"] = std::to_string(cell.degeneracy);
  info["formula"] = cell.frame.formula();
  info["defects"] = describe_defects(cell);
  if (const int charge = options.count * net_charge_e(reaction); charge != 0)
    info["net_charge_e"] = std::to_string(charge);
  if (cell.proven) return;
  info["placement_proven"] = "false";
  info["sum_of_distances_A"] = fmt::format("{:.4f}", cell.sum_of_distances_A);
  info["sum_of_distances_bound_A"] = fmt::format("{:.4f}", cell.sum_bound_A);
}

std::vector<InterstitialSite> needed_voids(const Crystal& crystal, const Symmetry& symmetry,
                                           const Reaction& reaction, const DefectOptions& options) {
  int most = 0;
  for (const DefectTerm& term : reaction.terms) {
    if (term.is_interstitial()) most = std::max(most, term.interstitial_rank() + 1);
  }
  if (most == 0) return {};
  std::vector<InterstitialSite> sites = find_interstitials(crystal.frame, symmetry, options.interstitials);
  if (static_cast<int>(sites.size()) < most) {
    throw InputError(
        "reaction '{}' ({}) uses the interstitial site i{}; {} has {} of a radius from {} to {} Å",
        reaction.name, reaction.text(), most, crystal.name, sites.size(), options.interstitials.min_radius_A,
        options.interstitials.max_radius_A);
  }
  sites.resize(static_cast<std::size_t>(most));
  return sites;
}

std::vector<DefectCell> place(const Frame& perfect, const PlacementProblem& problem,
                              const DefectOptions& options) {
  std::vector<DefectCell> cells;
  if (options.placement == Placement::all) {
    for (const SymmetryClass& c : distinct_configurations(problem, options.max_configurations)) {
      cells.push_back(make_cell(perfect, problem, c.configuration));
      cells.back().degeneracy = c.degeneracy;
    }
    if (cells.empty()) {
      throw InputError("reaction '{}': no placement of {} keeps the minimum separation of {} Å",
                       problem.reaction().name, options.count, options.min_separation_A);
    }
    return cells;
  }
  const bool farthest = options.placement == Placement::farthest;
  const SearchResult found = options.placement == Placement::random
                                 ? SearchResult{random_configuration(problem, options.seed), true, 0}
                                 : extreme_configuration(problem, farthest, options.search_nodes);
  cells.push_back(make_cell(perfect, problem, found.configuration));
  cells.back().degeneracy = problem.degeneracy(found.configuration);
  cells.back().proven = found.proven;
  cells.back().sum_bound_A = found.proven ? cells.back().sum_of_distances_A : found.bound_A;
  return cells;
}

}  // namespace

Placement parse_placement(const std::string& name) {
  for (const auto& [text, placement] : placements) {
    if (name == text) return placement;
  }
  throw InputError("placement '{}'; expected nearest, farthest, random or all", name);
}

std::string to_string(Placement placement) {
  for (const auto& [text, value] : placements) {
    if (value == placement) return text;
  }
  throw InputError("placement number {} does not exist", static_cast<int>(placement));
}

std::vector<DefectCell> build_defect_cells(const Crystal& crystal, const IntMat3& matrix,
                                           const Reaction& reaction, const DefectOptions& options) {
  if (options.count < 1) throw InputError("count {}; expected at least 1 reaction", options.count);
  if (!(options.min_separation_A >= 0))
    throw InputError("minimum separation {} Å; expected a length", options.min_separation_A);
  check_reaction(reaction, crystal.frame, crystal.chemistry, options.charged);
  const Symmetry symmetry = find_symmetry(crystal.frame, options.symmetry_tolerance_A);
  const SiteLattice lattice(crystal.frame, symmetry, needed_voids(crystal, symmetry, reaction, options),
                            matrix);
  const PlacementProblem problem(lattice, reaction, options.count, options.min_separation_A);
  Frame perfect = supercell(crystal.frame, matrix);
  perfect.info.clear();
  std::vector<DefectCell> cells = place(perfect, problem, options);
  for (DefectCell& cell : cells) add_provenance(cell, crystal, matrix, reaction, options);
  return cells;
}

}  // namespace solion
