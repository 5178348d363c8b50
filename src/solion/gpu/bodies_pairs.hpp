// Kernel body that counts pairs by types and distance, for a g(r).
#pragma once

#include <cmath>

#include "solion/gpu/bodies_list.hpp"

namespace solion::gpu {

/// All pairs of a box within its bins' reach: [a][b][k] counts atoms of type b at k·bin ≤ r < (k + 1)·bin
/// from atoms of type a. A block takes some atoms, in the order of their bins, and a window of the counts,
/// which it keeps in its own memory until it has them all.
struct CountPairs {
  static constexpr bool blocks = true;
  static constexpr int atoms = 128;    ///< a thread each
  static constexpr int window = 8192;  ///< counts, 32 kB
  static constexpr int most_windows =
      64;  ///< each is a search of its own; more would take longer than the host
  BinView bins;
  int n_atoms, n_types;
  int n_distances;  ///< bins of distance
  double bin_A;
  unsigned long long* counts;
  [[nodiscard]] static std::size_t scratch() { return window * sizeof(int); }
  [[nodiscard]] SOLION_BOTH int n_counts() const { return n_types * n_types * n_distances; }
  [[nodiscard]] SOLION_BOTH int windows() const { return (n_counts() + window - 1) / window; }
  [[nodiscard]] std::int64_t n_blocks() const {
    return static_cast<std::int64_t>((n_atoms + atoms - 1) / atoms) * windows();
  }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t i) const {
    int* here = reinterpret_cast<int*>(block.memory);
    const int slice = static_cast<int>(i / windows()) * atoms,
              first = static_cast<int>(i % windows()) * window;
    const int n = n_counts() - first < window ? n_counts() - first : window;
    block.for_each(n, [&](int k) { here[k] = 0; });
    block.for_each(n_atoms - slice < atoms ? n_atoms - slice : atoms, [&](int k) {
      const int atom = bins.members[slice + k];
      const int row = bins.sites[atom].type * n_types;
      bins.near(atom, [&](int j, int /*image*/, double r2) {
        const double distance = std::sqrt(r2) / bin_A;
        if (!(distance < n_distances)) return;
        const int at = (row + bins.sites[j].type) * n_distances + static_cast<int>(distance) - first;
        if (at >= 0 && at < n) add(here + at, 1);
      });
    });
    block.for_each(n, [&](int k) {
      if (here[k] != 0) add(counts + first + k, static_cast<unsigned long long>(here[k]));
    });
  }
};

}  // namespace solion::gpu
