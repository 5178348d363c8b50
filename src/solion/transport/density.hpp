// Density of ions on a grid of the cell, and the free energy at which it spans the crystal.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "solion/transport/mobile_view.hpp"
#include "solion/transport/percolation.hpp"

namespace solion::transport {

struct DensityOptions {
  std::string species;
  std::vector<std::string> framework;  ///< empty: all other species
  double spacing_A = 0.3;
  UnwrapOptions unwrap = {};
};

/// Memory: the grid. Section 9 of docs/theory/transport.md.
class DensityAccumulator {
 public:
  explicit DensityAccumulator(DensityOptions options);
  void add(const Frame& frame, const std::string& where);
  [[nodiscard]] std::size_t n_frames() const { return view_.n_frames(); }
  [[nodiscard]] const std::string& species() const { return options_.species; }
  /// Ions per Å³, smoothed once with the weights 1 2 1 along each axis. InputError without frames.
  [[nodiscard]] Grid density() const;
  /// Highest free energy −k_B T ln(ρ/ρ_max) (eV) that a path across the cell in 1, 2 and 3 dimensions must
  /// pass; NaN where ions were not seen to connect.
  [[nodiscard]] Percolation barrier_eV(double temperature_K) const;
  /// Gaussian cube file of the density, with the atoms of the first frame.
  void write_cube(const std::filesystem::path& path) const;

  /// Everything but the options: one with the same options goes on from there, to the last bit.
  [[nodiscard]] std::string save() const;
  void load(std::string_view bytes);
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.view_, self.counts_.n, self.counts_.values, self.cell_sum_, self.elements_, self.positions_);
  }

 private:
  DensityOptions options_;
  MobileView view_;
  Grid counts_;
  Mat3 cell_sum_ = Mat3::Zero();
  std::vector<std::string> elements_;  // of the first frame, with
  std::vector<Vec3> positions_;        // its atoms
};

}  // namespace solion::transport
