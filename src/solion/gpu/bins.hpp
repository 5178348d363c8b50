// The atoms of many cells, dealt out to bins in a device's memory so that what lies near is found.
#pragma once

#include <span>

#include "solion/gpu/device.hpp"
#include "solion/structure/cell.hpp"

namespace solion::gpu {

/// Row by row, as the bodies have matrices.
inline void copy(const Mat3& m, double* out) {
  for (int k = 0; k < 9; ++k) out[k] = m(k / 3, k % 3);
}

/// For searches of one reach. A cell's bins are filled when the caller says so, whatever the others do.
class Bins {
 public:
  explicit Bins(double reach_A) : reach_(reach_A) {}

  /// InputError for a cell in which more images would be neighbours than a packed shift has.
  void set_cells(Device& device, std::span<const Cell> cells, std::int64_t n_atoms);
  void deform(std::size_t cell, const Cell& to);
  /// Moves the atoms (Å, not wrapped; `types` and `cell_of` by atom) into the loops' places; cells that are
  /// `stale` are wrapped and binned anew. True if there were some.
  bool update(const double* positions, const int* types, const int* cell_of, std::span<const char> stale);

  [[nodiscard]] BinView view() const;
  /// Positions at which each cell was binned.
  [[nodiscard]] const double* built() const { return built_.data(); }

 private:
  double reach_;
  Device* device_ = nullptr;
  std::int64_t n_atoms_ = 0;
  int n_bins_ = 0;
  std::vector<Box> boxes_;
  DeviceArray<Box> device_boxes_;
  DeviceArray<double> built_;
  DeviceArray<Site> sites_;
  DeviceArray<int> images_, bin_of_, count_, start_, filled_, members_;
};

}  // namespace solion::gpu
