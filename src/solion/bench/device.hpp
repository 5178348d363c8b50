// How long does a step of molecular dynamics take on a device, with how many replicas of a system?
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "solion/dp/model.hpp"
#include "solion/gpu/replicas.hpp"

namespace solion::bench {

struct DeviceTiming {
  std::int64_t steps = 0;   ///< timed
  std::size_t n_atoms = 0;  ///< of all replicas
  int replicas = 1;
  double ms_per_step = 0;            ///< median over blocks of 20 steps: lists, forces, motion, checks
  double fastest_ms_per_step = 0;    ///< the fastest block
  double list_share = 0;             ///< making lists, of the whole time
  double temperature_K = 0;          ///< at the end, of the first replica
  double drift_meV_per_atom_ps = 0;  ///< of the conserved energy over the timed steps, first replica
  /// Seconds by kernel, where the device measures them (SOLION_CUDA_PROFILE).
  std::vector<std::pair<std::string, double>> kernels;
  [[nodiscard]] double atom_steps_per_s() const {
    return static_cast<double>(n_atoms) / (ms_per_step * 1e-3);
  }
};

struct DeviceRun {
  gpu::Precision precision = gpu::Precision::single_precision;
  int replicas = 1;  ///< of the same frame, each with velocities of its own
  std::int64_t steps = 100;
  double timestep_fs = 1.0;
  double skin_A = 1.0;
};

/// NVE dynamics from 300 K. WorkError if a replica fails.
DeviceTiming time_device(const Frame& frame, std::shared_ptr<const dp::Model> model, gpu::Device& device,
                         const DeviceRun& run);

}  // namespace solion::bench
