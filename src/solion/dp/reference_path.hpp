// The Deep Potential evaluated plainly in double precision: the oracle that every faster path is checked
// against.
#pragma once

#include <span>

#include "solion/dp/model.hpp"
#include "solion/potential/potential.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::dp {

/// The atom with the most neighbours beyond the model's `sel`, by type; `excess` = 0 if there is none.
struct SelExcess {
  int type = 0;    ///< neighbour type
  int count = 0;   ///< its neighbours around one atom
  int excess = 0;  ///< how many more than sel
  void consider(int neighbour_type, int n, int sel) {
    if (n - sel > excess) *this = {neighbour_type, n, n - sel};
  }
};

/// Energy, and what is requested, of the centres of `list`, whose cutoff is at least the model's. `types` has
/// the model's type of each owner; a ghost has its owner's. Results go by owner. Equations:
/// docs/theory/dp.md. InputError if two atoms lie at the same place.
SelExcess evaluate_reference(const Model& model, const NeighborView& list, std::span<const int> types,
                             const Request& request, Evaluation& result);

}  // namespace solion::dp
