// Bins, then rows of neighbours, then the way back of every pair.
#include "solion/gpu/neighbor_list.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::gpu {
namespace {

int rounded(double n) { return (static_cast<int>(n) + 7) / 8 * 8; }

}  // namespace

int NeighborList::expected_capacity(std::span<const BatchCell> cells, double reach) {
  double densest = 0;
  for (const BatchCell& cell : cells)
    densest = std::max(densest, static_cast<double>(cell.types.size()) / cell.cell.volume());
  return rounded(1.15 * densest * 4.0 / 3.0 * constants::pi * reach * reach * reach + 8);
}

void NeighborList::set_cells(Device& device, std::span<const BatchCell> cells,
                             std::span<const int> first_atom) {
  device_ = &device;
  key_ = device.new_key();
  n_atoms_ = first_atom.back();
  cells_.clear();
  for (const BatchCell& cell : cells) cells_.push_back(cell.cell);
  built_cells_ = cells_;
  stale_.assign(cells_.size(), 1);
  bins_.set_cells(device, cells_, n_atoms_);
  const auto atoms = static_cast<std::size_t>(n_atoms_);
  counts_.resize(device, atoms);
  found_.resize(device, 2);
  capacity_ = expected_capacity(cells, cutoff_ + skin_);
  for (DeviceArray<int>* rows : {&neighbors_, &shifts_, &reverse_})
    rows->resize(device, atoms * static_cast<std::size_t>(capacity_));
}

void NeighborList::deform(std::span<const Cell> cells) {
  for (std::size_t k = 0; k < cells.size(); ++k) {
    if (cells[k].matrix() == cells_[k].matrix()) continue;
    cells_[k] = cells[k];
    bins_.deform(k, cells[k]);
  }
}

void NeighborList::forget_stale(std::span<const Moves> moves) {
  for (std::size_t k = 0; k < moves.size(); ++k) {
    const Deformation change = deformation(built_cells_[k], cells_[k]);
    if (!(change.needed_reach(cutoff_, moves[k].displacement) <= cutoff_ + skin_)) stale_[k] = 1;
  }
}

const double* NeighborList::back() {
  std::vector<double> matrices(9 * cells_.size());
  for (std::size_t k = 0; k < cells_.size(); ++k)
    copy(deformation(built_cells_[k], cells_[k]).back, matrices.data() + 9 * k);
  back_.upload(*device_, matrices);
  return back_.data();
}

void NeighborList::update(const double* positions, const int* types, const int* cell_of) {
  const auto begin = std::chrono::steady_clock::now();
  if (!bins_.update(positions, types, cell_of, stale_)) return;
  build();
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void NeighborList::build() {
  const int most = find();
  if (most > capacity_) {
    widen(rounded(1.05 * most + 8));
    find();
  }
  const std::int64_t places = n_atoms_ * capacity_;
  device_->each(places, FindReverse{view(), reverse_.data(), found_.data() + 1});
  std::array<int, 2> found{};
  found_.download(found);
  if (found[1] != 0) throw WorkError("neighbour list on the device: {} pairs have no way back", found[1]);
  for (std::size_t k = 0; k < stale_.size(); ++k) {
    if (stale_[k] != 0) built_cells_[k] = cells_[k];
    stale_[k] = 0;
  }
}

int NeighborList::find() {
  found_.clear();
  const double reach = cutoff_ + skin_;
  device_->each(n_atoms_, FindNeighbors{bins_.view(), reach * reach, capacity_, neighbors_.data(),
                                        shifts_.data(), counts_.data(), found_.data()});
  std::array<int, 2> found{};
  found_.download(found);
  return found[0];
}

void NeighborList::widen(int capacity) {
  for (DeviceArray<int>* rows : {&neighbors_, &shifts_, &reverse_}) {
    DeviceArray<int> wider;
    wider.resize(*device_, static_cast<std::size_t>(n_atoms_) * static_cast<std::size_t>(capacity));
    device_->each(n_atoms_ * capacity_, WidenRows{rows->data(), wider.data(), capacity_, capacity});
    *rows = std::move(wider);
  }
  capacity_ = capacity;
  key_ = device_->new_key();
}

ListView NeighborList::view() const {
  const BinView bins = bins_.view();
  return {bins.sites,     bins.boxes,      neighbors_.data(), shifts_.data(),
          counts_.data(), reverse_.data(), capacity_};
}

}  // namespace solion::gpu
