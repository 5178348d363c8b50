// All pairs of sites and their nearest images, twice: for the least distance, then for the edges.
#include "solion/transport/site_edges.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

/// Calls visit(i, j, step) for every pair and image once, `step` fractional from i to j.
template <typename Visit>
void each_pair(const std::vector<Vec3>& sites, const Visit& visit) {
  for (std::size_t i = 0; i < sites.size(); ++i)
    for (std::size_t j = i; j < sites.size(); ++j)
      for (int x = -1; x <= 1; ++x)
        for (int y = -1; y <= 1; ++y)
          for (int z = -1; z <= 1; ++z) {
            const Vec3 between = sites[j] - sites[i];
            const Vec3 step = between - between.array().round().matrix() + Vec3(x, y, z);
            // An edge of a site with its own image appears from both ends: one of them counts.
            const Vec3 back = -step;
            if (i == j &&
                std::lexicographical_compare(step.data(), step.data() + 3, back.data(), back.data() + 3))
              continue;
            visit(i, j, step);
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

std::vector<SiteEdge> site_edges(const std::vector<Vec3>& sites, const Cell& cell, double share,
                                 const std::string& who) {
  if (!(share >= 1))
    throw InputError("{}: edges up to {} times the least distance; expected 1 or more", who, share);
  constexpr double same_point_A = 1e-6;
  double least = cell.widths().minCoeff();
  each_pair(sites, [&](std::size_t, std::size_t, const Vec3& step) {
    const double d = cell.to_cartesian(step).norm();
    if (d > same_point_A) least = std::min(least, d);
  });
  std::vector<SiteEdge> edges;
  each_pair(sites, [&](std::size_t i, std::size_t j, const Vec3& step) {
    const double d = cell.to_cartesian(step).norm();
    if (d > same_point_A && d <= share * least) edges.push_back({sites[i], sites[i] + step, {i, j}, d});
  });
  return edges;
}

}  // namespace solion::transport
