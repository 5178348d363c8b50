// Pairs of sites under the permutations of the supercell. Theory: docs/theory/defects.md, section 4.
#include "solion/defects/vacancy_hops.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "solion/base/errors.hpp"

namespace solion::defects {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

Cell super_cell(const HopLattice& lattice) {
  return Cell(Mat3(lattice.matrix.cast<double>() * lattice.unit.cell->matrix()));
}

void check_reach(const HopLattice& lattice, double within_A) {
  const double half = 0.5 * super_cell(lattice).widths().minCoeff();
  if (!(within_A > 0 && within_A < half - 1e-3)) {
    throw InputError(
        "hops up to {:.4g} Å in a supercell whose half width is {:.4g} Å; expected less (a longer hop would "
        "meet its own image: take a larger supercell, or look within less)",
        within_A, half);
  }
}

std::vector<int> sites_of(const SiteLattice& sites, const std::string& species) {
  std::vector<int> result = sites.sites_of_kind(species);
  if (result.empty()) throw InputError("hops: the crystal has no {} sites", species);
  return result;
}

void sort_by_distance(std::vector<VacancyHop>& hops) {
  std::stable_sort(hops.begin(), hops.end(), [](const VacancyHop& a, const VacancyHop& b) {
    return a.distance_A < b.distance_A - 1e-6;
  });
}

Frame without_atom(const Frame& frame, std::size_t gone) {
  Frame result = frame;
  result.types.erase(result.types.begin() + static_cast<std::ptrdiff_t>(gone));
  result.positions.erase(result.positions.begin() + static_cast<std::ptrdiff_t>(gone));
  return result;
}

/// Which atom of a defect cell stands on which site.
struct Occupation {
  std::vector<int> atom;  ///< of each site; −1: vacant
  std::vector<int> type;  ///< of that atom in the frame's map; −1: vacant
  bool has_interstitials = false;
};

Occupation occupy(const SiteLattice& sites, const Frame& frame) {
  constexpr double reach_A = 1.0;
  Occupation result;
  result.atom.assign(at(sites.n_sites()), -1);
  result.type = result.atom;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    int nearest = -1;
    double least = reach_A;
    for (int s = 0; s < sites.n_sites(); ++s) {
      const double d = frame.cell->minimum_image(sites.position(s) - frame.positions[i]).norm();
      if (d < least) {
        least = d;
        nearest = s;
      }
    }
    if (nearest < 0 || result.atom[at(nearest)] >= 0) {
      result.has_interstitials = true;
      continue;
    }
    result.atom[at(nearest)] = static_cast<int>(i);
    result.type[at(nearest)] = frame.types[i];
  }
  return result;
}

/// A cell that is turned against the crystal's, or of another origin, would be full of vacancies.
void require_on_sites(const SiteLattice& sites, const Occupation& occupation, const Frame& frame) {
  std::size_t home = 0;
  for (int s = 0; s < sites.n_sites(); ++s) {
    const int atom = occupation.atom[at(s)];
    home += atom >= 0 && frame.element(at(atom)) == sites.kind(s) ? 1 : 0;
  }
  if (2 * home <= frame.n_atoms())
    throw InputError(
        "{}: {} of {} atoms are within 1 Å of a site of their element in the crystal; expected the crystal's "
        "axes and origin (LAMMPS files turn cells)",
        frame.formula(), home, frame.n_atoms());
}

/// Operations that take every occupant to a like one.
std::vector<int> keeping(const SiteLattice& sites, const Occupation& occupation) {
  std::vector<int> result;
  for (int op = 0; op < sites.n_operations(); ++op) {
    bool keeps = true;
    for (int s = 0; s < sites.n_sites() && keeps; ++s)
      keeps = occupation.type[at(sites.image(op, s))] == occupation.type[at(s)];
    if (keeps) result.push_back(op);
    if (occupation.has_interstitials) break;  // the identity is the first
  }
  return result;
}

/// The start at the lattice's supercell, strained with it.
Frame fitted(const HopLattice& lattice, const Frame& start) {
  if (!start.cell) throw InputError("{}: a defect cell needs a cell", start.formula());
  const Cell cell = super_cell(lattice);
  if (!((start.cell->matrix() - cell.matrix()).cwiseAbs().maxCoeff() < 0.1 * cell.widths().minCoeff()))
    throw InputError("{}: its cell is no {} supercell of the crystal", start.formula(),
                     describe_supercell(lattice.matrix));
  Frame result;
  result.type_map = start.type_map;
  result.types = start.types;
  result.cell = cell;
  for (const Vec3& r : start.positions)
    result.positions.push_back(cell.to_cartesian(start.cell->to_fractional(r)));
  return result;
}

}  // namespace

double nearest_hops_A(const HopLattice& lattice, const std::string& species) {
  const SiteLattice sites(lattice.unit, lattice.symmetry, {}, lattice.matrix);
  const std::vector<int> own = sites_of(sites, species);
  double least = std::numeric_limits<double>::infinity();
  for (const int a : own)
    for (const int b : own)
      if (a != b) least = std::min(least, sites.distance(a, b));
  if (!std::isfinite(least))
    throw InputError("hops: one {} site in the supercell; take a larger one", species);
  return 1.2 * least;
}

std::vector<VacancyHop> crystal_hops(const HopLattice& lattice, const std::string& species, double within_A) {
  check_reach(lattice, within_A);
  const SiteLattice sites(lattice.unit, lattice.symmetry, {}, lattice.matrix);
  const Frame perfect = supercell(lattice.unit, lattice.matrix);
  std::vector<VacancyHop> hops;
  std::set<std::pair<int, int>> seen;
  std::set<int> done;  // sites that are equivalent to one that was looked at
  for (const int to : sites_of(sites, species)) {
    if (done.contains(to)) continue;
    for (int op = 0; op < sites.n_operations(); ++op) done.insert(sites.image(op, to));
    for (const int from : sites_of(sites, species)) {
      if (from == to || sites.distance(from, to) > within_A || seen.contains(std::minmax(from, to))) continue;
      VacancyHop hop{from, to, sites.distance(from, to), 0, 0, {}, {}};
      std::set<std::pair<int, int>> orbit;
      for (int op = 0; op < sites.n_operations(); ++op)
        orbit.insert(std::minmax(sites.image(op, from), sites.image(op, to)));
      for (const auto& [a, b] : orbit) hop.per_vacancy += a == to || b == to ? 1 : 0;
      hop.in_cell = static_cast<int>(orbit.size());
      seen.merge(orbit);
      Frame moved = perfect;
      moved.positions[at(from)] += perfect.cell->minimum_image(sites.position(to) - sites.position(from));
      hop.initial = without_atom(perfect, at(to));
      hop.final_frame = without_atom(moved, at(to));
      hops.push_back(std::move(hop));
    }
  }
  if (hops.empty()) throw InputError("hops: no two {} sites within {:.4g} Å", species, within_A);
  sort_by_distance(hops);
  return hops;
}

std::vector<VacancyHop> defect_hops(const HopLattice& lattice, const Frame& start, const std::string& species,
                                    double within_A, const std::optional<std::pair<int, int>>& pair) {
  check_reach(lattice, within_A);
  const SiteLattice sites(lattice.unit, lattice.symmetry, {}, lattice.matrix);
  const Frame initial = fitted(lattice, start);
  const Occupation occupation = occupy(sites, initial);
  require_on_sites(sites, occupation, initial);
  const int type = initial.type_map.find(species);
  const auto vacant = [&](int s) { return occupation.atom[at(s)] < 0; };
  const auto occupied = [&](int s) { return type >= 0 && occupation.type[at(s)] == type; };
  const std::vector<int> own = sites_of(sites, species);
  std::vector<std::pair<int, int>> wanted;
  if (pair) {
    auto [a, b] = *pair;
    for (const int s : {a, b})
      if (s < 0 || s >= sites.n_sites())
        throw InputError("hop: site {}; expected 1 to {}", s + 1, sites.n_sites());
    check_reach(lattice, sites.distance(a, b));
    if (vacant(a)) std::swap(a, b);
    if (!occupied(a) || !vacant(b)) {
      const auto what = [&](int s) {
        return vacant(s) ? std::string("empty") : initial.element(at(occupation.atom[at(s)]));
      };
      throw InputError("hop between the sites {} ({}) and {} ({}); expected one with {} and one empty", a + 1,
                       what(a), b + 1, what(b), species);
    }
    wanted.emplace_back(a, b);
  } else {
    for (const int to : own) {
      if (!vacant(to)) continue;
      for (const int from : own)
        if (occupied(from) && sites.distance(from, to) <= within_A) wanted.emplace_back(from, to);
    }
    if (wanted.empty())
      throw InputError("{}: no vacant {} site with {} within {:.4g} Å", initial.formula(), species, species,
                       within_A);
  }
  const std::vector<int> group = keeping(sites, occupation);
  std::vector<VacancyHop> hops;
  std::set<std::pair<int, int>> seen;
  for (const auto& [from, to] : wanted) {
    if (seen.contains({from, to})) continue;
    VacancyHop hop{from, to, sites.distance(from, to), 0, 0, initial, initial};
    std::set<std::pair<int, int>> orbit;
    for (const int op : group) orbit.emplace(sites.image(op, from), sites.image(op, to));
    for (const auto& one : orbit) hop.per_vacancy += one.second == to ? 1 : 0;
    hop.in_cell = static_cast<int>(orbit.size());
    seen.merge(orbit);
    Vec3& r = hop.final_frame.positions[at(occupation.atom[at(from)])];
    r += initial.cell->minimum_image(sites.position(to) - r);
    hops.push_back(std::move(hop));
  }
  sort_by_distance(hops);
  return hops;
}

IntMat3 supercell_of(const Frame& defect, const Frame& crystal) {
  const double cells = std::max(
      1.0, std::round(static_cast<double>(defect.n_atoms()) / static_cast<double>(crystal.n_atoms())));
  Mat3 multiple = defect.cell->matrix() * crystal.cell->matrix().inverse();
  const double scale = std::cbrt(multiple.determinant() / cells);
  multiple /= scale;
  const Mat3 whole = multiple.array().round();
  const double most = std::max(0.2, 0.03 * whole.cwiseAbs().maxCoeff());
  const bool fits = std::abs(scale - 1) < 0.15 &&
                    (multiple - whole).cwiseAbs().maxCoeff() < std::min(most, 0.45) &&
                    std::abs(whole.determinant() - cells) < 0.5;
  return fits ? IntMat3(whole.cast<int>()) : IntMat3(IntMat3::Zero());
}

}  // namespace solion::defects
