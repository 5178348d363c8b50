// Which sites the defects of a reaction take: exhaustive with symmetry, by search, or at random.
#pragma once

#include <cstdint>
#include <vector>

#include "solion/structure/reactions.hpp"
#include "solion/structure/site_lattice.hpp"

namespace solion {

/// One site taken by one defect of term `term` of the reaction.
struct TakenSite {
  int term;
  int site;
  int reaction = 0;  ///< which of the reactions in the cell
};
using Configuration = std::vector<TakenSite>;

/// A reaction on a lattice of sites, and the rules for what may stand together.
class PlacementProblem {
 public:
  /// InputError if `count` reactions need more sites of a kind than there are.
  PlacementProblem(const SiteLattice& lattice, const Reaction& reaction, int count, double min_separation_A);

  [[nodiscard]] const SiteLattice& lattice() const { return lattice_; }
  [[nodiscard]] const Reaction& reaction() const { return reaction_; }
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] const std::vector<int>& candidates(int term) const {
    return candidates_[static_cast<std::size_t>(term)];
  }
  /// Whether the two may stand in one cell.
  [[nodiscard]] bool compatible(const TakenSite& a, const TakenSite& b) const;
  [[nodiscard]] bool compatible(const Configuration& placed, const TakenSite& next) const;
  /// Number of configurations that symmetry maps onto this one.
  [[nodiscard]] std::size_t degeneracy(const Configuration& configuration) const;
  /// Sum of distances between the defects of each reaction, Å.
  [[nodiscard]] double sum_of_distances(const Configuration& configuration) const;

 private:
  const SiteLattice& lattice_;
  const Reaction& reaction_;
  int count_;
  double min_separation_A_;
  std::vector<std::vector<int>> candidates_;  ///< of each term
};

struct SymmetryClass {
  Configuration configuration;
  std::size_t degeneracy;
};

/// One configuration of each symmetry class, in a fixed order; InputError beyond `most` classes.
std::vector<SymmetryClass> distinct_configurations(const PlacementProblem& problem, std::size_t most);

struct SearchResult {
  Configuration configuration;
  bool proven;  ///< false: the search was cut at `nodes` steps and its best configuration improved by
                ///< exchanges
  /// No placement has a smaller (nearest) or larger (farthest) sum of distances, Å; the sum itself if proven.
  double bound_A = 0;
};

/// Smallest (or largest) sum of distances within each reaction, by branch and bound with at most `nodes`
/// steps (fewer in cells of so many sites that a step is slow); further reactions are images of the first
/// under symmetry, as far from the others as possible. InputError if nothing fits.
SearchResult extreme_configuration(const PlacementProblem& problem, bool farthest, std::size_t nodes);

/// A configuration drawn uniformly from the allowed ones; InputError if 10000 draws give none.
Configuration random_configuration(const PlacementProblem& problem, std::uint64_t seed);

}  // namespace solion
