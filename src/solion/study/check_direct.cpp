// The model against energies of direct DFT: E(V), the way over a saddle, formation energies.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/dataset/system.hpp"
#include "solion/defects/formation.hpp"
#include "solion/relax/equation_of_state.hpp"
#include "solion/structure/symmetry.hpp"
#include "solion/study/cells.hpp"
#include "solion/study/check_parts.hpp"

namespace solion::study {
namespace {

/// Frames with the energies of the labels and those of the model, eV.
struct Compared {
  std::string name;
  std::vector<Frame> frames;
  std::vector<double> label, model;
};

void require_energies(const dataset::System& system) {
  for (std::size_t f = 0; f < system.frames.size(); ++f)
    if (!system.frames[f].labels.energy_eV)
      throw InputError("{}: frame {} has no energy", system.path.string(), f);
}

Compared compared(const dataset::System& system, Potential& potential) {
  require_energies(system);
  Compared result{system.name, system.frames, {}, {}};
  for (const Frame& frame : system.frames) {
    result.label.push_back(*frame.labels.energy_eV);
    potential.reset();
    result.model.push_back(potential.evaluate(frame, {.forces = false}).energy);
  }
  return result;
}

dataset::System only_system(const std::filesystem::path& folder) {
  auto systems = dataset::load({folder});
  if (systems.size() != 1)
    throw InputError("{}: {} systems; expected frames of one composition", folder.string(), systems.size());
  return std::move(systems.front());
}

std::vector<double> volumes_of(const std::string& name, const std::vector<Frame>& frames) {
  std::vector<double> volumes;
  for (const Frame& frame : frames) {
    if (!frame.cell) throw InputError("{}: a frame without a cell", name);
    volumes.push_back(frame.cell->volume());
  }
  return volumes;
}

int formula_units(const std::map<std::string, int>& atoms) {
  int units = 0;
  for (const auto& [element, n] : atoms) units = std::gcd(units, n);
  return units;
}

/// Primitive cells in the conventional one, by the first letter of the space group's symbol.
int primitive_cells(char centring) { return centring == 'F' ? 4 : centring == 'I' ? 2 : 1; }

/// Conventional cells in the frame of a cubic crystal; 0 for others, which no single length describes.
double cubic_cells(const Frame& frame) {
  constexpr int first_cubic = 195;
  const Symmetry symmetry = find_symmetry(frame);
  if (symmetry.space_group < first_cubic) return 0;
  const auto& all = symmetry.operations;
  const auto translations = std::count_if(all.begin(), all.end(), [](const SymmetryOperation& operation) {
    return operation.rotation == IntMat3::Identity();
  });
  return static_cast<double>(translations) / primitive_cells(symmetry.symbol.front());
}

/// `cells`: that the length is the edge of.
Json eos_json(const relax::EquationOfState& fit, int units, double cells) {
  return {{"lattice_A", std::cbrt(fit.volume_A3 / cells)},
          {"volume_A3", fit.volume_A3 / units},
          {"energy_eV", fit.energy_eV / units},
          {"bulk_modulus_GPa", fit.bulk_modulus_GPa},
          {"bulk_derivative", fit.bulk_derivative},
          {"rms_eV", fit.rms_eV / units}};
}

/// Both energies against the volume, per formula unit.
Json equation_of_state(const DirectConfig& config, Potential& potential, Verdicts& verdicts) {
  const Compared c = compared(only_system(config.equation_of_state), potential);
  const std::vector<double> volumes = volumes_of(c.name, c.frames);
  const int units = formula_units(defects::composition(c.frames.front()));
  const double cubic = cubic_cells(c.frames.front());
  const double cells = cubic > 0 ? cubic : units;
  const auto label = relax::fit_birch_murnaghan(volumes, c.label);
  const auto model = relax::fit_birch_murnaghan(volumes, c.model);
  Json result{{"units", units},
              {"volume_A3", volumes},
              {"label_eV", c.label},
              {"model_eV", c.model},
              {"label", eos_json(label, units, cells)},
              {"model", eos_json(model, units, cells)}};
  const double a = result["label"]["lattice_A"], b = result["model"]["lattice_A"];
  const char* length = cubic > 0 ? "lattice constant" : "cube root of the volume of a formula unit";
  verdicts.add(fmt::format("{} at 0 K, difference", length), b - a, config.lattice_A, "Å", false,
               fmt::format("model {:.4f}, DFT {:.4f} Å", b, a));
  verdicts.add("bulk modulus, difference", 100 * (model.bulk_modulus_GPa / label.bulk_modulus_GPa - 1),
               config.bulk_modulus_percent, "%", false,
               fmt::format("model {:.1f}, DFT {:.1f} GPa", model.bulk_modulus_GPa, label.bulk_modulus_GPa));
  return result;
}

double barrier_of(const std::vector<double>& energies) {
  return *std::max_element(energies.begin(), energies.end()) - energies.front();
}

/// One hop a system.
Json paths(const DirectConfig& config, Potential& potential, Verdicts& verdicts) {
  Json result = Json::array();
  for (const dataset::System& system : dataset::load({config.path})) {
    const Compared c = compared(system, potential);
    const double label = barrier_of(c.label), model = barrier_of(c.model);
    verdicts.add(fmt::format("barrier of {}, difference", system.name), 1000 * (model - label),
                 config.barrier_meV, "meV", false,
                 fmt::format("model {:.3f}, DFT {:.3f} eV, {} frames of {}", model, label, c.frames.size(),
                             c.frames.front().formula()));
    result.push_back({{"name", system.name},
                      {"label_eV", c.label},
                      {"model_eV", c.model},
                      {"barrier_label_eV", label},
                      {"barrier_model_eV", model}});
  }
  return result;
}

/// Compounds at rest: one Reference each with the energies of labels (0) and model (1).
std::array<std::vector<defects::Reference>, 2> compounds_of(const DirectConfig& config,
                                                            Potential& potential) {
  std::array<std::vector<defects::Reference>, 2> result;
  for (const dataset::System& system : dataset::load({config.compounds})) {
    const Compared c = compared(system, potential);
    const std::vector<double> volumes = volumes_of(c.name, c.frames);
    const auto atoms = defects::composition(c.frames.front());
    for (std::size_t k = 0; k < 2; ++k) {
      const auto fit = relax::fit_birch_murnaghan(volumes, k == 0 ? c.label : c.model);
      result[k].push_back(
          {c.frames.front(), c.frames.front().cell->matrix(), fit.energy_eV, atoms, formula_units(atoms)});
    }
  }
  return result;
}

using Atoms = std::map<std::string, int>;

/// Formula units of the compounds by which a cell differs from the perfect one.
std::vector<double> difference(const DirectConfig& config, const std::string& name, Atoms atoms,
                               const Atoms& perfect, const std::vector<defects::Reference>& compounds) {
  for (const auto& [element, n] : perfect) atoms[element] -= n;
  std::vector<double> units = defects::as_compounds(atoms, compounds);
  if (units.empty())
    throw InputError("{}: {} differs from the perfect cell by no whole compounds", config.formation.string(),
                     name);
  return units;
}

template <class Cells>
auto perfect_of(const DirectConfig& config, const Cells& cells) {
  const auto perfect = cells.find("perfect");
  if (perfect == cells.end())
    throw InputError("{}: expected a system named perfect", config.formation.string());
  return perfect;
}

Json formation(const DirectConfig& config, Potential& potential, Verdicts& verdicts) {
  const auto compounds = compounds_of(config, potential);
  std::map<std::string, Compared> cells;
  for (const dataset::System& system : dataset::load({config.formation}))
    cells.emplace(system.name, compared(system, potential));
  const auto perfect = perfect_of(config, cells);
  const Atoms sites = defects::composition(perfect->second.frames.front());
  Json result = Json::array();
  for (const auto& [name, cell] : cells) {
    if (name == "perfect") continue;
    const std::vector<double> units =
        difference(config, name, defects::composition(cell.frames.front()), sites, compounds[0]);
    std::array<double, 2> energy{cell.label.front() - perfect->second.label.front(),
                                 cell.model.front() - perfect->second.model.front()};
    for (std::size_t k = 0; k < 2; ++k)
      for (std::size_t i = 0; i < units.size(); ++i)
        energy[k] -= units[i] * compounds[k][i].energy_eV / compounds[k][i].units;
    verdicts.add(fmt::format("formation energy of {}, difference", name), 1000 * (energy[1] - energy[0]),
                 config.formation_meV, "meV", false,
                 fmt::format("model {:.3f}, DFT {:.3f} eV in {}", energy[1], energy[0],
                             cell.frames.front().formula()));
    result.push_back({{"name", name}, {"label_eV", energy[0]}, {"model_eV", energy[1]}});
  }
  return result;
}

/// The minimum of E(V) must lie within the labels.
void rehearse_volumes(const dataset::System& system) {
  require_energies(system);
  std::vector<double> energies;
  for (const Frame& frame : system.frames) energies.push_back(*frame.labels.energy_eV);
  try {
    (void)relax::fit_birch_murnaghan(volumes_of(system.name, system.frames), energies);
  } catch (const InputError& error) {
    throw InputError("{}: {}", system.path.string(), error.what());
  }
}

void rehearse_formation(const DirectConfig& config) {
  std::vector<defects::Reference> compounds;
  for (const dataset::System& system : dataset::load({config.compounds})) {
    rehearse_volumes(system);
    const Frame& frame = system.frames.front();
    const Atoms atoms = defects::composition(frame);
    compounds.push_back({frame, frame.cell->matrix(), 0, atoms, formula_units(atoms)});
  }
  std::map<std::string, Atoms> cells;
  for (const dataset::System& system : dataset::load({config.formation})) {
    require_energies(system);
    cells[system.name] = defects::composition(system.frames.front());
  }
  const auto perfect = perfect_of(config, cells);
  for (const auto& [name, atoms] : cells)
    if (name != "perfect") (void)difference(config, name, atoms, perfect->second, compounds);
}

}  // namespace

void rehearse_direct(const DirectConfig& config) {
  if (!config.equation_of_state.empty()) rehearse_volumes(only_system(config.equation_of_state));
  if (!config.path.empty()) {
    for (const dataset::System& system : dataset::load({config.path})) require_energies(system);
  }
  if (!config.formation.empty()) rehearse_formation(config);
}

Json check_direct(const Context& context, const Json& model, Verdicts& verdicts) {
  const DirectConfig& config = context.config.checks.direct;
  const auto potential = open_model(context, model, "double");
  Json result;
  if (!config.equation_of_state.empty())
    result["equation_of_state"] = equation_of_state(config, *potential, verdicts);
  if (!config.path.empty()) result["paths"] = paths(config, *potential, verdicts);
  if (!config.formation.empty()) result["formation"] = formation(config, *potential, verdicts);
  return result;
}

}  // namespace solion::study
