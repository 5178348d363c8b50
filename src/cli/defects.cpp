// solion defects: formation and binding energies of defect cells with any potential.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "cli/barrier_options.hpp"
#include "cli/numbers.hpp"
#include "cli/outputs.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/catalog/open.hpp"
#include "solion/defects/formation.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/gather.hpp"
#include "solion/io/text.hpp"

namespace solion::cli {
namespace {

using defects::Formation;
using defects::Reference;

struct Options {
  std::string model, perfect, output, json;
  std::vector<std::string> cells, compounds, isolated;
  double temperature_K = 300;
  relax::RelaxOptions relax;
  bool any_density = false;
  int threads = available_threads();
};

struct Cell {
  std::string source;
  double degeneracy = 1;
  bool weighed = false;  // the file gave the degeneracy
  Formation energies;
  double binding_eV = std::nan("");  // against --isolated
  std::string failed;                // why it has no energies
};

Json to_json(const Cell& cell, const std::vector<std::string>& compounds) {
  if (!cell.failed.empty()) return {{"source", cell.source}, {"failed", cell.failed}};
  const Formation& e = cell.energies;
  Json used = Json::object();
  for (std::size_t k = 0; k < e.compounds.size(); ++k) used[compounds[k]] = e.compounds[k];
  return {{"source", cell.source},
          {"formula", e.formula},
          {"atoms", e.relaxed.frame.n_atoms()},
          {"crystal_cells", e.crystal_cells},
          {"changed", e.changed},
          {"degeneracy", cell.weighed ? Json(cell.degeneracy) : Json(nullptr)},
          {"recombined", e.recombined},
          {"moved_atoms", e.moved_atoms},
          {"energy_eV", e.energy_eV},
          {"relaxation_eV", e.energy_eV - e.unrelaxed_eV},
          {"excess_eV", e.excess_eV},
          {"compounds", used},
          {"formation_eV", json_number(e.formation_eV)},
          {"binding_eV", json_number(cell.binding_eV)},
          {"steps", e.relaxed.steps}};
}

std::vector<Frame> frames_of(const std::string& file, bool any_density) {
  io::ReadOptions how;
  how.accept_any_density = any_density;
  return io::read_frames(file, how);
}

bool is_structure_file(const std::string& name) {
  return std::filesystem::is_regular_file(name) && !name.ends_with(".toml");
}

/// A crystal by its file or name.
Frame crystal_of(const std::string& name_or_file, bool any_density) {
  return any_density && is_structure_file(name_or_file) ? frames_of(name_or_file, true).front()
                                                        : open_crystal(name_or_file).frame;
}

/// Whether a file is a defect cell of the perfect crystal: several cells of it, or one of another
/// composition.
bool is_defect_cell(const std::string& file, const Frame& perfect, bool any_density) {
  const Frame frame =
      is_structure_file(file) ? frames_of(file, any_density).front() : crystal_of(file, any_density);
  if (!frame.cell || !perfect.cell) return false;
  const Mat3 multiple = frame.cell->matrix() * perfect.cell->matrix().inverse();
  if (!((multiple - Mat3(multiple.array().round().matrix())).cwiseAbs().maxCoeff() < 1e-3)) return false;
  const auto shares = [](const Frame& of) {
    std::map<std::string, double> share;
    for (std::size_t i = 0; i < of.n_atoms(); ++i) share[of.element(i)] += 1;
    for (auto& [element, n] : share) n = std::round(1e9 * n / static_cast<double>(of.n_atoms()));
    return share;
  };
  if (shares(frame) != shares(perfect)) return true;
  if (!(multiple.determinant() > 1.5)) return false;
  if (!(defects::share_on_sites(frame, perfect) < 1))
    log().warn(
        "{}: several cells of the perfect crystal count as a defect cell; for a compound end the list with a "
        "comma (--compounds {},)",
        file, file);
  return true;
}

/// A frame of a file in messages.
std::string name_of(const std::string& file, std::size_t frame, std::size_t frames) {
  return frames > 1 ? fmt::format("{}: frame {}", file, frame + 1) : file;
}

/// Nothing if the frame does not say it.
std::optional<double> degeneracy_of(const Frame& frame, const std::string& where) {
  const auto found = frame.info.find("degeneracy");
  if (found == frame.info.end()) return std::nullopt;
  io::Fields text(found->second);
  double value = 0;
  if (!text.real(value) || !text.at_end() || !(value > 0))
    throw InputError("{}: degeneracy={}: expected a positive number", where, found->second);
  return value;
}

/// The frame relaxed; one that does not relax is said and does not stop the others.
Cell relax_cell(Potential& potential, const Frame& frame, const std::string& where, const Reference& perfect,
                const std::vector<Reference>& compounds, const Options& options,
                defects::KeptRelaxations& kept) {
  const std::optional<double> degeneracy = degeneracy_of(frame, where);
  Cell cell{where, degeneracy.value_or(1), degeneracy.has_value(), {}, std::nan(""), {}};
  warn_about_charge(potential, frame);
  try {
    cell.energies = defects::formation(potential, frame, perfect, compounds, options.relax, &kept);
  } catch (const InputError& error) {
    throw InputError("{}: {}", where, error.what());
  } catch (const WorkError& error) {
    cell.failed = error.what();
    fmt::print("{:<32} {}\n", where, cell.failed);
    return cell;
  }
  const Formation& e = cell.energies;
  fmt::print("{:<32} {:<18} {:>6} {:>12.4f} {:>12.4f} {:>12}\n", where, e.formula, e.relaxed.steps,
             e.energy_eV - e.unrelaxed_eV, e.excess_eV,
             std::isfinite(e.formation_eV) ? fmt::format("{:.4f}", e.formation_eV) : "-");
  if (e.recombined)
    fmt::print(
        "{:<32} the defects have met and gone: this is the perfect crystal, left out of mean and binding\n",
        "");
  if (!defects::is_local(e))
    fmt::print("{:<32} {} of its {} atoms moved by more than 1 Å, far more than a defect moves\n", "",
               e.moved_atoms, e.relaxed.frame.n_atoms());
  return cell;
}

/// What makes the energies of all cells doubtful, once.
void warn_about_crystal(const std::vector<Cell>& cells, const Options& options) {
  std::size_t spread = 0, below = 0;
  for (const Cell& cell : cells) {
    if (!cell.failed.empty() || cell.energies.recombined) continue;
    spread += defects::is_local(cell.energies) ? 0 : 1;
    below += cell.energies.formation_eV < -0.01 ? 1 : 0;
  }
  if (spread > 0)
    log().warn(
        "{}: in {} of {} cells the crystal itself gave way, so that it is no minimum of this potential: its "
        "symmetry alone held it, and energies against it say nothing of defects",
        options.perfect, spread, cells.size());
  else if (below > 0)
    log().warn(
        "{}: {} of {} cells have a formation energy below 0: at these chemical potentials the crystal would "
        "fill with such defects; is it the stable phase of this potential, in balance with the compounds "
        "given?",
        options.perfect, below, cells.size());
}

/// What would be refused after others are relaxed.
void look_at_cells(Potential& potential, const std::vector<std::string>& files, const Frame& perfect,
                   bool any_density) {
  if (!perfect.cell) return;  // is refused as the reference
  for (const std::string& file : files) {
    const std::vector<Frame> frames = frames_of(file, any_density);
    for (std::size_t f = 0; f < frames.size(); ++f) {
      const std::string where = name_of(file, f, frames.size());
      (void)degeneracy_of(frames[f], where);
      try {
        (void)match_types(frames[f], potential);
        (void)defects::cells_of(frames[f], perfect.cell->matrix());
      } catch (const InputError& error) {
        throw InputError("{}: {}", where, error.what());
      }
    }
  }
}

/// Every frame of the files, relaxed.
std::vector<Cell> relax_cells(Potential& potential, const std::vector<std::string>& files,
                              const Reference& perfect, const std::vector<Reference>& compounds,
                              const Options& options, defects::KeptRelaxations& kept,
                              std::vector<Frame>* relaxed) {
  std::vector<Cell> result;
  for (const std::string& file : files) {
    const std::vector<Frame> frames = frames_of(file, options.any_density);
    for (std::size_t f = 0; f < frames.size(); ++f) {
      throw_if_interrupted();
      const std::string where = name_of(file, f, frames.size());
      Cell cell = relax_cell(potential, frames[f], where, perfect, compounds, options, kept);
      if (relaxed != nullptr && cell.failed.empty()) relaxed->push_back(cell.energies.relaxed.frame);
      result.push_back(std::move(cell));
    }
  }
  return result;
}

/// Cells of one composition: the lowest, and the mean at the temperature with the degeneracies.
Json averages(const std::vector<Cell>& cells, double temperature_K) {
  // By what has changed, not by a formula, whose elements stand in the order of each file.
  std::map<std::pair<int, std::map<std::string, int>>, std::vector<const Cell*>> groups;
  for (const Cell& cell : cells)
    if (cell.failed.empty() && std::isfinite(cell.energies.formation_eV) && !cell.energies.recombined)
      groups[{cell.energies.crystal_cells, cell.energies.changed}].push_back(&cell);
  Json list = Json::array();
  for (const auto& [composition, same] : groups) {
    const std::string& formula = same.front()->energies.formula;
    std::vector<double> energies, degeneracies;
    for (const Cell* cell : same) {
      energies.push_back(cell->energies.formation_eV);
      degeneracies.push_back(cell->degeneracy);
    }
    const double mean = defects::boltzmann_mean_eV(energies, degeneracies, temperature_K);
    const auto [low, high] = std::minmax_element(energies.begin(), energies.end());
    list.push_back({{"formula", formula},
                    {"placements", same.size()},
                    {"lowest_eV", *low},
                    {"highest_eV", *high},
                    {"boltzmann_mean_eV", mean},
                    {"temperature_K", temperature_K}});
    const auto bare =
        std::count_if(same.begin(), same.end(), [](const Cell* cell) { return !cell->weighed; });
    list.back()["without_degeneracy"] = bare;
    if (same.size() > 1 && bare > 0)
      log().warn(
          "{}: {} of {} placements do not say their degeneracy (extxyz of solion build keeps it, other "
          "formats do not) and count once in the mean",
          formula, bare, same.size());
    if (same.size() > 1)
      fmt::print("{}: {} placements, formation {:.4f} … {:.4f} eV, mean at {:g} K {:.4f} eV\n", formula,
                 same.size(), *low, *high, temperature_K, mean);
  }
  return list;
}

/// Binding of every cell that the isolated defects add up to; of the others it says why there is none.
void bind(std::vector<Cell>& cells, const std::vector<Cell>& isolated) {
  if (isolated.empty()) return;
  std::vector<Formation> parts;
  for (const Cell& one : isolated) {
    if (one.failed.empty()) {
      parts.push_back(one.energies);
    } else {
      fmt::print("no binding without {}: {}\n", one.source, one.failed);
      return;
    }
  }
  for (Cell& cell : cells) {
    if (!cell.failed.empty() || cell.energies.recombined) continue;
    try {
      cell.binding_eV = defects::binding_eV(parts, cell.energies);
      fmt::print("binding of {}: {:.4f} eV (positive: bound)\n", cell.source, cell.binding_eV);
    } catch (const InputError& error) {
      fmt::print("no binding of {}: {}\n", cell.source, error.what());
    }
  }
}

/// A list with commas is one argument: what the parser put behind it are cells. Returns the names of a list
/// that ends so.
std::set<std::string> split_list(std::vector<std::string>& list, std::vector<std::string>& cells) {
  std::vector<std::string> files;
  std::set<std::string> sure;
  bool commas = false;
  for (const std::string& argument : list) {
    if (commas) {
      cells.push_back(argument);
      continue;
    }
    commas = argument.find(',') != std::string::npos;
    std::istringstream parts(argument);
    for (std::string file; std::getline(parts, file, ',');)
      if (!file.empty()) files.push_back(file);
    if (commas) sure.insert(files.begin(), files.end());
  }
  list = std::move(files);
  return sure;
}

Reference reference_of(Potential& potential, const std::string& name, const Frame& crystal,
                       const Options& options, defects::KeptRelaxations& kept) {
  try {
    return defects::relax_reference(potential, crystal, options.relax, &kept);
  } catch (const InputError& error) {
    throw InputError("{}: {}", name, error.what());
  }
}

/// Gives the cells back that the parser took for compounds or isolated defects.
void sort_files(Options& options, const Frame& perfect) {
  const std::set<std::string> sure = split_list(options.compounds, options.cells);
  split_list(options.isolated, options.cells);
  const auto first_cell =
      std::stable_partition(options.compounds.begin(), options.compounds.end(), [&](const auto& file) {
        return sure.contains(file) || !is_defect_cell(file, perfect, options.any_density);
      });
  options.cells.insert(options.cells.end(), first_cell, options.compounds.end());
  options.compounds.erase(first_cell, options.compounds.end());
  if (!options.cells.empty()) return;
  if (options.isolated.empty())
    throw InputError("no defect cells: give supercells of {} with a defect", options.perfect);
  throw InputError(
      "no defect cells: {} behind --isolated counts as an isolated defect; put the cells first, or -- before "
      "them, or set the isolated ones apart by commas (--isolated a,b)",
      options.isolated.back());
}

void refuse_shared_files(const Options& options) {
  std::vector<std::string> read{options.model, options.perfect};
  for (const auto* files : {&options.cells, &options.compounds, &options.isolated})
    read.insert(read.end(), files->begin(), files->end());
  refuse_shared({options.output, options.json}, read);
}

/// The compounds at rest; `mu` gets their energies.
std::vector<Reference> relax_compounds(Potential& potential, const Options& options,
                                       defects::KeptRelaxations& kept, Json& mu) {
  std::vector<Reference> compounds;
  compounds.reserve(options.compounds.size());
  for (const std::string& file : options.compounds) {
    compounds.push_back(reference_of(potential, file, crystal_of(file, options.any_density), options, kept));
    const Reference& c = compounds.back();
    mu[file] = c.energy_eV / c.units;
    fmt::print("compound {} ({}): {:.6f} eV per formula unit, {:.4f} Å³\n", file, c.frame.formula(),
               c.energy_eV / c.units, c.frame.cell->volume() / c.units);
  }
  return compounds;
}

Json list_of(const std::vector<Cell>& cells, const Options& options) {
  Json list = Json::array();
  for (const Cell& cell : cells) list.push_back(to_json(cell, options.compounds));
  return list;
}

std::size_t failures_among(const std::vector<Cell>& cells) {
  return static_cast<std::size_t>(
      std::ranges::count_if(cells, [](const Cell& cell) { return !cell.failed.empty(); }));
}

/// What would be refused only when all is relaxed.
void check_targets(const Options& options) {
  refuse_shared_files(options);
  std::size_t n_cells = 0;
  for (const std::string& file : options.cells) n_cells += frames_of(file, options.any_density).size();
  io::require_writable(options.output, n_cells);
}

void run(Options& options) {
  require_folder_of(options.json);
  io::require_writable(options.output, 1);
  OpenOptions how;
  how.charged_cells = true;  // isolated defects
  const auto potential = open_potential(options.model, how);
  potential->set_threads(options.threads);
  const Frame given = crystal_of(options.perfect, options.any_density);
  sort_files(options, given);
  check_targets(options);
  defects::KeptRelaxations kept(defects::kept_beside(options.output, options.json),
                                potential_identity(options.model, "double"));
  for (const auto* files : {&options.cells, &options.isolated})
    look_at_cells(*potential, *files, given, options.any_density);
  const Reference perfect = reference_of(*potential, options.perfect, given, options, kept);
  fmt::print("perfect {}: {:.6f} eV per formula unit, {:.4f} Å³\n", perfect.frame.formula(),
             perfect.energy_eV / perfect.units, perfect.frame.cell->volume() / perfect.units);
  Json mu = Json::object();
  const std::vector<Reference> compounds = relax_compounds(*potential, options, kept, mu);
  fmt::print("{:<32} {:<18} {:>6} {:>12} {:>12} {:>12}\n", "cell", "formula", "steps", "relaxation",
             "excess eV", "formation eV");
  std::vector<Frame> relaxed;
  std::vector<Cell> cells =
      relax_cells(*potential, options.cells, perfect, compounds, options, kept, &relaxed);
  const std::vector<Cell> isolated =
      relax_cells(*potential, options.isolated, perfect, compounds, options, kept, nullptr);
  bind(cells, isolated);
  const Json means = averages(cells, options.temperature_K);
  warn_about_crystal(cells, options);
  if (!options.json.empty()) {
    write_json(options.json,
               {{"model", options.model},
                {"perfect_eV_per_formula_unit", perfect.energy_eV / perfect.units},
                {"perfect_volume_A3_per_formula_unit", perfect.frame.cell->volume() / perfect.units},
                {"compounds_eV_per_formula_unit", mu},
                {"cells", list_of(cells, options)},
                {"isolated", list_of(isolated, options)},
                {"by_composition", means}});
  }
  if (!options.output.empty() && !relaxed.empty()) io::write_frames_or_systems(options.output, relaxed);
  if (const std::size_t failed = failures_among(cells) + failures_among(isolated); failed > 0) {
    kept.save();
    throw WorkError("{} of {} cells did not relax", failed, cells.size() + isolated.size());
  }
  kept.remove();
}

}  // namespace

std::function<void()> setup_defects(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("-m,--model", options->model,
                 "*.toml (an analytic potential) or *.dp, *.hdf5, *.yaml (a Deep Potential)")
      ->required();
  app.add_option("cells", options->cells,
                 "Defect cells: solion build --placement all writes every distinct one");
  app.add_option(
         "--perfect", options->perfect,
         "The crystal they were built from: a file (unit cell or supercell) or a name of solion build --list")
      ->required();
  app.add_option(
      "--compounds", options->compounds,
      "Crystals that set the chemical potentials, files or names: li2o.xyz licl.xyz, or with a comma");
  app.add_option("--isolated", options->isolated,
                 "Cells of the single defects, for the binding energy: a b, or a,b where cells follow");
  app.add_flag("--any-density", options->any_density,
               "Accept any volume per atom (a molecule in a large box)");
  app.add_option("--temperature", options->temperature_K, "Of the mean over placements (K)")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--force", options->relax.force_eV_per_A, "Relaxed when no atom feels more (eV/Å)")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--steps", options->relax.max_steps, "At most so many steps a cell")
      ->capture_default_str()
      ->check(zero_or_more);
  app.add_option("-o,--output", options->output, "Write the relaxed cells (format by name)");
  app.add_option("--json", options->json, "Write all numbers to this file");
  app.add_option("--threads", options->threads, "Threads")
      ->default_str("all cores")
      ->check(CLI::Range(1, 4096));
  return [options] { run(*options); };
}

}  // namespace solion::cli
