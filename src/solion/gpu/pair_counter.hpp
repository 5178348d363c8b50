// Pairs of one cell by types and distance, counted where the atoms are.
#pragma once

#include <optional>
#include <vector>

#include "solion/gpu/bins.hpp"

namespace solion::gpu {

class PairCounter {
 public:
  explicit PairCounter(Device& device) : device_(device) {}

  /// [a][b][k]: how many atoms of type b lie at k·bin_A ≤ r < (k + 1)·bin_A from atoms of type a, k < bins,
  /// images among them; none if the counts are too many for that to be fast. `positions` (3 an atom, Å, not
  /// wrapped) lie on the device, `types` < n_types on the host. InputError for a cell that is too thin for so
  /// long a reach. Waits for the device.
  std::optional<std::vector<std::int64_t>> count(const double* positions, std::span<const int> types,
                                                 int n_types, const Cell& cell, double bin_A, int bins);

 private:
  Device& device_;
  DeviceArray<int> types_, box_of_;
  DeviceArray<unsigned long long> counts_;
};

}  // namespace solion::gpu
