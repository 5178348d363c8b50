// Defect cells: the reactions of a crystal placed on the sites of a supercell.
// Theory: docs/theory/structure.md, "Placements".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "solion/structure/crystal.hpp"
#include "solion/structure/interstitials.hpp"
#include "solion/structure/supercell.hpp"

namespace solion {

/// Where the defects of a reaction go.
enum class Placement {
  nearest,   ///< the sum of the distances between the defects of one reaction is smallest
  farthest,  ///< … is largest
  random,    ///< every allowed configuration equally likely, by seed
  all        ///< one of each class of symmetry-equivalent configurations, with the size of its class
};

/// InputError lists the accepted names.
Placement parse_placement(const std::string& name);
std::string to_string(Placement placement);

struct DefectOptions {
  Placement placement = Placement::nearest;
  int count = 1;  ///< reactions in the cell
  std::uint64_t seed = 0;
  /// Two interstitials, or an interstitial and a vacancy of its own element (which would fall into it), keep
  /// at least this distance (Å); 0 switches the rule off.
  double min_separation_A = 2.5;
  double symmetry_tolerance_A = 1e-3;
  bool charged = false;  ///< the effective charges need not sum to 0: one defect of a pair alone
  std::size_t max_configurations = 100000;  ///< `all` refuses to make more
  std::size_t search_nodes =
      2000000;  ///< nearest, farthest: search steps before it settles for a good answer
  InterstitialOptions interstitials{};
};

struct PlacedDefect {
  std::string term;      ///< "V_Li'"
  int reaction = 0;      ///< which of the `count` reactions it belongs to
  Vec3 position;         ///< of its site in the perfect supercell, Å
  std::string occupant;  ///< empty: vacancy
  int atom = -1;  ///< number in the perfect supercell of the atom it replaces or removes; -1: interstitial
};

/// One supercell with its defects.
struct DefectCell {
  Frame frame;  ///< atoms in the order of the perfect supercell, interstitials last; `info` tells where it is
                ///< from
  std::vector<PlacedDefect> defects;
  /// Number of configurations of this supercell that symmetry maps onto this one, itself included.
  std::size_t degeneracy = 1;
  /// Sum of the minimum-image distances between the defects of each reaction, Å.
  double sum_of_distances_A = 0;
  /// nearest, farthest: whether the search went to its end, so that no better placement exists.
  bool proven = true;
  /// nearest, farthest: no placement has a smaller, larger sum of distances (Å).
  double sum_bound_A = 0;
};

/// Places `options.count` reactions in the supercell of the crystal. No site is used twice. One cell, or with
/// Placement::all one for each symmetry class. The same input gives the same cells, in the same order.
/// InputError if the reaction fails `check_reaction`, asks for more sites than there are, cannot keep the
/// minimum separation, or has more than `max_configurations` classes.
std::vector<DefectCell> build_defect_cells(const Crystal& crystal, const IntMat3& supercell,
                                           const Reaction& reaction, const DefectOptions& options = {});

}  // namespace solion
