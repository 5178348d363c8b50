// Trajectories whose diffusion coefficient is known: walkers on a lattice, with vibration and
// back-correlation.
#pragma once

#include <vector>

#include "solion/base/random.hpp"
#include "solion/structure/frame.hpp"
#include "solion/transport/msd.hpp"

namespace solion::transport::testing_tools {

struct WalkOptions {
  int n_ions = 24;
  int n_framework = 4;
  int n_dimensions = 3;  ///< jumps along x, then y, then z
  double jump_length_A = 2.765;
  double jumps_per_frame = 0.02;  ///< Poisson rate of each ion
  /// Probability that a jump takes the last one back; otherwise its direction is uniform: ⟨cos⟩ = −this.
  double back = 0;
  double vibration_A = 0.15;  ///< standard deviation of each coordinate, independent in every frame
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
    for (int i = 0; i < options.n_ions + options.n_framework; ++i) {
      home_.push_back(Vec3(random_.uniform(), random_.uniform(), random_.uniform()) * options.cell_A);
      frame_.add_atom(i < options.n_ions ? "Li" : "O", home_.back());
    }
  }

  /// Long-time D in Å² a frame along each axis of the walk: Γa²/2d·(1 + ⟨cos⟩)/(1 − ⟨cos⟩).
  static double D(const WalkOptions& o) {
    return o.jumps_per_frame * o.jump_length_A * o.jump_length_A / (2 * o.n_dimensions) * (1 - o.back) /
           (1 + o.back);
  }

  /// The next frame: unwrapped positions without image flags; valid until the next call.
  const Frame& next() {
    for (std::size_t i = 0; i < last_.size(); ++i)
      for (double t = -std::log1p(-random_.uniform()) / options_.jumps_per_frame; t < 1;
           t += -std::log1p(-random_.uniform()) / options_.jumps_per_frame)
        jump(i);
    strain_ = 0.98 * strain_ + std::sqrt(1 - 0.98 * 0.98) * options_.breathing * random_.normal();
    shift_ += options_.drift_A;
    frame_.cell = Cell::cubic(options_.cell_A * (1 + strain_));
    for (std::size_t i = 0; i < home_.size(); ++i) {
      frame_.positions[i] = (home_[i] + Vec3(shift_, 0, 0)) * (1 + strain_);
      if (options_.vibration_A > 0)
        frame_.positions[i] +=
            options_.vibration_A * Vec3(random_.normal(), random_.normal(), random_.normal());
    }
    return frame_;
  }

 private:
  void jump(std::size_t i) {
    int direction = static_cast<int>(random_.below(2 * static_cast<std::size_t>(options_.n_dimensions)));
    if (last_[i] >= 0 && random_.uniform() < options_.back) direction = last_[i] ^ 1;
    home_[i][direction / 2] += (direction % 2 == 0 ? 1 : -1) * options_.jump_length_A;
    last_[i] = direction;
  }

  WalkOptions options_;
  RandomStream random_;
  std::vector<int> last_;
  std::vector<Vec3> home_;
  Frame frame_;
  double strain_ = 0;
  double shift_ = 0;
};

inline MsdCurve walk_msd(const WalkOptions& options, std::uint64_t seed, int n_frames) {
  LatticeWalk walk(options, seed);
  MsdAccumulator msd({.framework = {},
                      .mobile = {"Li"},
                      .remove_drift = true,
                      .unwrap = {},
                      .axes = {true, options.n_dimensions > 1, options.n_dimensions > 2}});
  Frame frame;
  for (int t = 0; t < n_frames; ++t) {
    frame = walk.next();
    frame.images.assign(frame.n_atoms(), Int3::Zero());  // the coordinates are unwrapped
    msd.add(frame, "walk");
  }
  return msd.curve("Li", 1.0);
}

}  // namespace solion::transport::testing_tools
