// Interstitial sites of a crystal: the centres of its largest empty spheres.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "solion/structure/symmetry.hpp"

namespace solion {

struct InterstitialOptions {
  double min_radius_A = 1.0;  ///< smaller voids are left out
  double max_radius_A = 4.0;  ///< larger ones too: that is no interstitial but a pore
  double merge_A = 0.5;       ///< centres closer than this are one void; the one farther from atoms stays
  /// Oxidation states of elements of the host and charge of the ion to put in: with both, voids are ranked by
  /// the distance to the nearest ion of like charge instead of to the nearest atom.
  std::map<std::string, int> oxidation_states{};
  int ion_charge = 0;
};

/// One symmetry class of voids.
struct InterstitialSite {
  std::vector<Vec3> positions;  ///< all of them in the cell (Å), wrapped; the first is the representative
  double radius_A = 0;          ///< distance to the nearest atoms
  double like_charge_A = 0;     ///< distance to the nearest ion of like charge; 0 if charges were not given
  std::string surroundings;     ///< the touching atoms, "Li4 Cl2"
};

/// Local maxima of the distance to the nearest atom, that is those vertices of the Voronoi diagram that lie
/// inside the hull of their nearest atoms (exact, no grid); symmetry-equivalent ones are one class; ranked by
/// distance, largest first. Theory: docs/theory/structure.md, "Interstitial sites".
std::vector<InterstitialSite> find_interstitials(const Frame& host, const Symmetry& symmetry,
                                                 const InterstitialOptions& options = {});

}  // namespace solion
