// Van Hove correlation functions: how far ions got after a time (self), and where others stand then
// (distinct).
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "solion/transport/mobile_view.hpp"

namespace solion::transport {

struct VanHoveOptions {
  std::string species;
  std::vector<std::string> framework;  ///< empty: all other species
  std::vector<double> times_fs;        ///< rounded to whole frames
  double r_max_A = 8;
  double bin_A = 0.05;
  bool distinct = true;  ///< all pairs of ions, which costs more
  UnwrapOptions unwrap = {};
};

/// One lag. `self` is 4πr²G_s (1/Å, its integral over r is the share of ions within r_max); `distinct` is
/// G_d/ρ, which is g(r) at time 0 and 1 where nothing is correlated.
struct VanHoveCurve {
  double time_fs = 0;
  std::size_t n_origins = 0;
  std::vector<double> r_A, self, distinct;
  double msd_A2 = 0;
  double non_gaussian = 0;  ///< α₂ = 3⟨r⁴⟩/(5⟨r²⟩²) − 1, 0 for a Gaussian
};

/// Each lag keeps 16 configurations at most. Section 8 of docs/theory/transport.md.
class VanHoveAccumulator {
 public:
  /// InputError for lengths that are not positive, more than 100,000 bins, no times, or one above 0 that
  /// is nearer to 0 than to the first frame.
  VanHoveAccumulator(VanHoveOptions options, double frame_interval_fs);
  void add(const Frame& frame, const std::string& where);
  /// InputError for a time that is longer than the trajectory.
  [[nodiscard]] std::vector<VanHoveCurve> curves() const;

  /// Everything but the options: one with the same options goes on from there, to the last bit.
  [[nodiscard]] std::string save() const;
  void load(std::string_view bytes);
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.view_, self.lags_);
  }

 private:
  struct Snapshot {
    std::size_t frame = 0;
    std::vector<Vec3> fractional;
    Mat3 cell = Mat3::Identity();
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.frame, self.fractional, self.cell);
    }
  };
  struct Lag {
    std::size_t frames = 0, stride = 1, origins = 0;
    std::deque<Snapshot> kept;
    std::vector<double> self, distinct;
    double square = 0, fourth = 0, volume = 0;
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.frames, self.stride, self.origins, self.kept, self.self, self.distinct, self.square, self.fourth,
        self.volume);
    }
  };
  void correlate(const Snapshot& origin, Lag& lag) const;

  VanHoveOptions options_;
  double interval_fs_;
  MobileView view_;
  std::vector<Lag> lags_;
};

}  // namespace solion::transport
