// Empty spheres of a crystal by its Voronoi vertices. Theory: docs/theory/structure.md, "Interstitial sites".
#include "solion/structure/interstitials.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion {
namespace {

constexpr double same_A = 1e-3;         // two computed centres are one point
constexpr double touch_A = 1e-4;        // atoms this close to the nearest distance touch the sphere
constexpr double meet_A = 10 * same_A;  // images of a centre this close are one, in an exact crystal

struct Void {
  Vec3 position;
  double radius;
};

/// Points that are no farther from the atom at 0 than from any of `around` (sorted by length).
bool in_voronoi_cell(const Vec3& c, const std::vector<Vec3>& around) {
  const double reach = 2 * c.norm() + 1e-9;
  for (const Vec3& d : around) {
    const double length2 = d.squaredNorm();
    if (length2 > reach * reach) return true;
    if (c.dot(d) > 0.5 * length2 + 1e-7) return false;
  }
  return true;
}

/// Whether 0 lies strictly inside the convex hull of the unit vectors u. If not, some direction v approaches
/// none of the atoms: the cone {v: u·v ≤ 0 for all u} is not empty, and its edges are cross products of two
/// u.
bool surrounded(const std::vector<Vec3>& u) {
  for (std::size_t i = 0; i < u.size(); ++i) {
    for (std::size_t j = 0; j < u.size(); ++j) {
      const Vec3 v = u[i].cross(u[j]);
      if (v.norm() < 1e-6) continue;
      const bool free =
          std::all_of(u.begin(), u.end(), [&](const Vec3& w) { return w.dot(v) <= 1e-6 * v.norm(); });
      if (free) return false;
    }
  }
  return true;
}

bool is_local_maximum(const Vec3& c, const std::vector<Vec3>& around) {
  const double r = c.norm();
  std::vector<Vec3> touching{(-c).normalized()};
  for (const Vec3& d : around) {
    if (d.norm() > 2 * r + touch_A) break;
    if ((d - c).norm() < r + touch_A) touching.push_back((d - c).normalized());
  }
  return surrounded(touching);
}

/// Radius of the circle through 0, p and q.
double circle_radius(const Vec3& p, const Vec3& q) {
  const double area2 = p.cross(q).norm();
  return area2 < 1e-9 ? std::numeric_limits<double>::infinity()
                      : p.norm() * q.norm() * (p - q).norm() / (2 * area2);
}

/// Voronoi vertices of the atom at 0 that are voids; relative positions.
std::vector<Vec3> voids_around(const std::vector<Vec3>& around, const InterstitialOptions& options) {
  std::vector<Vec3> found;
  const std::size_t n = around.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      if (circle_radius(around[i], around[j]) > options.max_radius_A) continue;
      for (std::size_t k = j + 1; k < n; ++k) {
        Eigen::Matrix3d rows;
        rows << around[i].transpose(), around[j].transpose(), around[k].transpose();
        const double volume = rows.determinant();
        if (std::abs(volume) < 1e-6) continue;
        const Vec3 c = rows.inverse() * (0.5 * rows.rowwise().squaredNorm());
        const double r = c.norm();
        if (r > options.max_radius_A || r < options.min_radius_A || !in_voronoi_cell(c, around)) continue;
        const auto same = [&](const Vec3& other) { return (other - c).norm() < same_A; };
        if (std::any_of(found.begin(), found.end(), same)) continue;
        if (is_local_maximum(c, around)) found.push_back(c);
      }
    }
  }
  return found;
}

/// d (fractional) less whole cells.
Vec3 shortest(const Vec3& d) { return d - Vec3(d.array().round()); }

/// How far apart images of one centre may be: a few atoms say where it is, and those are off their images by
/// up to the tolerance of the symmetry.
double blur_of(const Frame& host, const Symmetry& symmetry, double most_A) {
  std::vector<Vec3> fractional;
  for (const Vec3& r : host.positions) fractional.push_back(host.cell->to_fractional(r));
  double off = 0;
  for (std::size_t i = 0; i < host.n_atoms(); ++i) {
    if (symmetry.orbit[i] != static_cast<int>(i)) continue;
    for (const SymmetryOperation& op : symmetry.operations) {
      const Vec3 image = op.rotation.cast<double>() * fractional[i] + op.translation;
      double least = most_A;
      for (std::size_t j = 0; j < host.n_atoms(); ++j) {
        if (host.types[j] != host.types[i]) continue;
        least = std::min(least, host.cell->to_cartesian(shortest(image - fractional[j])).norm());
      }
      off = std::max(off, least);
    }
  }
  constexpr double steepness = 10;  // a shallow void moves farther than its atoms
  return std::clamp(steepness * off, meet_A, most_A);
}

/// The mean of the images within `blur_A`: where the operations that should keep r do keep it.
Vec3 settled(const Vec3& r, const Cell& cell, const Symmetry& symmetry, double blur_A) {
  const Vec3 f = cell.to_fractional(r);
  Vec3 sum = Vec3::Zero();
  int keeping = 0;
  for (const SymmetryOperation& op : symmetry.operations) {
    const Vec3 d = shortest(op.rotation.cast<double>() * f + op.translation - f);
    if (!(cell.to_cartesian(d).norm() < blur_A)) continue;
    sum += d;
    ++keeping;
  }
  return keeping > 1 ? cell.to_cartesian(f + sum / keeping) : r;
}

/// All images of r under the operations, each once, in ascending order of fractional coordinates.
std::vector<Vec3> orbit_of(const Vec3& r, const Cell& cell, const Symmetry& symmetry, double blur_A) {
  std::vector<Vec3> fractional;
  const Vec3 middle = cell.to_fractional(settled(r, cell, symmetry, blur_A));
  for (const SymmetryOperation& op : symmetry.operations) {
    const Vec3 f = wrap_fractional(op.rotation.cast<double>() * middle + op.translation);
    const auto same = [&](const Vec3& g) { return cell.to_cartesian(shortest(f - g)).norm() < blur_A; };
    if (std::none_of(fractional.begin(), fractional.end(), same)) fractional.push_back(f);
  }
  std::sort(fractional.begin(), fractional.end(), [](const Vec3& f, const Vec3& g) {
    for (int k = 0; k < 3; ++k) {
      if (std::abs(f[k] - g[k]) > 1e-6) return f[k] < g[k];
    }
    return false;
  });
  std::vector<Vec3> positions;
  positions.reserve(fractional.size());
  for (const Vec3& f : fractional) positions.push_back(cell.to_cartesian(f));
  return positions;
}

void describe(InterstitialSite& site, const Frame& host, const InterstitialOptions& options,
              double touching_A) {
  Frame probe = host;
  probe.labels = {};
  probe.velocities.clear();
  probe.images.clear();
  probe.positions.push_back(site.positions.front());
  probe.types.push_back(0);
  Neighborhood near;
  near.build(probe, 2 * options.max_radius_A, 0);
  const int self = near.n_local() - 1;
  std::map<int, int> touching;
  double like = std::numeric_limits<double>::infinity();
  for (const int j : near.neighbors(self)) {
    if (near.owner(j) == self) continue;
    const double d = (near.position(j) - near.position(self)).norm();
    const int type = host.types[static_cast<std::size_t>(near.owner(j))];
    if (d < site.radius_A + touching_A) ++touching[type];
    const auto state = options.oxidation_states.find(host.type_map.name(type));
    if (state != options.oxidation_states.end() && state->second * options.ion_charge > 0)
      like = std::min(like, d);
  }
  for (const auto& [type, count] : touching)
    site.surroundings +=
        fmt::format("{}{}{}", site.surroundings.empty() ? "" : " ", host.type_map.name(type), count);
  if (std::isfinite(like)) site.like_charge_A = like;
}

}  // namespace

std::vector<InterstitialSite> find_interstitials(const Frame& host, const Symmetry& symmetry,
                                                 const InterstitialOptions& options) {
  if (!host.cell) throw InputError("interstitial sites: the frame has no cell");
  if (!(options.min_radius_A > 0) || !(options.max_radius_A > options.min_radius_A)) {
    throw InputError("interstitial sites: radii from {} to {} Å; expected 0 < smallest < largest",
                     options.min_radius_A, options.max_radius_A);
  }
  Neighborhood near;
  near.build(host, 2 * options.max_radius_A + touch_A, 0);
  std::vector<Void> voids;
  for (int i = 0; i < near.n_local(); ++i) {
    if (symmetry.orbit.at(static_cast<std::size_t>(i)) != i) continue;
    std::vector<Vec3> around;
    for (const int j : near.neighbors(i)) around.push_back(near.position(j) - near.position(i));
    std::sort(around.begin(), around.end(),
              [](const Vec3& p, const Vec3& q) { return p.squaredNorm() < q.squaredNorm(); });
    for (const Vec3& c : voids_around(around, options)) voids.push_back({near.position(i) + c, c.norm()});
  }
  std::stable_sort(voids.begin(), voids.end(),
                   [](const Void& a, const Void& b) { return a.radius > b.radius + touch_A; });
  constexpr double of_blur = 0.3;  // distances from a void to its atoms differ by less than it moves
  const double blur_A = blur_of(host, symmetry, std::max(meet_A, options.merge_A / 2));
  std::vector<InterstitialSite> sites;
  for (const Void& v : voids) {
    const bool taken = std::any_of(sites.begin(), sites.end(), [&](const InterstitialSite& site) {
      return std::any_of(site.positions.begin(), site.positions.end(), [&](const Vec3& p) {
        return host.cell->minimum_image(p - v.position).norm() < options.merge_A;
      });
    });
    if (taken) continue;
    InterstitialSite site;
    site.positions = orbit_of(v.position, *host.cell, symmetry, blur_A);
    site.radius_A = v.radius;
    describe(site, host, options, std::max(meet_A, of_blur * blur_A));
    sites.push_back(std::move(site));
  }
  if (options.ion_charge != 0) {
    std::stable_sort(sites.begin(), sites.end(), [](const InterstitialSite& a, const InterstitialSite& b) {
      return a.like_charge_A > b.like_charge_A + touch_A;
    });
  }
  return sites;
}

}  // namespace solion
