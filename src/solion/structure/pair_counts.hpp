// How many pairs of atoms lie at which distance, counted by whoever has the atoms.
#pragma once

#include <cstdint>
#include <vector>

#include "solion/structure/types.hpp"

namespace solion {

/// Ordered pairs of one periodic configuration, those with images among them: what a g(r) needs of it.
struct PairCounts {
  TypeMap type_map;
  std::vector<std::int64_t> atoms;  ///< by type
  double volume_A3 = 0;
  double bin_A = 0;
  int bins = 0;
  std::vector<std::int64_t> counts;  ///< [a][b][bin]: atoms of type b around atoms of type a

  [[nodiscard]] std::int64_t at(int a, int b, int bin) const {
    const std::size_t row = static_cast<std::size_t>(a) * atoms.size() + static_cast<std::size_t>(b);
    return counts[row * static_cast<std::size_t>(bins) + static_cast<std::size_t>(bin)];
  }
};

}  // namespace solion
