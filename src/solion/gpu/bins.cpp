// Boxes by cell; counting sort of the atoms by bin.
#include "solion/gpu/bins.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"

namespace solion::gpu {
namespace {

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

void Bins::set_cells(Device& device, std::span<const Cell> cells, std::int64_t n_atoms) {
  device_ = &device;
  n_atoms_ = n_atoms;
  boxes_.assign(cells.size(), Box{});
  n_bins_ = 0;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    Box& box = boxes_[k];
    choose_bins(cells[k], reach_, box);
    set_cell(cells[k], reach_, box);
    box.first_bin = n_bins_;
    n_bins_ += box.bins[0] * box.bins[1] * box.bins[2];
  }
  const auto atoms = static_cast<std::size_t>(n_atoms), bins = static_cast<std::size_t>(n_bins_);
  built_.resize(device, 3 * atoms);
  sites_.resize(device, atoms);
  images_.resize(device, 3 * atoms);
  bin_of_.resize(device, atoms);
  count_.resize(device, bins);
  start_.resize(device, bins + 1);
  filled_.resize(device, bins);
  members_.resize(device, atoms);
}

void Bins::deform(std::size_t cell, const Cell& to) { set_cell(to, reach_, boxes_[cell]); }

bool Bins::update(const double* positions, const int* types, const int* cell_of,
                  std::span<const char> stale) {
  for (std::size_t k = 0; k < boxes_.size(); ++k) boxes_[k].rebuild = stale[k];
  device_boxes_.upload(*device_, boxes_);
  const bool building = std::ranges::find(stale, 1) != stale.end();
  if (building) {
    count_.clear();
    filled_.clear();
  }
  device_->each(n_atoms_,
                PlaceAtoms{device_boxes_.data(), positions, types, cell_of, images_.data(), built_.data(),
                           bin_of_.data(), count_.data(), sites_.data(), building ? 1 : 0});
  if (!building) return false;
  device_->blocks(1, ScanBins::parts, ScanBins{count_.data(), start_.data(), n_bins_});
  device_->each(n_atoms_, FillBins{bin_of_.data(), start_.data(), filled_.data(), members_.data()});
  device_->each(n_bins_, OrderBin{start_.data(), members_.data()});
  return true;
}

BinView Bins::view() const {
  return {device_boxes_.data(), sites_.data(), bin_of_.data(), start_.data(), members_.data()};
}

}  // namespace solion::gpu
