// At which level a field on a periodic grid spans the cell in one, two and three dimensions.
#pragma once

#include <limits>
#include <vector>

#include "solion/structure/cell.hpp"

namespace solion::transport {

/// Values at the voxels of a periodic cell, x slowest: index (x·n_y + y)·n_z + z.
struct Grid {
  Int3 n = Int3::Ones();
  std::vector<double> values;

  [[nodiscard]] std::size_t index(int x, int y, int z) const {
    return (static_cast<std::size_t>(x) * static_cast<std::size_t>(n[1]) + static_cast<std::size_t>(y)) *
               static_cast<std::size_t>(n[2]) +
           static_cast<std::size_t>(z);
  }
  /// Voxel that holds a fractional coordinate.
  [[nodiscard]] Int3 voxel(const Vec3& fractional) const;
};

/// Voxels about `spacing_A` wide. InputError if that makes more than 100 million, or the spacing is not
/// positive.
Grid make_grid(const Cell& cell, double spacing_A);

/// The largest level at which the voxels with values above it connect (through faces) to their own periodic
/// images in at least 1, 2 and 3 independent directions; NaN where no level does. Only finite values count.
struct Percolation {
  double level[3] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN(),
                     std::numeric_limits<double>::quiet_NaN()};
};
Percolation percolate(const Grid& grid);

/// The largest level at which two voxels connect by voxels for which `inside` is true, without leaving them
/// through another image: `to` may lie outside the grid's first cell. NaN if they do not.
template <class Inside>
double bottleneck(const Grid& grid, const Int3& from, const Int3& to, const Inside& inside);

}  // namespace solion::transport

#include "solion/transport/percolation_bottleneck.hpp"
