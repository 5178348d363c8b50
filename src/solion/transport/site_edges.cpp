// All pairs of sites and their nearest images, twice: for the least distance, then for the edges.
#include "solion/transport/site_edges.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

constexpr double same_point_A = 1e-6;

/// Calls visit(i, j, step, distance) once for every pair and image within `reach_A`, `step` fractional from i
/// to j.
template <typename Visit>
void each_pair(const std::vector<Vec3>& sites, const Cell& cell, double reach_A, const Visit& visit) {
  // A step of s along an axis is at least |s| times the width of the cell there, and rounding leaves |s| ≤ ½.
  const Vec3 widths_A = cell.widths();
  Int3 images;
  for (int k = 0; k < 3; ++k) images[k] = static_cast<int>(std::lround(reach_A / widths_A[k]));
  for (std::size_t i = 0; i < sites.size(); ++i)
    for (std::size_t j = i; j < sites.size(); ++j)
      for (int x = -images[0]; x <= images[0]; ++x)
        for (int y = -images[1]; y <= images[1]; ++y)
          for (int z = -images[2]; z <= images[2]; ++z) {
            const Vec3 between = sites[j] - sites[i];
            const Vec3 step = between - between.array().round().matrix() + Vec3(x, y, z);
            // An edge of a site with its own image appears from both ends: one of them counts.
            const Vec3 back = -step;
            if (i == j &&
                std::lexicographical_compare(step.data(), step.data() + 3, back.data(), back.data() + 3))
              continue;
            const double distance = cell.to_cartesian(step).norm();
            if (distance > same_point_A && distance <= reach_A) visit(i, j, step, distance);
          }
}

}  // namespace

std::vector<Vec3> sites_of(const Frame& crystal, const std::string& species, const std::string& who) {
  if (!crystal.cell) throw InputError("{}: the sites have no cell", who);
  std::vector<Vec3> sites;
  for (std::size_t i = 0; i < crystal.n_atoms(); ++i)
    if (crystal.element(i) == species) sites.push_back(crystal.cell->to_fractional(crystal.positions[i]));
  if (sites.empty()) throw InputError("{}: the sites hold no {}; found {}", who, species, crystal.formula());
  return sites;
}

void check_cell(const Cell& of_sites, const Mat3& h, const std::string& where) {
  const Mat3& own = of_sites.matrix();
  const Mat3 metric = h * h.transpose(), expected = own * own.transpose();
  for (int i = 0; i < 3; ++i)
    for (int j = i; j < 3; ++j) {
      const double scale = std::sqrt(expected(i, i) * expected(j, j));
      if (!(std::abs(metric(i, j) - expected(i, j)) <= 2 * largest_strain * scale))
        throw InputError(
            "{}: a cell with edges of {:.2f}, {:.2f} and {:.2f} Å; the sites are those of one with {:.2f}, "
            "{:.2f} and {:.2f} Å: expected the same supercell",
            where, h.row(0).norm(), h.row(1).norm(), h.row(2).norm(), own.row(0).norm(), own.row(1).norm(),
            own.row(2).norm());
    }
}

std::vector<SiteEdge> site_edges(const std::vector<Vec3>& sites, const Cell& cell, double share,
                                 const std::string& who) {
  if (!(share >= 1))
    throw InputError("{}: edges up to {} times the least distance; expected 1 or more", who, share);
  constexpr double rounding = 1 + 1e-12;
  // The images of one site are neighbours already.
  double least = rounding * cell.matrix().rowwise().norm().minCoeff();
  each_pair(sites, cell, least, [&](std::size_t, std::size_t, const Vec3&, double distance) {
    least = std::min(least, distance);
  });
  std::vector<SiteEdge> edges;
  each_pair(sites, cell, rounding * share * least,
            [&](std::size_t i, std::size_t j, const Vec3& step, double distance) {
              edges.push_back({sites[i], sites[i] + step, {i, j}, distance});
            });
  return edges;
}

}  // namespace solion::transport
