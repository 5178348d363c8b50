// An elastic band of images on any surface: improved tangent, springs, climbing image.
#pragma once

#include <functional>
#include <vector>

#include "solion/potential/potential.hpp"

namespace solion::relax {

/// Energy and forces of image `image`, whose atoms stand as in `frame`. Called for different images at the
/// same time.
using ImageSurface = std::function<void(std::size_t image, const Frame& frame, Evaluation& result)>;

struct BandOptions {
  double force_eV_per_A = 0.01;     ///< done when no atom of any image feels a larger band force
  double spring_eV_per_A2 = 5;      ///< between neighbouring images
  double max_step_A = 0.1;          ///< farthest an atom of an image moves in one step
  double stiffness_eV_per_A2 = 20;  ///< of the first step
  int max_steps = 1000;
  bool climb = true;  ///< the highest image climbs to the saddle once the band is at rest enough:
  double climb_below_eV_per_A = 0.3;  ///< when no band force is larger than this
  bool climbing = false;              ///< it climbs from the first step on (a run that is continued)
  int threads = 1;                    ///< images at the same time
};

/// What is known of a band as it stands.
struct BandState {
  std::vector<Frame> images;  ///< both ends included; atoms move continuously from one to the next
  std::vector<Evaluation> evaluations;
  std::vector<Eigen::VectorXd> tangents;  ///< unit vectors (3·atoms) towards the last image
  std::vector<double> band_force;         ///< largest on an atom of each image, eV/Å; 0 at the ends
  int climber = -1;                       ///< the image that climbs; −1: none does
  int steps = 0;
  bool converged = false;

  [[nodiscard]] double largest_band_force() const;
};

/// Relaxes the images between the two ends, which stay where they are. Tangents: Henkelman and Jónsson,
/// J. Chem. Phys. 113, 9978 (2000), eqs 8–11; spring force eq 12. The highest image climbs: Henkelman,
/// Uberuaga and Jónsson, J. Chem. Phys. 113, 9901 (2000), eq 5; no image climbs where an end is the highest.
/// Steps are those of L-BFGS on all images together without a line search (Sheppard, Terrell and Henkelman,
/// J. Chem. Phys. 128, 134106 (2008)); after one that makes the band forces grow much the next is shorter and
/// the memory new, and a band that comes no nearer to rest goes on with FIRE. `each` may save or show the
/// band; the result does not depend on `threads`. InputError for fewer than three images, images that are not
/// of the same atoms, or options without sense.
BandState relax_band(const ImageSurface& surface, std::vector<Frame> images, const BandOptions& options,
                     const std::function<void(const BandState&)>& each = {});

/// Positions of all atoms as one vector (Å).
Eigen::VectorXd coordinates_of(const Frame& frame);

}  // namespace solion::relax
