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

void copy(const Mat3& m, double* out) {
  for (int k = 0; k < 9; ++k) out[k] = m(k / 3, k % 3);
}

int rounded(double n) { return (static_cast<int>(n) + 7) / 8 * 8; }

/// Bins of about half the reach: 125 of them hold fewer strangers than 27 larger ones.
void choose_bins(const Cell& cell, double reach, Box& box) {
  const Vec3 widths = cell.widths();
  for (int k = 0; k < 3; ++k) box.bins[k] = std::clamp(static_cast<int>(widths[k] / (reach / 2)), 1, 1000);
}

void set_cell(const Cell& cell, double reach, Box& box) {
  copy(cell.matrix(), box.h);
  copy(cell.matrix().inverse(), box.inverse);
  const Vec3 widths = cell.widths();
  for (int k = 0; k < 3; ++k) {
    box.reach[k] = static_cast<int>(std::ceil(reach * box.bins[k] / widths[k]));
    if (box.reach[k] / box.bins[k] >= largest_shift)
      throw InputError("the cell is only {:.3g} Å wide: more than {} images would be neighbours", widths[k],
                       largest_shift);
  }
}

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
  const std::size_t n = cells.size();
  n_atoms_ = first_atom.back();
  boxes_.assign(n, Box{});
  cells_.clear();
  n_bins_ = 0;
  const double reach = cutoff_ + skin_;
  for (std::size_t k = 0; k < n; ++k) {
    Box& box = boxes_[k];
    choose_bins(cells[k].cell, reach, box);
    set_cell(cells[k].cell, reach, box);
    box.first_bin = n_bins_;
    n_bins_ += box.bins[0] * box.bins[1] * box.bins[2];
    cells_.push_back(cells[k].cell);
  }
  built_cells_ = cells_;
  stale_.assign(n, 1);
  const auto atoms = static_cast<std::size_t>(n_atoms_), bins = static_cast<std::size_t>(n_bins_);
  built_.resize(device, 3 * atoms);
  sites_.resize(device, atoms);
  images_.resize(device, 3 * atoms);
  bin_of_.resize(device, atoms);
  count_.resize(device, bins);
  start_.resize(device, bins + 1);
  filled_.resize(device, bins);
  members_.resize(device, atoms);
  counts_.resize(device, atoms);
  found_.resize(device, 2);
  capacity_ = expected_capacity(cells, reach);
  for (DeviceArray<int>* rows : {&neighbors_, &shifts_, &reverse_})
    rows->resize(device, atoms * static_cast<std::size_t>(capacity_));
}

void NeighborList::deform(std::span<const Cell> cells) {
  for (std::size_t k = 0; k < cells.size(); ++k) {
    if (cells[k].matrix() == cells_[k].matrix()) continue;
    cells_[k] = cells[k];
    set_cell(cells[k], cutoff_ + skin_, boxes_[k]);
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

void NeighborList::upload_boxes() {
  for (std::size_t k = 0; k < boxes_.size(); ++k) boxes_[k].rebuild = stale_[k];
  device_boxes_.upload(*device_, boxes_);
}

void NeighborList::update(const double* positions, const int* types, const int* cell_of) {
  upload_boxes();
  if (std::find(stale_.begin(), stale_.end(), 1) == stale_.end()) {
    place(positions, types, cell_of, false);
    return;
  }
  const auto begin = std::chrono::steady_clock::now();
  build(positions, types, cell_of);
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void NeighborList::place(const double* positions, const int* types, const int* cell_of, bool building) {
  device_->each(n_atoms_,
                PlaceAtoms{device_boxes_.data(), positions, types, cell_of, images_.data(), built_.data(),
                           bin_of_.data(), count_.data(), sites_.data(), building ? 1 : 0});
}

void NeighborList::build(const double* positions, const int* types, const int* cell_of) {
  count_.clear();
  filled_.clear();
  place(positions, types, cell_of, true);
  fill_bins();
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

void NeighborList::fill_bins() {
  device_->blocks(1, ScanBins::parts, ScanBins{count_.data(), start_.data(), n_bins_});
  device_->each(n_atoms_, FillBins{bin_of_.data(), start_.data(), filled_.data(), members_.data()});
  device_->each(n_bins_, OrderBin{start_.data(), members_.data()});
}

int NeighborList::find() {
  found_.clear();
  const double reach = cutoff_ + skin_;
  device_->each(n_atoms_, FindNeighbors{device_boxes_.data(), sites_.data(), bin_of_.data(), start_.data(),
                                        members_.data(), reach * reach, capacity_, neighbors_.data(),
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
  return {sites_.data(),  device_boxes_.data(), neighbors_.data(), shifts_.data(),
          counts_.data(), reverse_.data(),      capacity_};
}

}  // namespace solion::gpu
