// D from velocities (Green–Kubo), tracer and collective, as a cross-check of the mean square displacement.
#pragma once

#include <Eigen/Core>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"
#include "solion/transport/step_order.hpp"

namespace solion::transport {

struct GreenKuboOptions {
  std::string species;
  std::vector<std::string> framework;  ///< whose mean velocity is taken off; empty: all other species
  double length_fs = 0;                ///< of the correlation
};

/// Running integrals D(t) = ⅓∫₀ᵗ⟨v(0)·v(t′)⟩dt′ in cm²/s. Errors of the tracer's from the spread of blocks of
/// time (times Student's t of one standard error, since blocks are few), those of the collective one, which
/// is a single walker's, from its spectrum (green_kubo_error.hpp).
struct GreenKubo {
  std::size_t n_ions = 0, n_frames = 0, n_blocks = 0;
  std::vector<double> time_fs;
  std::vector<double> vacf_A2_per_fs2;  ///< ⟨v·v⟩ of an ion
  std::vector<double> tracer, tracer_std;
  std::vector<double> collective, collective_std;
  std::array<double, 2> collective_interval_68{};  ///< of its last value
};

/// Holds what the velocities say, ½(v + v′)·Δt, against the displacements of the ions from frame to frame:
/// velocities in another unit or another interval make every D wrong. It is silent where frames are so far
/// apart that velocities (correlation below 0.7 from frame to frame) or displacements (below 0.9 with what is
/// expected) do not tell.
class VelocityCheck {
 public:
  explicit VelocityCheck(double interval_fs) : interval_fs_(interval_fs) {}

  /// The next frame. InputError if its ions are much farther from where they were than velocities say, and
  /// (after 20 steps) if the displacements so far are less than 0.8 or more than 1.2 times what they should
  /// be.
  void add(const Frame& frame, const std::vector<std::size_t>& ions, const std::string& where);
  /// That of all steps so far, too.
  void finish() const;

 private:
  [[nodiscard]] bool tells() const;
  void check_slope() const;

  double interval_fs_;
  std::string last_where_;
  std::size_t n_steps_ = 0, n_ions_ = 0;
  std::vector<Vec3> positions_, velocities_;  // of the ions in the frame before
  // Sums over steps and ions of what was seen (d), what the velocities say (m), and v·v′ with (v² + v′²)/2.
  double dd_ = 0, dm_ = 0, mm_ = 0, vv_ = 0, v_next_ = 0;
};

/// Memory: as many configurations as the correlation has frames, up to 16 blocks of it, and a vector a frame.
class GreenKuboAccumulator {
 public:
  GreenKuboAccumulator(GreenKuboOptions options, double frame_interval_fs);
  /// InputError without velocities, if atoms or species change, steps do not grow evenly, or displacements
  /// contradict the velocities (see VelocityCheck).
  void add(const Frame& frame, const std::string& where);
  /// InputError with fewer than four correlation lengths of frames, or velocities that are all zero or of a
  /// temperature outside 0.1 to 10⁶ K.
  [[nodiscard]] GreenKubo result() const;

 private:
  void choose_atoms(const Frame& frame, const std::string& where);
  [[nodiscard]] Eigen::Matrix3Xd velocities_of(const Frame& frame, const std::string& where) const;
  void join_blocks();
  void add_origin();
  void check_temperature() const;

  [[nodiscard]] Eigen::VectorXd integral(const Eigen::VectorXd& correlation) const;
  void integrate_tracer(GreenKubo& g) const;
  void integrate_collective(GreenKubo& g) const;

  struct Block {
    std::size_t origins = 0;
    Eigen::VectorXd self;  // Σ v(0)·v(t) an ion, by lag
  };

  GreenKuboOptions options_;
  double interval_fs_;
  std::size_t n_lags_ = 0, n_frames_ = 0, block_frames_ = 0;
  std::vector<std::size_t> ions_, fixed_;
  StepOrder order_;
  VelocityCheck check_;
  double square_ = 0;  // Σv² over frames and ions, the framework's mean taken off
  std::deque<Eigen::Matrix3Xd> kept_;
  std::vector<Block> blocks_;
  std::vector<Vec3> sums_;  // Σv of the ions, of every frame
};

}  // namespace solion::transport
