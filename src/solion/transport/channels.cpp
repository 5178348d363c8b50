// The free radius on a grid around each anion, then widest paths and percolation on that grid.
#include "solion/transport/channels.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"

namespace solion::transport {

ChannelAccumulator::ChannelAccumulator(ChannelOptions options, const Frame& sites)
    : options_(std::move(options)), shift_(sites, options_.species) {
  if (options_.radii_A.empty()) throw InputError("channels: no radii given");
  for (const auto& [element, radius] : options_.radii_A)
    if (!(radius > 0)) throw InputError("channels: a radius of {} Å for {}", radius, element);
  const std::vector<Vec3> positions = sites_of(sites, options_.species, "channels");
  n_sites_ = positions.size();
  sites_cell_ = sites.cell;
  edges_ = site_edges(positions, *sites.cell, options_.edge_share, "channels");
}

Grid ChannelAccumulator::free_radius(const Frame& frame, const std::string& where) const {
  if (!frame.cell) throw InputError("{}: no cell", where);
  check_cell(*sites_cell_, frame.cell->matrix(), where);
  const Cell& cell = *frame.cell;
  Grid grid = make_grid(cell, options_.spacing_A);
  constexpr double unset = 1e30;
  std::fill(grid.values.begin(), grid.values.end(), unset);
  double largest_A = 0;
  for (const auto& [element, radius] : options_.radii_A) largest_A = std::max(largest_A, radius);
  // Voxels within the reach of each anion and its images; widened until no anion farther away can leave less
  // room.
  for (double reach = 3.5;; reach *= 1.25) {
    Int3 range;
    for (int k = 0; k < 3; ++k) range[k] = static_cast<int>(reach / cell.widths()[k] * grid.n[k]) + 1;
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      const std::string& element = frame.element(i);
      if (element == options_.species) continue;
      const auto radius = options_.radii_A.find(element);
      if (radius == options_.radii_A.end()) throw InputError("{}: no radius given for {}", where, element);
      const Vec3 centre = cell.to_fractional(frame.positions[i]);
      const Int3 home = grid.voxel(centre);
      const Vec3 home_image = centre - centre.array().floor().matrix();
      for (int x = home[0] - range[0]; x <= home[0] + range[0]; ++x)
        for (int y = home[1] - range[1]; y <= home[1] + range[1]; ++y)
          for (int z = home[2] - range[2]; z <= home[2] + range[2]; ++z) {
            const Vec3 f((x + 0.5) / grid.n[0], (y + 0.5) / grid.n[1], (z + 0.5) / grid.n[2]);
            const double d = cell.to_cartesian(f - home_image).norm() - radius->second;
            const auto wrapped = [&](int v, int k) { return (v % grid.n[k] + grid.n[k]) % grid.n[k]; };
            double& value = grid.values[grid.index(wrapped(x, 0), wrapped(y, 1), wrapped(z, 2))];
            value = std::min(value, d);
          }
    }
    if (std::all_of(grid.values.begin(), grid.values.end(), [&](double v) { return v + largest_A <= reach; }))
      return grid;
    if (reach > 1e3) throw InputError("{}: no anions among {}", where, frame.formula());
  }
}

void ChannelAccumulator::add(const Frame& frame, const std::string& where) {
  const Grid grid = free_radius(frame, where);
  const Percolation p = percolate(grid);
  for (int k = 0; k < 3; ++k)
    if (std::isfinite(p.level[k])) critical_[k].push_back(p.level[k]);
  const Cell& cell = *frame.cell;
  const auto unwrapped = [&](const Vec3& f) {
    return Int3(static_cast<int>(std::floor(f[0] * grid.n[0])),
                static_cast<int>(std::floor(f[1] * grid.n[1])),
                static_cast<int>(std::floor(f[2] * grid.n[2])));
  };
  const Vec3 shift = shift_.next(frame, where);
  for (const SiteEdge& edge : edges_) {
    const Vec3 middle = 0.5 * (edge.from + edge.to) + shift;
    const double ball = 0.75 * cell.to_cartesian(edge.to - edge.from).norm();
    widths_.push_back(static_cast<float>(
        bottleneck(grid, unwrapped(edge.from + shift), unwrapped(edge.to + shift), [&](const Int3& v) {
          const Vec3 f((v[0] + 0.5) / grid.n[0], (v[1] + 0.5) / grid.n[1], (v[2] + 0.5) / grid.n[2]);
          return cell.to_cartesian(f - middle).norm() < ball;
        })));
  }
}

std::vector<double> ChannelAccumulator::widest_of_sites() const {
  if (widths_.empty()) throw InputError("channels: no frames");
  std::vector<double> widest(n_sites_, std::numeric_limits<double>::quiet_NaN());
  const std::size_t last = widths_.size() - edges_.size();
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    const auto width = static_cast<double>(widths_[last + e]);
    for (const std::size_t site : edges_[e].sites) {
      if (!(width <= widest[site])) widest[site] = std::isfinite(width) ? width : widest[site];
    }
  }
  return widest;
}

ChannelStatistics ChannelAccumulator::statistics() const {
  if (edges_.empty() || widths_.empty()) throw InputError("channels: no frames");
  ChannelStatistics s;
  s.n_edges = edges_.size();
  s.n_frames = widths_.size() / edges_.size();
  for (int k = 0; k < 3; ++k) {
    double mean = 0, square = 0;
    const auto n = static_cast<double>(critical_[k].size());
    for (const double c : critical_[k]) {
      mean += c / n;
      square += c * c / n;
    }
    s.critical_A[k] = n > 0 ? mean : std::numeric_limits<double>::quiet_NaN();
    s.critical_std_A[k] = n > 0 ? std::sqrt(std::max(0.0, square - mean * mean)) : s.critical_A[k];
  }
  std::vector<float> sorted;
  for (const float w : widths_)
    if (std::isfinite(w)) sorted.push_back(w);
  if (sorted.empty()) throw InputError("channels: no edge between sites is open at this spacing");
  std::sort(sorted.begin(), sorted.end());
  for (const float w : sorted) s.mean_A += static_cast<double>(w) / static_cast<double>(sorted.size());
  for (std::size_t q = 0; q <= 1000; ++q)
    s.sorted_A.push_back(static_cast<double>(sorted[q * (sorted.size() - 1) / 1000]));
  return s;
}

}  // namespace solion::transport
