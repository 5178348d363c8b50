// Energies of relaxed cells, composition as formula units of compounds, and whether a cell is of the crystal.
#include "solion/defects/formation.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/defects/moved.hpp"

namespace solion::defects {
namespace {

relax::RelaxResult relaxed(Potential& potential, const Frame& frame, const relax::RelaxOptions& options,
                           KeptRelaxations* kept) {
  potential.reset();
  relax::RelaxResult r = kept != nullptr ? kept->minimize(potential, frame, options)
                                         : relax::minimize(potential, frame, options);
  if (!r.converged) {
    throw WorkError("{}: not relaxed after {} steps: {:.3g} eV/Å and {:.3g} GPa are left", frame.formula(),
                    r.steps, r.largest_force_eV_per_A, r.largest_stress_GPa);
  }
  return r;
}

}  // namespace

std::map<std::string, int> composition(const Frame& frame) {
  std::map<std::string, int> atoms;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) ++atoms[frame.element(i)];
  return atoms;
}

std::vector<double> as_compounds(const std::map<std::string, int>& changed,
                                 const std::vector<Reference>& compounds) {
  if (compounds.empty()) return {};
  std::map<std::string, Eigen::Index> row;
  for (const auto& [element, n] : changed) row.emplace(element, static_cast<Eigen::Index>(row.size()));
  for (const Reference& c : compounds)
    for (const auto& [element, n] : c.atoms) row.emplace(element, static_cast<Eigen::Index>(row.size()));
  const auto rows = static_cast<Eigen::Index>(row.size());
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(rows, static_cast<Eigen::Index>(compounds.size()));
  Eigen::VectorXd wanted = Eigen::VectorXd::Zero(rows);
  for (const auto& [element, n] : changed) wanted[row.at(element)] = n;
  for (std::size_t k = 0; k < compounds.size(); ++k)
    for (const auto& [element, n] : compounds[k].atoms)
      matrix(row.at(element), static_cast<Eigen::Index>(k)) =
          static_cast<double>(n) / static_cast<double>(compounds[k].units);
  const auto decomposition = matrix.colPivHouseholderQr();
  if (decomposition.rank() < matrix.cols()) {
    std::string names;
    for (const Reference& c : compounds) names += (names.empty() ? "" : ", ") + c.frame.formula();
    throw InputError(
        "the compounds {} are not independent: one of them is made of the others, so that no chemical "
        "potentials belong to all; leave one out",
        names);
  }
  const Eigen::VectorXd units = decomposition.solve(wanted);
  if (!((matrix * units - wanted).cwiseAbs().maxCoeff() < 1e-6)) return {};
  return {units.data(), units.data() + units.size()};
}

Reference relax_reference(Potential& potential, const Frame& crystal, const relax::RelaxOptions& options,
                          KeptRelaxations* kept) {
  if (!crystal.cell) throw InputError("{}: a crystal needs a cell", crystal.formula());
  relax::RelaxOptions how = options;
  how.cell = relax::CellMode::full;
  const relax::RelaxResult r = relaxed(potential, crystal, how, kept);
  Reference reference{r.frame, crystal.cell->matrix(), r.energy_eV, composition(crystal), 0};
  for (const auto& [element, n] : reference.atoms) reference.units = std::gcd(reference.units, n);
  return reference;
}

namespace {

/// Whether every atom is within a quarter of the least distance between sites of a site of its element.
bool on_own_sites(const Frame& frame, const Frame& crystal) {
  const Cell& cell = *crystal.cell;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < crystal.n_atoms(); ++i) {
    for (int k = 0; k < 3; ++k) least = std::min(least, cell.vector(k).norm());
    for (std::size_t j = 0; j < i; ++j)
      least = std::min(least, cell.minimum_image(crystal.positions[j] - crystal.positions[i]).norm());
  }
  for (std::size_t a = 0; a < frame.n_atoms(); ++a) {
    bool home = false;
    for (std::size_t s = 0; s < crystal.n_atoms() && !home; ++s)
      home = crystal.element(s) == frame.element(a) &&
             cell.minimum_image(frame.positions[a] - crystal.positions[s]).norm() < least / 4;
    if (!home) return false;
  }
  return true;
}

/// Fractional coordinates by element.
using Sites = std::map<std::string, std::vector<Vec3>>;

Sites sites_of(const Frame& crystal) {
  Sites sites;
  for (std::size_t s = 0; s < crystal.n_atoms(); ++s)
    sites[crystal.element(s)].push_back(crystal.cell->to_fractional(crystal.positions[s]));
  return sites;
}

/// Share of the atoms near a site of their element in the crystal's cell, when the frame is moved by `shift`.
double share_at(const Vec3& shift, const Frame& frame, const Sites& sites, const Cell& cell) {
  constexpr double near_A = 1.0;
  std::size_t home = 0;
  for (std::size_t a = 0; a < frame.n_atoms(); ++a) {
    const auto own = sites.find(frame.element(a));
    if (own == sites.end()) continue;
    const Vec3 f = cell.to_fractional(frame.positions[a]) + shift;
    const auto near = [&](const Vec3& site) {
      Vec3 d = f - site;
      d -= d.array().round().matrix();
      return cell.to_cartesian(d).norm() < near_A;
    };
    home += std::any_of(own->second.begin(), own->second.end(), near) ? 1 : 0;
  }
  return static_cast<double>(home) / static_cast<double>(std::max<std::size_t>(frame.n_atoms(), 1));
}

}  // namespace

double share_on_sites(const Frame& frame, const Frame& crystal) {
  constexpr std::size_t origins = 6;  // atoms that are tried: a defect may have moved some of them
  const Cell& cell = crystal.cell.value();
  const Sites sites = sites_of(crystal);
  double best = share_at(Vec3::Zero(), frame, sites, cell);
  if (best > 0.5 || sites.empty()) return best;
  // Another origin puts atoms of the rarest element onto its sites.
  const auto rarest = std::min_element(sites.begin(), sites.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  std::size_t tried = 0;
  for (std::size_t a = 0; a < frame.n_atoms() && tried < origins; ++a) {
    if (frame.element(a) != rarest->first) continue;
    ++tried;
    for (const Vec3& site : rarest->second)
      best = std::max(best, share_at(site - cell.to_fractional(frame.positions[a]), frame, sites, cell));
  }
  return best;
}

bool is_local(const Formation& formation) {
  return as_about_defects(formation.moved_atoms, formation.relaxed.frame.n_atoms());
}

Mat3 cells_of(const Frame& defect, const Mat3& crystal_cell) {
  if (!defect.cell) throw InputError("{}: a defect needs a cell", defect.formula());
  const Mat3 multiple = defect.cell->matrix() * crystal_cell.inverse();
  const Mat3 whole = multiple.array().round();
  if (!((multiple - whole).cwiseAbs().maxCoeff() < 1e-3)) {
    throw InputError(
        "{}: its cell is no multiple of the perfect one's; build both from one crystal, in one orientation "
        "(LAMMPS files turn cells)",
        defect.formula());
  }
  return whole;
}

bool is_perfect(const Frame& frame, const Frame& perfect) {
  if (composition(frame) != composition(perfect)) return false;
  constexpr double near_A = 0.5;
  const Cell& cell = perfect.cell.value();
  const Sites sites = sites_of(perfect);
  const Sites atoms = sites_of(frame);
  return std::all_of(sites.begin(), sites.end(), [&](const auto& own) {
    const std::vector<Vec3>& there = atoms.at(own.first);
    return std::all_of(own.second.begin(), own.second.end(), [&](const Vec3& site) {
      return std::any_of(there.begin(), there.end(), [&](const Vec3& atom) {
        Vec3 d = atom - site;
        d -= d.array().round().matrix();
        return cell.to_cartesian(d).norm() < near_A;
      });
    });
  });
}

Formation formation(Potential& potential, const Frame& defect, const Reference& perfect,
                    const std::vector<Reference>& compounds, const relax::RelaxOptions& options,
                    KeptRelaxations* kept) {
  const Mat3 whole = cells_of(defect, perfect.given_cell);
  Formation result;
  result.formula = defect.formula();
  result.crystal_cells = static_cast<int>(std::lround(whole.determinant()));
  const Cell cell(whole * perfect.frame.cell->matrix());
  Frame start = defect;
  for (Vec3& r : start.positions) r = cell.to_cartesian(defect.cell->to_fractional(r));
  start.cell = cell;
  if (const double share = share_on_sites(start, perfect.frame); !(share > 0.5)) {
    throw InputError(
        "{}: {:.0f} % of its atoms are where the perfect crystal has atoms of their elements; its cell is "
        "that of another crystal, or turned against the perfect one (LAMMPS files turn cells): give both in "
        "one orientation",
        defect.formula(), 100 * share);
  }
  relax::RelaxOptions how = options;
  how.cell = relax::CellMode::fixed;
  result.relaxed = relaxed(potential, start, how, kept);
  result.unrelaxed_eV = result.relaxed.start_eV;
  result.energy_eV = result.relaxed.energy_eV;
  result.excess_eV = result.energy_eV - result.crystal_cells * perfect.energy_eV;
  for (const auto& [element, n] : perfect.atoms) result.changed[element] -= n * result.crystal_cells;
  for (const auto& [element, n] : composition(defect)) result.changed[element] += n;
  result.compounds = as_compounds(result.changed, compounds);
  const bool stoichiometric = std::all_of(result.changed.begin(), result.changed.end(),
                                          [](const auto& change) { return change.second == 0; });
  result.recombined = stoichiometric && !on_own_sites(start, perfect.frame) &&
                      on_own_sites(result.relaxed.frame, perfect.frame);
  result.moved_atoms = moved_atoms(start, result.relaxed.frame);
  result.formation_eV = result.compounds.empty() && !stoichiometric ? std::numeric_limits<double>::quiet_NaN()
                                                                    : result.excess_eV;
  for (std::size_t k = 0; k < result.compounds.size(); ++k)
    result.formation_eV -= result.compounds[k] * compounds[k].energy_eV / compounds[k].units;
  return result;
}

double binding_eV(const std::vector<Formation>& isolated, const Formation& cluster) {
  std::map<std::string, int> left = cluster.changed;
  double energy = -cluster.excess_eV;
  for (const Formation& one : isolated) {
    energy += one.excess_eV;
    for (const auto& [element, n] : one.changed) left[element] -= n;
  }
  for (const auto& [element, n] : left) {
    if (n != 0)
      throw InputError("binding of {}: the isolated defects leave {} atoms of {} over", cluster.formula, n,
                       element);
  }
  return energy;
}

double boltzmann_mean_eV(const std::vector<double>& energies_eV, const std::vector<double>& degeneracies,
                         double temperature_K) {
  if (energies_eV.empty() || energies_eV.size() != degeneracies.size() || !(temperature_K > 0)) {
    throw InputError("Boltzmann mean of {} energies with {} degeneracies at {} K", energies_eV.size(),
                     degeneracies.size(), temperature_K);
  }
  const double lowest = *std::min_element(energies_eV.begin(), energies_eV.end());
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < energies_eV.size(); ++i) {
    const double w = degeneracies[i] *
                     std::exp(-(energies_eV[i] - lowest) / (constants::boltzmann_eV_per_K * temperature_K));
    sum += w * energies_eV[i];
    weight += w;
  }
  return sum / weight;
}

}  // namespace solion::defects
