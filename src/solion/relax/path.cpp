// Straight lines, and the image-dependent pair potential that bends them round other atoms.
#include "solion/relax/path.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/relax/band.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::relax {
namespace {

constexpr double pair_reach_A = 6;

/// Atom j, `shift` away, seen from atom i, with its distance in both end structures.
struct Pair {
  std::size_t i, j;
  Vec3 shift;
  double first, last;
};

Vec3 between(const Frame& frame, const Pair& p) {
  return frame.positions[p.j] + p.shift - frame.positions[p.i];
}

/// All pairs that are within reach in any of the frames; atoms keep their periodic images along the path.
std::vector<Pair> pairs_along(const std::vector<Frame>& path) {
  std::set<std::array<int, 5>> keys;
  Neighborhood neighbors;
  for (const Frame& frame : path) {
    neighbors.build(frame, pair_reach_A, 0);
    for (int i = 0; i < neighbors.n_local(); ++i) {
      for (const int ghost : neighbors.neighbors(i)) {
        const int j = neighbors.owner(ghost);
        if (j <= i) continue;  // each pair once; an atom's own images keep their distance
        const Int3 n = neighbors.shift(ghost) - neighbors.shift(i);
        keys.insert({i, j, n[0], n[1], n[2]});
      }
    }
  }
  std::vector<Pair> pairs;
  for (const auto& [i, j, n0, n1, n2] : keys) {
    Pair p{static_cast<std::size_t>(i), static_cast<std::size_t>(j), Vec3::Zero(), 0, 0};
    if (path.front().cell) p.shift = path.front().cell->to_cartesian(Vec3(n0, n1, n2));
    p.first = between(path.front(), p).norm();
    p.last = between(path.back(), p).norm();
    pairs.push_back(p);
  }
  return pairs;
}

Vec3 any_perpendicular(const Vec3& d) {
  // Not along a mirror plane of common crystals, so that the path can fall to one side.
  const Vec3 generic(0.531, 0.274, -0.802);
  return d.cross(generic.cross(d).norm() > 0.1 * d.norm() ? generic : Vec3(Vec3::UnitX())).normalized();
}

/// Atoms whose straight line runs through another atom move a little to one side.
void step_aside(std::vector<Frame>& path, const std::vector<Pair>& pairs) {
  constexpr double too_near_A = 1.0, aside_A = 0.2;
  const Frame &initial = path.front(), &last = path.back();
  std::vector<bool> hits(initial.n_atoms(), false);
  for (const Pair& p : pairs) {
    const Vec3 start = between(initial, p), travel = between(last, p) - start;
    if (travel.norm() < too_near_A) continue;
    const double nearest = std::clamp(-start.dot(travel) / travel.squaredNorm(), 0.0, 1.0);
    if ((start + nearest * travel).norm() > too_near_A) continue;
    const double of_i = (last.positions[p.i] - initial.positions[p.i]).norm();
    const double of_j = (last.positions[p.j] - initial.positions[p.j]).norm();
    hits[of_i > of_j ? p.i : p.j] = true;
  }
  const auto segments = static_cast<double>(path.size() - 1);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (!hits[i]) continue;
    const Vec3 aside = aside_A * any_perpendicular(last.positions[i] - initial.positions[i]);
    for (std::size_t k = 1; k + 1 < path.size(); ++k)
      path[k].positions[i] += std::sin(std::numbers::pi * static_cast<double>(k) / segments) * aside;
  }
}

}  // namespace

Frame nearest_images(const Frame& initial, const Frame& final_frame, const std::string& what) {
  if (initial.n_atoms() != final_frame.n_atoms())
    throw InputError("{}: {} and {}; a path needs the same atoms at both ends", what, initial.formula(),
                     final_frame.formula());
  Frame result = initial;
  for (std::size_t i = 0; i < initial.n_atoms(); ++i) {
    if (initial.element(i) != final_frame.element(i)) {
      throw InputError("{}: atom {} is {} at the start and {} at the end; a path needs the same order", what,
                       i + 1, initial.element(i), final_frame.element(i));
    }
  }
  if (initial.cell.has_value() != final_frame.cell.has_value() ||
      (initial.cell &&
       !((initial.cell->matrix() - final_frame.cell->matrix()).cwiseAbs().maxCoeff() < 1e-6))) {
    throw InputError("{}: the cells of both ends differ; relax both at one fixed cell", what);
  }
  result.velocities.clear();
  result.images.clear();
  result.labels = {};
  for (std::size_t i = 0; i < initial.n_atoms(); ++i) {
    Vec3 d = final_frame.positions[i] - initial.positions[i];
    if (initial.cell) d = initial.cell->minimum_image(d);
    result.positions[i] += d;
  }
  return result;
}

Vec3 rigid_shift(const Frame& initial, const Frame& final_frame) {
  constexpr double small_A = 0.1, alike_A = 0.3;
  const std::size_t n = initial.n_atoms();
  Vec3 shift = Vec3::Zero();
  for (int a = 0; a < 3; ++a) {
    std::vector<double> moved;
    moved.reserve(n);
    for (std::size_t i = 0; i < n; ++i)
      moved.push_back(final_frame.positions[i][a] - initial.positions[i][a]);
    const auto middle = moved.begin() + static_cast<std::ptrdiff_t>(n / 2);
    std::nth_element(moved.begin(), middle, moved.end());
    shift[a] = *middle;
  }
  std::size_t alike = 0;
  for (std::size_t i = 0; i < n; ++i)
    alike += (final_frame.positions[i] - initial.positions[i] - shift).norm() < alike_A ? 1 : 0;
  return shift.norm() >= small_A && 2 * alike > n ? shift : Vec3::Zero();
}

std::vector<std::vector<std::size_t>> exchanged_atoms(const Frame& initial, const Frame& final_frame) {
  constexpr double far_A = 1.0, there_A = 0.7;
  std::map<std::size_t, std::size_t> next;  // who began where an atom ends
  for (std::size_t i = 0; i < initial.n_atoms(); ++i) {
    if ((final_frame.positions[i] - initial.positions[i]).norm() > far_A) next[i] = i;
  }
  for (auto& [i, to] : next) {
    double nearest = there_A;
    for (const auto& [j, unused] : next) {
      if (j == i || initial.types[j] != initial.types[i]) continue;
      Vec3 d = initial.positions[j] - final_frame.positions[i];
      if (initial.cell) d = initial.cell->minimum_image(d);
      if (d.norm() >= nearest) continue;
      nearest = d.norm();
      to = j;
    }
  }
  std::vector<std::vector<std::size_t>> rings;
  std::set<std::size_t> seen;
  for (const auto& [start, unused] : next) {
    std::vector<std::size_t> ring;
    std::size_t at = start;
    for (; next.contains(at) && seen.insert(at).second; at = next[at]) ring.push_back(at);
    if (at == start && ring.size() > 1) rings.push_back(std::move(ring));
  }
  return rings;
}

std::vector<Frame> linear_path(const Frame& initial, const Frame& final_frame, int n_images) {
  if (n_images < 1 || n_images > 1000)
    throw InputError("path: {} images between the ends; expected 1 to 1000", n_images);
  std::vector<Frame> path(static_cast<std::size_t>(n_images) + 2, initial);
  for (std::size_t k = 0; k < path.size(); ++k) {
    const double f = static_cast<double>(k) / static_cast<double>(path.size() - 1);
    path[k].labels = {};
    path[k].velocities.clear();
    path[k].images.clear();
    for (std::size_t i = 0; i < initial.n_atoms(); ++i)
      path[k].positions[i] = (1 - f) * initial.positions[i] + f * final_frame.positions[i];
  }
  return path;
}

std::vector<Frame> idpp_path(const Frame& initial, const Frame& final_frame, int n_images) {
  std::vector<Frame> path = linear_path(initial, final_frame, n_images);
  const std::vector<Pair> pairs = pairs_along(path);
  step_aside(path, pairs);
  const auto segments = static_cast<double>(path.size() - 1);
  const ImageSurface surface = [&](std::size_t image, const Frame& frame, Evaluation& result) {
    const double f = static_cast<double>(image) / segments;
    result.energy = 0;
    result.forces.assign(frame.n_atoms(), Vec3::Zero());
    for (const Pair& p : pairs) {
      const Vec3 r = between(frame, p);
      const double d = r.norm(), missing = (1 - f) * p.first + f * p.last - d;
      const double weight = 1 / (d * d * d * d);
      result.energy += weight * missing * missing;
      const Vec3 pull = weight * (2 * missing + 4 * missing * missing / d) / d * r;  // −∂S/∂r_j
      result.forces[p.j] += pull;
      result.forces[p.i] -= pull;
    }
  };
  // S is in 1/Å² here; a first path need not be converged.
  BandOptions options{.force_eV_per_A = 5e-3, .spring_eV_per_A2 = 0.5, .stiffness_eV_per_A2 = 1};
  options.max_steps = 200;
  options.climb = false;
  return relax_band(surface, std::move(path), options).images;
}

}  // namespace solion::relax
