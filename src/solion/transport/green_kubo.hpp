// D from velocities (Green–Kubo), tracer and collective, as a cross-check of the mean square displacement.
#pragma once

#include <Eigen/Core>
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

/// Running integrals D(t) = ⅓∫₀ᵗ⟨v(0)·v(t′)⟩dt′ in cm²/s, with standard errors from blocks of time.
struct GreenKubo {
  std::size_t n_ions = 0, n_frames = 0, n_blocks = 0;
  std::vector<double> time_fs;
  std::vector<double> vacf_A2_per_fs2;  ///< ⟨v·v⟩ of an ion
  std::vector<double> tracer, tracer_std;
  std::vector<double> collective, collective_std;
};

/// Memory: as many configurations as the correlation has frames, and up to 16 blocks of it.
class GreenKuboAccumulator {
 public:
  GreenKuboAccumulator(GreenKuboOptions options, double frame_interval_fs);
  /// InputError without velocities, if atoms or species change, or steps do not grow evenly.
  void add(const Frame& frame, const std::string& where);
  /// InputError with fewer than four correlation lengths of frames.
  [[nodiscard]] GreenKubo result() const;

 private:
  struct Block {
    std::size_t origins = 0;
    Eigen::VectorXd self, collective;
  };

  GreenKuboOptions options_;
  double interval_fs_;
  std::size_t n_lags_ = 0, n_frames_ = 0, block_frames_ = 0;
  std::vector<std::size_t> ions_, fixed_;
  StepOrder order_;
  std::deque<Eigen::Matrix3Xd> kept_;
  std::vector<Block> blocks_;
};

}  // namespace solion::transport
