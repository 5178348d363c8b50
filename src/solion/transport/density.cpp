// Histogram in fractional space; cube files are in bohr.
#include "solion/transport/density.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/archive.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/structure/elements.hpp"

namespace solion::transport {

namespace {
constexpr int least_voxels = 3;  // smoothing takes one from either side
}

DensityAccumulator::DensityAccumulator(DensityOptions options)
    : options_(std::move(options)), view_(options_.species, options_.framework, options_.unwrap) {}

void DensityAccumulator::add(const Frame& frame, const std::string& where) {
  view_.add(frame, where);
  if (view_.n_frames() == 1) {
    counts_ = make_grid(*frame.cell, options_.spacing_A);
    if (const int n = *std::min_element(counts_.n.begin(), counts_.n.end()); n < least_voxels)
      throw InputError("{}: voxels {} Å wide leave {} along a side of the cell; expected {} or more", where,
                       options_.spacing_A, n, least_voxels);
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) elements_.push_back(frame.element(i));
    positions_ = frame.positions;
  }
  for (const Vec3& s : view_.fractional()) {
    const Int3 v = counts_.voxel(s);
    counts_.values[counts_.index(v[0], v[1], v[2])] += 1;
  }
  cell_sum_ += view_.cell();
}

std::string DensityAccumulator::save() const { return save_state(*this); }
void DensityAccumulator::load(std::string_view bytes) { load_state(bytes, *this); }

Grid DensityAccumulator::density() const {
  if (view_.n_frames() == 0) throw InputError("density: no frames");
  const auto frames = static_cast<double>(view_.n_frames());
  const double voxel = Cell(cell_sum_ / frames).volume() / static_cast<double>(counts_.values.size());
  Grid grid = counts_;
  for (double& v : grid.values) v /= frames * voxel;
  for (int k = 0; k < 3; ++k) {
    const Grid before = grid;
    for (int x = 0; x < grid.n[0]; ++x)
      for (int y = 0; y < grid.n[1]; ++y)
        for (int z = 0; z < grid.n[2]; ++z) {
          Int3 low(x, y, z), high(x, y, z);
          low[k] = (low[k] + grid.n[k] - 1) % grid.n[k];
          high[k] = (high[k] + 1) % grid.n[k];
          const std::size_t i = grid.index(x, y, z);
          grid.values[i] = 0.5 * before.values[i] +
                           0.25 * before.values[before.index(low[0], low[1], low[2])] +
                           0.25 * before.values[before.index(high[0], high[1], high[2])];
        }
  }
  return grid;
}

Percolation DensityAccumulator::barrier_eV(double temperature_K) const {
  if (!(temperature_K > 0)) throw InputError("density: a temperature of {} K", temperature_K);
  Grid grid = density();
  const double largest = *std::max_element(grid.values.begin(), grid.values.end());
  // −F, so that the densest voxels come first; −∞ where no ion was.
  for (double& v : grid.values) v = constants::boltzmann_eV_per_K * temperature_K * std::log(v / largest);
  Percolation p = percolate(grid);
  for (double& level : p.level) level = std::abs(level);
  return p;
}

void DensityAccumulator::write_cube(const std::filesystem::path& path) const {
  const Grid grid = density();
  constexpr double bohr = constants::bohr_A;
  const Mat3 h = cell_sum_ / static_cast<double>(view_.n_frames());
  // A value is that of the middle of its voxel; readers take it for that of a grid point.
  Vec3 middle = Vec3::Zero();
  for (int k = 0; k < 3; ++k) middle += 0.5 * h.row(k).transpose() / (grid.n[k] * bohr);
  std::string text =
      fmt::format("density of {} over {} frames, ions per cubic angstrom\nsolion\n{} {:.8f} {:.8f} {:.8f}\n",
                  options_.species, view_.n_frames(), elements_.size(), middle[0], middle[1], middle[2]);
  for (int k = 0; k < 3; ++k) {
    const Vec3 edge = h.row(k).transpose() / (grid.n[k] * bohr);
    text += fmt::format("{} {:.8f} {:.8f} {:.8f}\n", grid.n[k], edge[0], edge[1], edge[2]);
  }
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    const Vec3 r = positions_[i] / bohr;
    text += fmt::format("{} 0 {:.6f} {:.6f} {:.6f}\n", atomic_number(elements_[i]), r[0], r[1], r[2]);
  }
  for (std::size_t i = 0; i < grid.values.size(); ++i) {
    text += fmt::format("{:.5e}", grid.values[i]);
    text += (i + 1) % 6 == 0 || (i + 1) % static_cast<std::size_t>(grid.n[2]) == 0 ? '\n' : ' ';
  }
  write_file(path, text);
}

}  // namespace solion::transport
