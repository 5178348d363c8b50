// Counting every pair of a full neighbour list once.
#pragma once

#include "solion/structure/neighborhood.hpp"

namespace solion {

/// Of the two entries (i, j) and (j, i) of the full list, true for one; of an atom with its own images, for
/// one of each two opposite ones.
inline bool first_of_pair(const Neighborhood& near, int i, int j) {
  const int owner = near.owner(j);
  if (owner != i) return owner > i;
  const Int3 n = near.shift(j) - near.shift(i);
  for (int k = 0; k < 3; ++k) {
    if (n[k] != 0) return n[k] > 0;
  }
  return false;
}

}  // namespace solion
