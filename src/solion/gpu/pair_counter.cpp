// Bins of their own, since a g(r) reaches farther than a neighbour list.
#include "solion/gpu/pair_counter.hpp"

#include <array>

namespace solion::gpu {

std::optional<std::vector<std::int64_t>> PairCounter::count(const double* positions,
                                                            std::span<const int> types, int n_types,
                                                            const Cell& cell, double bin_A, int bins) {
  const std::size_t n_counts =
      static_cast<std::size_t>(n_types) * static_cast<std::size_t>(n_types) * static_cast<std::size_t>(bins);
  if (n_counts > std::size_t{CountPairs::window} * CountPairs::most_windows) return std::nullopt;
  types_.upload(device_, types);
  box_of_.resize(device_, types.size());
  box_of_.clear();
  counts_.resize(device_, n_counts);
  counts_.clear();
  Bins near(bin_A * bins);
  near.set_cells(device_, std::array{cell}, static_cast<std::int64_t>(types.size()));
  near.update(positions, types_.data(), box_of_.data(), std::array<char, 1>{1});
  const CountPairs body{near.view(), static_cast<int>(types.size()), n_types, bins, bin_A, counts_.data()};
  device_.blocks(body.n_blocks(), CountPairs::atoms, body);
  const std::vector<unsigned long long> found = counts_.values();
  return std::vector<std::int64_t>(found.begin(), found.end());
}

}  // namespace solion::gpu
