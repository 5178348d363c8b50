// Union-find over voxels in falling order; loops that close across the cell give winding vectors.
#include "solion/transport/percolation.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

/// Clusters of voxels; each voxel knows its displacement (in voxels, unwrapped) from its root, and each root
/// the cell vectors by which its cluster is connected to itself.
class Clusters {
 public:
  explicit Clusters(std::size_t n) : parent_(n), offset_(n, Int3::Zero()), windings_(n) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }
  /// Joins a and b, b lying `step` voxels from a; returns in how many directions their cluster then spans.
  int join(std::size_t a, std::size_t b, const Int3& step, const Int3& n) {
    const std::size_t root_a = find(a), root_b = find(b);
    const Int3 apart = offset_[a] + step - offset_[b];  // root b from root a
    if (root_a == root_b) {
      if (apart != Int3::Zero()) add(windings_[root_a], apart.cwiseQuotient(n));
      return static_cast<int>(windings_[root_a].size());
    }
    parent_[root_b] = root_a;
    offset_[root_b] = apart;
    for (const Int3& w : windings_[root_b]) add(windings_[root_a], w);
    windings_[root_b].clear();
    return static_cast<int>(windings_[root_a].size());
  }

 private:
  std::size_t find(std::size_t i) {
    std::vector<std::size_t> path;
    while (parent_[i] != i) {
      path.push_back(i);
      i = parent_[i];
    }
    // From the root outwards, so that each parent's displacement is already that from the root.
    for (std::size_t k = path.size(); k-- > 1;) {
      const std::size_t child = path[k - 1], above = path[k];
      offset_[child] += offset_[above];
      parent_[child] = i;
    }
    return i;
  }
  static void add(std::vector<Int3>& basis, const Int3& vector) {
    if (basis.size() == 3) return;
    Eigen::MatrixXd all(3, static_cast<Eigen::Index>(basis.size()) + 1);
    for (std::size_t k = 0; k < basis.size(); ++k)
      all.col(static_cast<Eigen::Index>(k)) = basis[k].cast<double>();
    all.rightCols<1>() = vector.cast<double>();
    if (Eigen::FullPivLU<Eigen::MatrixXd>(all).rank() == all.cols()) basis.push_back(vector);
  }

  std::vector<std::size_t> parent_;
  std::vector<Int3> offset_;
  std::vector<std::vector<Int3>> windings_;
};

}  // namespace

Int3 Grid::voxel(const Vec3& fractional) const {
  Int3 v;
  for (int k = 0; k < 3; ++k) {
    const double f = fractional[k] - std::floor(fractional[k]);
    v[k] = std::min(n[k] - 1, static_cast<int>(f * n[k]));
  }
  return v;
}

Grid make_grid(const Cell& cell, double spacing_A) {
  if (!(spacing_A > 0)) throw InputError("grid: a spacing of {} Å; expected a positive length", spacing_A);
  Grid grid;
  double total = 1;
  for (int k = 0; k < 3; ++k) {
    const double wanted = std::max(1.0, std::round(cell.vector(k).norm() / spacing_A));
    total *= wanted;
    if (!(total <= 1e8)) throw InputError("grid: {} Å makes more than 100 million voxels", spacing_A);
    grid.n[k] = static_cast<int>(wanted);
  }
  grid.values.assign(static_cast<std::size_t>(total), 0.0);
  return grid;
}

Percolation percolate(const Grid& grid) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < grid.values.size(); ++i)
    if (std::isfinite(grid.values[i])) order.push_back(i);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return grid.values[a] > grid.values[b]; });
  Clusters clusters(grid.values.size());
  std::vector<bool> present(grid.values.size());
  Percolation result;
  int reached = 0;
  for (const std::size_t i : order) {
    present[i] = true;
    const auto z = static_cast<int>(i % static_cast<std::size_t>(grid.n[2]));
    const auto y =
        static_cast<int>(i / static_cast<std::size_t>(grid.n[2]) % static_cast<std::size_t>(grid.n[1]));
    const auto x =
        static_cast<int>(i / static_cast<std::size_t>(grid.n[2]) / static_cast<std::size_t>(grid.n[1]));
    for (int k = 0; k < 3; ++k) {
      for (const int sign : {-1, 1}) {
        Int3 step = Int3::Zero();
        step[k] = sign;
        Int3 next(x, y, z);
        next[k] = (next[k] + sign + grid.n[k]) % grid.n[k];
        const std::size_t j = grid.index(next[0], next[1], next[2]);
        if (!present[j]) continue;
        const int spans = clusters.join(i, j, step, grid.n);
        while (reached < spans) result.level[reached++] = grid.values[i];
      }
    }
    if (reached == 3) break;
  }
  return result;
}

}  // namespace solion::transport
