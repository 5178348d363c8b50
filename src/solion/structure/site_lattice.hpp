// The sites of a supercell (atoms and voids), their distances, and how symmetry permutes them.
#pragma once

#include <string>
#include <vector>

#include "solion/structure/interstitials.hpp"
#include "solion/structure/supercell.hpp"

namespace solion {

/// Which of its element's inequivalent sites each atom has, from 1, in the order of the frame.
std::vector<int> site_classes(const Frame& unit, const Symmetry& symmetry);

/// Sites 0 … n_atoms−1 are the atoms of `supercell(unit, M)` in its order; behind them stand the voids. The
/// symmetry group is that of the unit cell's operations which keep the superlattice, times the lattice
/// translations: no search on the supercell is needed, and the permutations are exact integer arithmetic.
class SiteLattice {
 public:
  SiteLattice(const Frame& unit, const Symmetry& symmetry, const std::vector<InterstitialSite>& voids,
              const IntMat3& matrix);

  [[nodiscard]] int n_atoms() const { return n_cells_ * n_unit_atoms_; }
  [[nodiscard]] int n_sites() const { return n_cells_ * n_unit_; }
  /// Element of the atom there, or "i1", "i2", … by the rank of the void.
  [[nodiscard]] const std::string& kind(int site) const { return kinds_[at(unit_of(site))]; }
  /// Those of one class of the element's sites (`site_classes`), or of all.
  [[nodiscard]] std::vector<int> sites_of_kind(const std::string& kind, int site_class = 0) const;
  /// Classes of inequivalent sites of an element.
  [[nodiscard]] int n_classes(const std::string& element) const;
  [[nodiscard]] Vec3 position(int site) const;
  /// Shortest distance between periodic images of two sites, Å.
  [[nodiscard]] double distance(int a, int b) const {
    if (dense_.empty()) return look_up_distance(a, b);
    return dense_[at(a) * at(n_sites()) + at(b)];
  }

  [[nodiscard]] int n_operations() const { return n_point_ * n_cells_; }
  /// Where operation `op` takes a site.
  [[nodiscard]] int image(int op, int site) const;

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  [[nodiscard]] int unit_of(int site) const;
  [[nodiscard]] int cell_of(int site) const;
  [[nodiscard]] int site_of(int unit, int cell) const;
  void add_operation(const SymmetryOperation& op, const Frame& unit);
  void tabulate_distances(const Cell& supercell);
  [[nodiscard]] double look_up_distance(int a, int b) const;

  LatticePoints lattice_;
  Cell unit_cell_;
  int n_cells_ = 0;
  int n_unit_atoms_ = 0;
  int n_unit_ = 0;
  int n_point_ = 0;
  std::vector<std::string> kinds_;  ///< of each unit site
  std::vector<int> classes_;        ///< of each unit atom
  std::vector<Vec3> fractional_;    ///< of each unit site
  std::vector<int> target_;         ///< [operation][site]: the site it goes to, before any translation
  std::vector<double> distance_;    ///< [unit site][unit site][cell difference]
  std::vector<double> dense_;       ///< [site][site], where that is no more than some megabytes
};

}  // namespace solion
