// Where a frame lies in descriptor space: a model-free vector that equal configurations share.
// Theory: docs/theory/learn.md, "Selection".
#pragma once

#include <Eigen/Core>

#include "solion/structure/frame.hpp"

namespace solion::learn {

/// The environment of each atom is expanded in radial Gaussians and Cartesian tensors of rank 0, 1 and 2 of
/// the neighbours of each element, as DeepPot-SE's descriptor does with trained radial functions; the squared
/// norms are invariant under rotation. A frame's vector holds, by element of the centre, their mean and
/// standard deviation over its atoms, so that frames of other size compare. Length: elements² · 2 · 3 ·
/// n_radial. `elements` gives the order; an element that the frame lacks gives zeros. InputError for an
/// element that is not in the list.
struct FingerprintOptions {
  double cutoff_A = 6.0;
  int n_radial = 6;
};
Eigen::VectorXd fingerprint(const Frame& frame, const TypeMap& elements,
                            const FingerprintOptions& options = {});

}  // namespace solion::learn
