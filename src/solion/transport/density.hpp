// Density of ions on a grid of the cell, and the free energy at which it spans the crystal.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "solion/transport/mobile_view.hpp"
#include "solion/transport/percolation.hpp"

namespace solion::transport {

struct DensityOptions {
  std::string species;
  std::vector<std::string> framework;  ///< empty: all other species
  double spacing_A = 0.3;
};

/// Memory: the grid. Section 9 of docs/theory/transport.md.
class DensityAccumulator {
 public:
  explicit DensityAccumulator(DensityOptions options);
  void add(const Frame& frame, const std::string& where);
  [[nodiscard]] std::size_t n_frames() const { return view_.n_frames(); }
  /// Ions per Å³, smoothed once with the weights 1 2 1 along each axis. InputError without frames.
  [[nodiscard]] Grid density() const;
  /// Highest free energy −k_B T ln(ρ/ρ_max) (eV) that a path across the cell in 1, 2 and 3 dimensions must
  /// pass; NaN where ions were not seen to connect.
  [[nodiscard]] Percolation barrier_eV(double temperature_K) const;
  /// Gaussian cube file of the density, with the atoms of the first frame.
  void write_cube(const std::filesystem::path& path) const;

 private:
  DensityOptions options_;
  MobileView view_;
  Grid counts_;
  Mat3 cell_sum_ = Mat3::Zero();
  Frame first_;
};

}  // namespace solion::transport
