// Trajectories whose diffusion coefficient is known: walkers on a lattice, with vibration and
// back-correlation.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "solion/base/random.hpp"
#include "solion/structure/frame.hpp"
#include "solion/transport/msd.hpp"

namespace solion::transport::testing_tools {

struct WalkOptions {
  int n_ions = 24;
  int n_framework = 4;
  int n_dimensions = 3;  ///< jumps along x, then y, then z
  bool fcc = false;      ///< the 12 neighbours of an fcc lattice instead
  double jump_length_A = 2.765;
  double jumps_per_frame = 0.02;  ///< Poisson rate of each ion
  /// Probability that a jump takes the last one back; otherwise its direction is uniform: ⟨cos⟩ = −this.
  double back = 0;
  double vibration_A = 0.15;  ///< standard deviation of each coordinate
  /// Frames over which vibration forgets itself (Ornstein-Uhlenbeck); 0: independent in every frame.
  double vibration_memory = 0;
  int together = 1;       ///< so many ions make the same jumps
  bool all_axes = false;  ///< D counts along x, y and z whatever the dimensions of the jumps
  /// Sites along the edge of a cubic box where no two ions share one (0: ions do not see each other). Jumps
  /// onto an ion are not made.
  int box_sites = 0;
  double cell_A = 16.59;
  double breathing = 0;  ///< relative standard deviation of the cell edge, correlated over 50 frames
  double drift_A = 0;    ///< rigid displacement of everything per frame, along x
};

/// Ions "Li" walking on a cubic lattice in continuous time, framework "O" vibrating in place. Jumps happen in
/// fractional space, so that a breathing cell takes the lattice along.
class LatticeWalk {
 public:
  LatticeWalk(const WalkOptions& options, std::uint64_t seed)
      : options_(options),
        random_(seed, "lattice walk"),
        last_(static_cast<std::size_t>(options.n_ions), -1) {
    for (int axis = 0; axis < (options.fcc ? 3 : options.n_dimensions); ++axis) {
      std::vector<Vec3> steps{Vec3::Unit(axis)};
      if (options.fcc)
        steps = {(Vec3::Unit(axis) + Vec3::Unit((axis + 1) % 3)) * std::sqrt(0.5),
                 (Vec3::Unit(axis) - Vec3::Unit((axis + 1) % 3)) * std::sqrt(0.5)};
      for (const Vec3& step : steps) {
        directions_.push_back(step);
        directions_.push_back(-step);
      }
    }
    vibration_.assign(static_cast<std::size_t>(options.n_ions + options.n_framework), Vec3::Zero());
    for (int i = 0; i < options.n_ions + options.n_framework; ++i) {
      home_.push_back(Vec3(random_.uniform(), random_.uniform(), random_.uniform()) * options.cell_A);
      frame_.add_atom(i < options.n_ions ? "Li" : "O", home_.back());
    }
    if (options.vibration_memory > 0)
      for (auto& v : vibration_) v = normal() * options.vibration_A;
    if (options.box_sites > 0) fill_box();
  }

  /// Long-time D in Å² a frame along each axis of the walk: Γa²/2d·(1 + ⟨cos⟩)/(1 − ⟨cos⟩).
  static double D(const WalkOptions& o) {
    return o.jumps_per_frame * o.jump_length_A * o.jump_length_A / (2 * dimensions(o)) * (1 - o.back) /
           (1 + o.back);
  }
  /// Share of the sites of the box that are taken; the collective D is less by that.
  static double occupied(const WalkOptions& o) {
    return o.box_sites > 0 ? o.n_ions / std::pow(o.box_sites, 3) : 0;
  }
  /// Axes that count.
  static int dimensions(const WalkOptions& o) { return o.all_axes || o.fcc ? 3 : o.n_dimensions; }

  /// The next frame: unwrapped positions without image flags; valid until the next call.
  const Frame& next() {
    for (std::size_t i = 0; i < last_.size(); i += static_cast<std::size_t>(options_.together))
      for (double t = -std::log1p(-random_.uniform()) / options_.jumps_per_frame; t < 1;
           t += -std::log1p(-random_.uniform()) / options_.jumps_per_frame)
        jump(i);
    strain_ = 0.98 * strain_ + std::sqrt(1 - 0.98 * 0.98) * options_.breathing * random_.normal();
    shift_ += options_.drift_A;
    frame_.cell = Cell::cubic(options_.cell_A * (1 + strain_));
    for (std::size_t i = 0; i < home_.size(); ++i) {
      frame_.positions[i] = (home_[i] + Vec3(shift_, 0, 0)) * (1 + strain_);
      if (options_.vibration_A > 0) {
        const double kept = options_.vibration_memory > 0 ? std::exp(-1 / options_.vibration_memory) : 0;
        vibration_[i] = kept * vibration_[i] + std::sqrt(1 - kept * kept) * options_.vibration_A * normal();
        frame_.positions[i] += vibration_[i];
      }
    }
    return frame_;
  }

 private:
  void jump(std::size_t i) {
    auto direction = static_cast<int>(random_.below(directions_.size()));
    if (last_[i] >= 0 && random_.uniform() < options_.back) direction = last_[i] ^ 1;
    const Vec3& step = directions_[static_cast<std::size_t>(direction)];
    if (options_.box_sites > 0 && !move_in_box(i, step)) return;
    for (std::size_t k = i; k < std::min(i + static_cast<std::size_t>(options_.together), last_.size()); ++k)
      home_[k] += step * options_.jump_length_A;
    last_[i] = direction;
  }

  Vec3 normal() { return Vec3(random_.normal(), random_.normal(), random_.normal()); }

  void fill_box() {
    const auto edge = static_cast<std::size_t>(options_.box_sites);
    taken_.assign(edge * edge * edge, false);
    for (int i = 0; i < options_.n_ions; ++i) {
      std::size_t site = random_.below(taken_.size());
      while (taken_[site]) site = random_.below(taken_.size());
      taken_[site] = true;
      site_.push_back({static_cast<int>(site % edge), static_cast<int>(site / edge % edge),
                       static_cast<int>(site / edge / edge)});
    }
  }

  bool move_in_box(std::size_t i, const Vec3& step) {
    const int edge = options_.box_sites;
    const auto place = [&](const std::array<int, 3>& s) {
      return static_cast<std::size_t>(s[0] + edge * (s[1] + edge * s[2]));
    };
    std::array<int, 3> to = site_[i];
    for (std::size_t a = 0; a < 3; ++a)
      to[a] = (to[a] + static_cast<int>(std::lround(step[static_cast<Eigen::Index>(a)])) + edge) % edge;
    if (taken_[place(to)]) return false;
    taken_[place(site_[i])] = false;
    taken_[place(to)] = true;
    site_[i] = to;
    return true;
  }

  WalkOptions options_;
  RandomStream random_;
  std::vector<int> last_;
  std::vector<Vec3> home_;
  std::vector<Vec3> directions_;  // that after an even one takes it back
  std::vector<Vec3> vibration_;
  std::vector<bool> taken_;               // sites of the box
  std::vector<std::array<int, 3>> site_;  // of each ion in the box
  Frame frame_;
  double strain_ = 0;
  double shift_ = 0;
};

inline MsdCurve walk_msd(const WalkOptions& options, std::uint64_t seed, int n_frames) {
  LatticeWalk walk(options, seed);
  MsdAccumulator msd(
      {.framework = {},
       .mobile = {"Li"},
       .remove_drift = true,
       .unwrap = {},
       .axes = {true, LatticeWalk::dimensions(options) > 1, LatticeWalk::dimensions(options) > 2}});
  Frame frame;
  for (int t = 0; t < n_frames; ++t) {
    frame = walk.next();
    frame.images.assign(frame.n_atoms(), Int3::Zero());  // the coordinates are unwrapped
    msd.add(frame, "walk");
  }
  return msd.curve("Li", 1.0);
}

}  // namespace solion::transport::testing_tools
