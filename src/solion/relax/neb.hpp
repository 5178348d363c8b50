// Minimum-energy paths and barriers with any potential: the climbing-image nudged elastic band.
#pragma once

#include <functional>
#include <vector>

#include "solion/potential/potential.hpp"
#include "solion/relax/band.hpp"

namespace solion::relax {

/// Energy along a path from values and slopes at the images: a cubic between every two (Henkelman and
/// Jónsson, J. Chem. Phys. 113, 9978 (2000), appendix).
struct PathProfile {
  std::vector<double> coordinate_A;    ///< along the path, distances in 3N dimensions; 0 at the first image
  std::vector<double> energy_eV;       ///< less that of the first image
  std::vector<double> slope_eV_per_A;  ///< dE/ds = −F·τ
  double highest_eV = 0;               ///< of the cubics
  double highest_at_A = 0;

  /// The cubic at `s` (Å), which is cut to the path.
  [[nodiscard]] double at(double s) const;
};

PathProfile path_profile(const BandState& band);

struct NebResult {
  BandState band;  ///< images with the potential's energy and forces as labels
  PathProfile profile;
  int saddle = 0;            ///< image of the highest energy
  bool has_barrier = false;  ///< an image between the ends is the highest
  bool climbed = false;      ///< it climbed, and so stands on the saddle where the band is converged
  /// Of the climbing image, or of the cubics where none climbed; less the energy of either end.
  double forward_eV = 0, backward_eV = 0;
  double reaction_eV = 0;  ///< last image less the first
  /// Minima of the energy between the ends deeper than 1 meV: where there is one, two hops follow each other.
  int intermediate_minima = 0;
  double end_force_eV_per_A = 0;  ///< largest at the two ends, which are taken for minima
};

/// Relaxes a path (both ends and the images between them) with clones of the potential, one an image, so that
/// `options.threads` images are computed at the same time and each keeps its neighbour list or
/// wavefunctions. `each` gets the band after every step. InputError and WorkError as `relax_band` and the
/// potential.
NebResult nudged_elastic_band(const Potential& potential, std::vector<Frame> path, const BandOptions& options,
                              const std::function<void(const NebResult&)>& each = {});

}  // namespace solion::relax
