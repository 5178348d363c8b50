// The hops of atoms into vacancies of a crystal, one of each symmetry class.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "solion/structure/site_lattice.hpp"

namespace solion::defects {

/// One atom moves from its site into a vacancy. Sites are the atoms of the perfect supercell, from 0.
struct VacancyHop {
  int from = 0, to = 0;
  double distance_A = 0;  ///< between the sites
  /// Hops of this class out of one vacancy (of the site `to`), and hops of this class in the whole cell
  /// (crystal: pairs of sites; defect cell: into any of its vacancies).
  int per_vacancy = 0, in_cell = 0;
  Frame initial, final_frame;  ///< unrelaxed; the same atoms in the same order
};

/// A crystal as a supercell of it knows it.
struct HopLattice {
  Frame unit;  ///< the crystal at the cell that the hops are wanted for
  Symmetry symmetry;
  IntMat3 matrix;  ///< supercell, rows
};

/// Distances up to this count as nearest: 1.2 times the least between two sites of the species (Å).
/// InputError if the crystal has no such species.
double nearest_hops_A(const HopLattice& lattice, const std::string& species);

/// Distinct hops up to `within_A` of the species in the otherwise perfect supercell: a vacancy at `to`, the
/// atom of `from` moves in. A hop and its way back are one. Classes are those of the crystal's operations
/// that keep the supercell, so that each is a calculation of its own. Ordered by distance. InputError if
/// `within_A` is not below half the least width of the supercell (a hop would then meet its own image).
std::vector<VacancyHop> crystal_hops(const HopLattice& lattice, const std::string& species, double within_A);

/// The same in a cell that has defects: `start` is the supercell with vacancies of the species (and any
/// other defect), relaxed or not; its atoms are taken to the nearest site within 1 Å. Both ways of a hop
/// count, if both begin in `start`. With `pair` only the hop between these two sites, one of them occupied
/// by the species and the other empty, whatever their distance below half the width. Symmetry is that of the
/// sites' occupation; none is used where atoms stand off the sites (interstitials). InputError if the cells
/// do not fit each other, there is no vacancy of the species, or the pair is no atom and vacancy.
std::vector<VacancyHop> defect_hops(const HopLattice& lattice, const Frame& start, const std::string& species,
                                    double within_A, const std::optional<std::pair<int, int>>& pair = {});

/// The supercell of the crystal that a defect cell is, which may have been built at another lattice constant
/// (within 15 %): its atoms tell the number of crystal cells. Zero if it is none. Both have cells.
IntMat3 supercell_of(const Frame& defect, const Frame& crystal);

}  // namespace solion::defects
