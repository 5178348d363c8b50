// solion barriers: all symmetry-distinct vacancy hops of a crystal, or next to its defects, and their
// barriers.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/barrier_options.hpp"
#include "cli/numbers.hpp"
#include "cli/outputs.hpp"
#include "cli/supercell.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/defects/formation.hpp"
#include "solion/defects/hop_network.hpp"
#include "solion/defects/vacancy_hops.hpp"
#include "solion/io/formats.hpp"

namespace solion::cli {
namespace {

using defects::HopLattice;
using defects::VacancyHop;

struct Options {
  BarrierArguments common;
  std::string crystal, start, species, folder = "barriers";
  std::vector<int> supercell, pair;
  double within_A = 0, symmetry_tolerance_A = 1e-3;
  bool keep_cell = false, list = false;
};

/// The crystal at the cell that the potential gives it.
HopLattice prepare(Potential& potential, const Options& o, const Frame* start) {
  const Crystal crystal = open_crystal(o.crystal);
  HopLattice lattice{crystal.frame, find_symmetry(crystal.frame, o.symmetry_tolerance_A),
                     IntMat3::Identity()};
  if (start != nullptr) {
    if (!start->cell) throw InputError("{}: a defect cell needs a cell", o.start);
    lattice.matrix = defects::supercell_of(*start, crystal.frame);
    if (lattice.matrix.isZero()) throw InputError("{}: its cell is no supercell of {}", o.start, o.crystal);
  } else {
    lattice.matrix = supercell_matrix(o.supercell.empty() ? std::vector<int>{3, 3, 3} : o.supercell);
  }
  if (o.keep_cell) {
    if (start == nullptr) return lattice;
    const Cell cell(Mat3(lattice.matrix.cast<double>().inverse() * start->cell->matrix()));
    for (Vec3& r : lattice.unit.positions) r = cell.to_cartesian(crystal.frame.cell->to_fractional(r));
    lattice.unit.cell = cell;
    return lattice;
  }
  relax::RelaxOptions tight;
  tight.force_eV_per_A = tight.stress_GPa = 2e-3;
  const defects::Reference relaxed = defects::relax_reference(potential, crystal.frame, tight);
  lattice.unit.cell = relaxed.frame.cell;
  lattice.unit.positions = relaxed.frame.positions;
  fmt::print("{}: {:.6f} eV, {:.4f} Å³ a formula unit at rest\n", crystal.frame.formula(),
             relaxed.energy_eV / relaxed.units, relaxed.frame.cell->volume() / relaxed.units);
  return lattice;
}

Json hop_json(const VacancyHop& hop) {
  return {{"from_site", hop.from + 1},      {"to_site", hop.to + 1},  {"distance_A", hop.distance_A},
          {"per_vacancy", hop.per_vacancy}, {"in_cell", hop.in_cell}, {"formula", hop.initial.formula()}};
}

/// How far the hops connect the sites of the crystal.
Json network_of(const HopLattice& lattice, const Options& o, double within_A) {
  const int dimensions = defects::hop_dimensions(lattice.unit, o.species, within_A);
  const double for_three_A = defects::within_for_three_A(lattice.unit, o.species);
  fmt::print("they connect the sites in {} dimension{}{}\n", dimensions, dimensions == 1 ? "" : "s",
             dimensions == 3 ? "" : fmt::format("; --within {:.2f} connects them in 3", for_three_A));
  return {{"dimensions", dimensions}, {"within_for_three_A", for_three_A}};
}

/// The row of a hop in the table, and with its barrier the entry in JSON. False if there is no converged
/// barrier: one hop whose end is no minimum must not cost the others.
bool find_barrier(const VacancyHop& hop, const std::string& head, const std::string& title, const Options& o,
                  OpenModel& model, Json& entry) {
  const std::string file =
      (std::filesystem::path(o.folder) / fmt::format("hop-{}-{}.xyz", hop.from + 1, hop.to + 1));
  entry["path_file"] = file;
  try {
    const defects::Barrier b =
        run_barrier(*model.potential, hop.initial, hop.final_frame, o.common, model.identity, file, title);
    entry.update(barrier_json(b));
    const relax::NebResult& n = b.neb;
    fmt::print("{} {:>12.4f} {:>12.4f} {:>12.4f} {:>7}{}{}\n", head, n.forward_eV, n.backward_eV,
               n.reaction_eV, b.first_step + n.band.steps, n.band.converged ? "" : "  NOT CONVERGED",
               n.intermediate_minima > 0 ? "  (several hops: a minimum lies between)" : "");
    if (!b.ends_hold())
      fmt::print(
          "{:>4} {} of {} atoms moved by more than 1 Å as an end relaxed: the crystal itself gave way, "
          "so that it is no minimum of this potential\n",
          "", b.moved_at_ends, hop.initial.n_atoms());
    return n.band.converged;
  } catch (const WorkError& error) {
    entry["error"] = error.what();
    fmt::print("{}  {}\n", head, error.what());
    return false;
  }
}

/// One row a hop; `report` goes to the file after each, so that an interrupted run leaves what is done.
void compute(const std::vector<VacancyHop>& hops, const Options& o, OpenModel& model, Json& report) {
  if (!o.list) std::filesystem::create_directories(o.folder);
  fmt::print("{:>4} {:>12} {:>10} {:>12} {:>12} {:>12} {:>12} {:>7}\n", "hop", "sites", "length Å",
             "per vacancy", "forward eV", "backward eV", "end-start eV", "steps");
  std::size_t failed = 0;
  for (std::size_t h = 0; h < hops.size(); ++h) {
    const VacancyHop& hop = hops[h];
    Json entry = hop_json(hop);
    const std::string head =
        fmt::format("{:>4} {:>12} {:>10.4f} {:>12}", h + 1, fmt::format("{}→{}", hop.from + 1, hop.to + 1),
                    hop.distance_A, hop.per_vacancy);
    if (o.list) {
      fmt::print("{}\n", head);
    } else if (!find_barrier(hop, head, fmt::format("hop {} of {}", h + 1, hops.size()), o, model, entry)) {
      ++failed;
    }
    report["hops"].push_back(entry);
    if (!o.common.json.empty()) write_json(o.common.json, report);
  }
  if (failed > 0)
    throw WorkError("{} of {} hops have no converged barrier; the same command with more --steps goes on",
                    failed, hops.size());
}

void run(Options& o) {
  refuse_shared({o.common.json}, {o.common.model, o.crystal, o.start});
  OpenModel model = open_model(o.common);
  std::optional<Frame> start;
  if (!o.start.empty()) {
    if (!o.supercell.empty()) throw InputError("--supercell and --start: the start has its own supercell");
    start = io::read_frame(o.start);
  }
  if (!o.pair.empty() && !start) throw InputError("--pair needs --start, the cell whose sites it counts");
  const HopLattice lattice = prepare(*model.potential, o, start ? &*start : nullptr);
  const double within = o.within_A > 0 ? o.within_A : defects::nearest_hops_A(lattice, o.species);
  std::optional<std::pair<int, int>> pair;
  if (!o.pair.empty()) pair.emplace(o.pair[0] - 1, o.pair[1] - 1);
  const std::vector<VacancyHop> hops = start ? defects::defect_hops(lattice, *start, o.species, within, pair)
                                             : defects::crystal_hops(lattice, o.species, within);
  fmt::print("{} distinct hops of {} up to {:.3f} Å in {} ({})\n", hops.size(), o.species, within,
             describe_supercell(lattice.matrix), hops.front().initial.formula());
  const Json network = start ? Json() : network_of(lattice, o, within);
  warn_about_charge(*model.potential, hops.front().initial);
  Json report{{"model", o.common.model},
              {"crystal", o.crystal},
              {"species", o.species},
              {"within_A", within},
              {"network", network},
              {"supercell", describe_supercell(lattice.matrix)},
              {"volume_A3", hops.front().initial.cell->volume()},
              {"distinct_hops", hops.size()},
              {"hops", Json::array()}};
  compute(hops, o, model, report);
}

}  // namespace

std::function<void()> setup_barriers(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("crystal", o->crystal,
                 "The perfect crystal: a name (solion build --list) or a structure file")
      ->required();
  app.add_option("--species", o->species, "The element that hops into its vacancies")->required();
  app.add_option("--supercell", o->supercell, "3 whole numbers, or 9: the rows of a matrix (default 3 3 3)")
      ->expected(3, 9);
  app.add_option("--within", o->within_A, "Longest hop (Å); default 1.2 times the distance of nearest sites")
      ->check(more_than_0);
  app.add_option("--start", o->start, "A supercell with defects: the hops into its vacancies of the species");
  app.add_option("--pair", o->pair,
                 "Only the hop between these two sites of --start (atoms of the perfect supercell, "
                 "from 1, as in `defects=` of solion build)")
      ->expected(2);
  app.add_flag("--keep-cell", o->keep_cell,
               "The crystal's cell as given (or as in --start), without relaxing it");
  app.add_option("--symmetry-tolerance-A", o->symmetry_tolerance_A,
                 "How far equivalent atoms of the crystal may be off (Å)")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_flag("--list", o->list, "Only list the hops");
  add_barrier_options(app, o->common);
  app.add_option("-o,--output", o->folder, "Folder of the paths; an interrupted run goes on from them")
      ->capture_default_str();
  return [o] { run(*o); };
}

}  // namespace solion::cli
