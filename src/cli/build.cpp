// solion build: a crystal, a supercell and a defect reaction → frames.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/numbers.hpp"
#include "cli/supercell.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/gather.hpp"
#include "solion/structure/defects.hpp"
#include "solion/structure/site_lattice.hpp"

namespace solion::cli {
namespace {

struct BuildArguments {
  std::string crystal;
  std::vector<int> supercell{1, 1, 1};
  std::string reaction = "perfect";
  std::string reactions_file;
  std::string placement = "nearest";
  std::optional<double> lattice_A;
  DefectOptions options;
  std::string output;
  std::string json;
  bool list = false;
};

Crystal prepare_crystal(const BuildArguments& arguments) {
  Crystal crystal = open_crystal(arguments.crystal, arguments.reactions_file);
  if (!arguments.lattice_A) return crystal;
  set_lattice_constant(crystal.frame, *arguments.lattice_A);
  // A structure file of such a density is refused as well: nm taken for Å, or the length of a supercell.
  const double each = crystal.frame.cell->volume() / static_cast<double>(crystal.frame.n_atoms());
  if (!(each >= io::least_volume_per_atom_A3 && each <= io::largest_volume_per_atom_A3))
    throw InputError("--lattice-A {}: {:.4g} Å³ of cell per atom of {}; expected {} to {} Å³",
                     *arguments.lattice_A, each, crystal.frame.formula(), io::least_volume_per_atom_A3,
                     io::largest_volume_per_atom_A3);
  return crystal;
}

/// For CLI11: what is wrong with the name, nothing if it is known.
std::string placement_problem(const std::string& name) {
  try {
    (void)parse_placement(name);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string place_in_cell(const Frame& frame, const Vec3& position) {
  Vec3 f = frame.cell->to_fractional(position);
  for (double& x : f) x = std::abs(x) < 5e-5 ? 0 : x;  // no -0.0000
  return fmt::format("({:.4f}, {:.4f}, {:.4f})", f[0], f[1], f[2]);
}

/// Sites of an element that has several kinds, as reactions name them.
void list_site_classes(const Frame& frame, const Symmetry& symmetry) {
  const std::vector<int> classes = site_classes(frame, symmetry);
  std::map<std::pair<int, int>, std::vector<std::size_t>> members;  // by type and class
  std::map<int, int> kinds;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    members[{frame.types[i], classes[i]}].push_back(i);
    kinds[frame.types[i]] = std::max(kinds[frame.types[i]], classes[i]);
  }
  for (const auto& [kind, atoms] : members) {
    if (kinds[kind.first] < 2) continue;
    fmt::print("  site {}{}: {} in the cell, first at {}, Wyckoff letter {}\n",
               frame.type_map.name(kind.first), kind.second, atoms.size(),
               place_in_cell(frame, frame.positions[atoms.front()]), symmetry.wyckoff[atoms.front()]);
  }
}

void list_crystal(const Crystal& crystal, bool with_voids, double tolerance_A) {
  fmt::print("{:10} {}, a = {:.4g} Å\n", crystal.name, crystal.summary, crystal.frame.cell->vector(0).norm());
  for (const auto& entry : crystal.chemistry.reactions) {
    const Reaction reaction = crystal.chemistry.reaction(entry.first);
    std::string outcome;
    try {
      check_reaction(reaction, crystal.frame, crystal.chemistry);
      outcome = composition_formula(crystal.frame, reaction);
    } catch (const InputError& error) {
      outcome = fmt::format("not possible: {}", error.what());
    }
    fmt::print("  {:8} {:50} {}\n", entry.first, reaction.text(), outcome);
  }
  if (!with_voids) return;
  const Symmetry symmetry = find_symmetry(crystal.frame, tolerance_A);
  fmt::print("  space group {} ({}), {} operations\n", symmetry.symbol, symmetry.space_group,
             symmetry.operations.size());
  list_site_classes(crystal.frame, symmetry);
  int rank = 0;
  for (const InterstitialSite& site : find_interstitials(crystal.frame, symmetry)) {
    fmt::print("  site i{}: {} in the cell, first at {}, {:.3f} Å to {}\n", ++rank, site.positions.size(),
               place_in_cell(crystal.frame, site.positions.front()), site.radius_A, site.surroundings);
  }
}

void list_known(const BuildArguments& arguments) {
  if (!arguments.crystal.empty()) {
    list_crystal(prepare_crystal(arguments), true, arguments.options.symmetry_tolerance_A);
    return;
  }
  for (const std::string& name : known_crystals()) list_crystal(known_crystal(name), false, 1e-3);
}

Json to_json(const DefectCell& cell) {
  Json defects = Json::array();
  for (const PlacedDefect& defect : cell.defects) {
    Json entry{{"term", defect.term},
               {"reaction", defect.reaction + 1},
               {"position_A", {defect.position[0], defect.position[1], defect.position[2]}}};
    if (defect.atom >= 0) entry["atom"] = defect.atom + 1;
    defects.push_back(entry);
  }
  return {{"formula", cell.frame.formula()},
          {"atoms", cell.frame.n_atoms()},
          {"degeneracy", cell.degeneracy},
          {"sum_of_distances_A", cell.sum_of_distances_A},
          {"proven", cell.proven},
          {"sum_of_distances_bound_A", cell.proven ? cell.sum_of_distances_A : cell.sum_bound_A},
          {"defects", defects}};
}

void print_cells(const std::vector<DefectCell>& cells) {
  constexpr std::size_t most = 20;
  for (std::size_t i = 0; i < cells.size() && i < most; ++i) {
    const DefectCell& cell = cells[i];
    fmt::print("{:5} {}: degeneracy {}, sum of distances {:.3f} Å{}\n", i + 1, cell.frame.formula(),
               cell.degeneracy, cell.sum_of_distances_A,
               cell.proven ? ""
                           : fmt::format(" (best found; the search was cut, and none is beyond {:.3f} Å)",
                                         cell.sum_bound_A));
  }
  if (cells.size() > most) fmt::print("  … and {} more\n", cells.size() - most);
}

std::vector<DefectCell> build_cells(const Crystal& crystal, const IntMat3& matrix, const Reaction& reaction,
                                    const DefectOptions& options) {
  try {
    return build_defect_cells(crystal, matrix, reaction, options);
  } catch (const InputError& error) {
    if (options.charged || net_charge_e(reaction) == 0) throw;
    throw InputError("{} (--charged builds one defect of a neutral reaction alone)", error.what());
  }
}

void run_build(const BuildArguments& arguments) {
  if (arguments.list) return list_known(arguments);
  if (arguments.crystal.empty())
    throw InputError("--crystal is missing: a name (see --list) or a structure file");
  if (arguments.output.empty()) throw InputError("-o is missing: the file to write");
  io::require_writable(arguments.output, 1);
  require_folder_of(arguments.json);
  const Crystal crystal = prepare_crystal(arguments);
  const IntMat3 matrix = supercell_matrix(arguments.supercell);
  const Reaction reaction = crystal.chemistry.reaction(arguments.reaction);
  DefectOptions options = arguments.options;
  options.placement = parse_placement(arguments.placement);
  const std::vector<DefectCell> cells = build_cells(crystal, matrix, reaction, options);
  io::require_writable(arguments.output, cells.size());

  std::vector<Frame> frames;
  std::size_t total = 0;
  Json list = Json::array();
  frames.reserve(cells.size());
  for (const DefectCell& cell : cells) {
    frames.push_back(cell.frame);
    total += cell.degeneracy;
    list.push_back(to_json(cell));
  }
  io::write_frames_or_systems(arguments.output, std::move(frames));

  const std::string composition = composition_formula(crystal.frame, reaction);
  fmt::print("{}: {}, supercell {}, {} × ({}), {}\n", crystal.name, crystal.summary,
             describe_supercell(matrix), options.count, reaction.text(), composition);
  print_cells(cells);
  const std::string number = options.placement == Placement::all
                                 ? fmt::format("{} of {} configurations", cells.size(), total)
                                 : fmt::format("1 of {} equivalent configurations", total);
  fmt::print("{}, placement {} → {}\n", number, to_string(options.placement), arguments.output);
  const int net_charge = options.count * net_charge_e(reaction);
  if (net_charge != 0)
    fmt::print("net charge of the cell {:+} e (docs/theory/defects.md, section 2)\n", net_charge);
  if (arguments.json.empty()) return;
  write_json(arguments.json, {{"crystal", crystal.name},
                              {"supercell", describe_supercell(matrix)},
                              {"reaction", reaction.name},
                              {"reaction_text", reaction.text()},
                              {"composition", composition},
                              {"count", options.count},
                              {"placement", to_string(options.placement)},
                              {"seed", options.seed},
                              {"net_charge_e", net_charge},
                              {"total_degeneracy", total},
                              {"cells", list}});
}

}  // namespace

std::function<void()> setup_build(CLI::App& app) {
  auto a = std::make_shared<BuildArguments>();
  app.add_option("--crystal", a->crystal,
                 "a crystal by name (see --list), a .toml crystal or a structure file");
  app.add_option("--supercell", a->supercell, "3 whole numbers, or 9: the rows of a matrix (default 1 1 1)");
  app.add_option("--reaction", a->reaction,
                 "a reaction by name, or in Kröger–Vink notation (default perfect)");
  app.add_option(
      "--reactions", a->reactions_file,
      "a TOML file with [oxidation_states] and [reactions]; needed for crystals from a structure file");
  app.add_option("--count", a->options.count, "reactions in the cell (default 1)")->check(more_than_0);
  app.add_option("--placement", a->placement, "nearest, farthest, random or all (default nearest)")
      ->check(placement_problem);
  app.add_option("--seed", a->options.seed, "of random placements (default 0)")->check(zero_or_more);
  app.add_flag("--charged", a->options.charged,
               "take a reaction whose effective charges do not sum to 0, such as V_Li' alone");
  app.add_option("--lattice-A", a->lattice_A, "scale the crystal so that |a| is this, in Å")
      ->check(more_than_0);
  app.add_option(
         "--min-separation-A", a->options.min_separation_A,
         "least distance of interstitials from each other and from vacancies they would fill (default 2.5 Å)")
      ->check(zero_or_more);
  app.add_option("--symmetry-tolerance-A", a->options.symmetry_tolerance_A,
                 "how far equivalent atoms may be off, in Å (default 0.001)")
      ->check(more_than_0);
  app.add_option("--max-configurations", a->options.max_configurations,
                 "the most classes that --placement all makes (default 100000)")
      ->check(more_than_0);
  app.add_option("-o,--output", a->output, "the file to write; its name tells the format (.xyz, POSCAR, …)");
  app.add_option("--json", a->json, "write the numbers that are printed to this file");
  app.add_flag("--list", a->list, "list the known crystals and their reactions; of --crystal also its voids");
  return [a] { run_build(*a); };
}

}  // namespace solion::cli
