// Mean square displacement over all time origins, frame by frame, in memory that does not grow with the
// length.
#pragma once

#include <Eigen/Core>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "solion/structure/frame.hpp"
#include "solion/transport/unwrap.hpp"

namespace solion::transport {

/// MSD of one species. Lag l has `lag_frames[l]` frames; arrays have one entry a lag.
struct MsdCurve {
  std::string species;
  std::size_t n_ions = 0;
  std::size_t n_frames = 0;
  std::size_t n_runs = 1;        ///< independent runs that were joined
  std::size_t n_dimensions = 3;  ///< how many Cartesian axes count
  double frame_interval_fs = 0;
  double mean_volume_A3 = 0;  ///< 0 without a cell
  std::vector<std::size_t> lag_frames;
  std::vector<double> time_fs;
  std::vector<double> msd_A2;
  std::vector<double> variance_A4;     ///< of the squared displacement of one ion over the lag
  std::vector<double> collective_A2;   ///< |Σ_i Δr_i|²/N over the same origins
  std::vector<std::size_t> n_origins;  ///< time origins an ion
  Eigen::MatrixXd ion_msd_A2;          ///< lags × ions: the mean over origins of each ion
  /// Mean square displacement over stretches of `stretch_frames` that follow each other from the first frame
  /// on: 8 to 15 of a run of 9 frames or more, none of joined runs.
  std::vector<double> stretch_msd_A2;
  std::size_t stretch_frames = 0;
  /// ⟨Δr Δrᵀ⟩ over ions and those stretches (of all runs), and how many displacements that is.
  Mat3 stretch_tensor_A2 = Mat3::Zero();
  std::size_t n_stretch_displacements = 0;
  double shared_motion = 1;  ///< the n ions are worth n/this independent ones (shared_motion.hpp)
};

struct MsdOptions {
  /// Species whose mean displacement is the frame of reference; empty: all that are not in `mobile`.
  std::vector<std::string> framework;
  /// The species of interest (at least one).
  std::vector<std::string> mobile;
  /// False keeps the raw displacement (a drifting crystal then counts as diffusion).
  bool remove_drift = true;
  UnwrapOptions unwrap;
  /// Cartesian axes along which displacements count (a layered or one-dimensional conductor).
  std::array<bool, 3> axes{true, true, true};
};

/// Streams frames into MSD curves of every species. Lags 1…16, then 8 an octave; a lag of j·2^k frames takes
/// origins 2^k frames apart, so that origins overlap 9- to 16-fold and next to nothing is lost against all
/// origins. Memory: 16·log2(frames) configurations. The displacement between two frames is
///     Δr = Δs·(h(t) + h(t₀))/2,  s unwrapped fractional coordinates minus their framework mean,
/// so that a breathing cell adds no displacement. Theory: docs/theory/transport.md, sections 1 and 2.
class MsdAccumulator {
 public:
  explicit MsdAccumulator(MsdOptions options);

  /// Adds the next frame; `where` stands in errors. InputError: see Unwrapper; also a species that no atom
  /// has, or no framework.
  void add(const Frame& frame, const std::string& where);
  /// The next file goes on where the last ended: its first frame may be the last one again, and is then left
  /// out.
  void next_part() { unwrapper_.allow_repeat(); }

  /// Everything but the options: one that was made with the same options goes on from there, to the last bit.
  /// About 450 bytes an atom and level.
  [[nodiscard]] std::string save() const;
  /// InputError if the bytes are not those of `save()`.
  void load(std::string_view bytes);
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.options_.framework, self.unwrapper_, self.groups_, self.order_, self.in_framework_,
      self.reference_, self.reference_inverse_, self.n_frames_, self.volume_sum_, self.levels_);
  }

  [[nodiscard]] std::size_t n_frames() const { return n_frames_; }
  /// Steps between frames by their step numbers, where they have some.
  [[nodiscard]] std::optional<double> step_interval() const { return unwrapper_.step_interval(); }
  /// All species, in the order of the first frame's type map.
  [[nodiscard]] std::vector<std::string> species() const;
  /// The curve of a species (it may be one of the framework). InputError if unknown or with fewer than 2
  /// frames.
  [[nodiscard]] MsdCurve curve(const std::string& species, double frame_interval_fs) const;

 private:
  struct Group {
    std::string species;
    Eigen::Index first = 0;
    Eigen::Index count = 0;
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.species, self.first, self.count);
    }
  };
  struct Snapshot {
    Eigen::ArrayX3d q;  // unwrapped, in the metric of the first cell, Å
    Mat3 h;
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.q, self.h);
    }
  };
  struct LagSums {
    std::size_t lag = 0;
    std::size_t origins = 0;
    Eigen::ArrayXd ion;              // Σ Δr² of each atom
    std::vector<double> fourth;      // Σ Δr⁴ by group
    std::vector<double> collective;  // Σ |ΣΔr|² by group
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.lag, self.origins, self.ion, self.fourth, self.collective);
    }
  };
  struct Level {
    std::size_t count = 0;  // samples taken
    std::vector<Snapshot> ring;
    std::vector<LagSums> lags;
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.count, self.ring, self.lags);
    }
  };

  void start(const Frame& frame, const std::string& where);
  [[nodiscard]] Snapshot snapshot(const Frame& frame, const std::vector<Vec3>& fractional) const;
  void update_levels(const Snapshot& now);
  [[nodiscard]] Eigen::ArrayX3d displacement(const Snapshot& now, const Snapshot& origin,
                                             const Group& group) const;
  void add_stretches(const Group& group, MsdCurve& curve) const;
  void correlate(const Snapshot& now, const Snapshot& origin, LagSums& sums);

  MsdOptions options_;
  Unwrapper unwrapper_;
  std::vector<Group> groups_;
  std::vector<std::size_t> order_;  // atom of the frame at each place of a snapshot
  std::vector<bool> in_framework_;  // by place
  Mat3 reference_ = Mat3::Identity();
  Mat3 reference_inverse_ = Mat3::Identity();
  std::size_t n_frames_ = 0;
  double volume_sum_ = 0;
  std::vector<Level> levels_;
};

/// Curves of independent runs of the same system as one: each ion of each run is an ion of the result.
/// InputError if they differ in species or frame interval.
MsdCurve join_replicas(const std::vector<MsdCurve>& curves);

}  // namespace solion::transport
