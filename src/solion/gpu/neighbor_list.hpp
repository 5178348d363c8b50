// The neighbour list of many cells in a device's memory.
#pragma once

#include <span>
#include <vector>

#include "solion/gpu/batch.hpp"
#include "solion/gpu/bins.hpp"

namespace solion::gpu {

/// Lists of all pairs within cutoff + skin; each cell's is made when it has to be, whatever the others do.
class NeighborList {
 public:
  NeighborList(double cutoff, double skin) : cutoff_(cutoff), skin_(skin), bins_(cutoff + skin) {}

  /// `first_atom` has one more number than there are cells; `types` and `cell_of` belong to the caller.
  void set_cells(Device& device, std::span<const BatchCell> cells, std::span<const int> first_atom);
  void deform(std::span<const Cell> cells);
  void forget(int cell) { stale_[static_cast<std::size_t>(cell)] = 1; }
  void forget_stale(std::span<const Moves> moves);
  /// Places the atoms and makes the lists that are asked for. Waits for the device only then.
  void update(const double* positions, const int* types, const int* cell_of);
  /// Matrices r → r·back by cell, for LargestMoves, and the positions that they refer to.
  const double* back();
  [[nodiscard]] const double* built() const { return bins_.built(); }

  [[nodiscard]] ListView view() const;
  /// Changes when something that `view()` points to moves (Device::repeat).
  [[nodiscard]] std::uint64_t key() const { return key_; }
  [[nodiscard]] double seconds() const { return seconds_; }
  [[nodiscard]] int capacity() const { return capacity_; }
  /// Numbers an atom needs at this density: a guess for memory and a first list.
  static int expected_capacity(std::span<const BatchCell> cells, double reach);

 private:
  void build();
  /// Returns the length of the longest row.
  int find();
  void widen(int capacity);

  double cutoff_, skin_, seconds_ = 0;
  Device* device_ = nullptr;
  std::int64_t n_atoms_ = 0;
  int capacity_ = 0;
  std::uint64_t key_ = 0;
  Bins bins_;
  std::vector<Cell> cells_, built_cells_;
  std::vector<char> stale_;
  DeviceArray<double> back_;
  DeviceArray<int> neighbors_, shifts_, counts_, reverse_, found_;
};

}  // namespace solion::gpu
