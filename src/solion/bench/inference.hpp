// How long does one step of molecular dynamics take with a model on a system, and what of it is not the
// model?
#pragma once

#include <cstdint>

#include "solion/base/input.hpp"
#include "solion/bench/machine.hpp"
#include "solion/potential/potential.hpp"

namespace solion::bench {

struct MdTiming {
  std::int64_t steps = 0;  ///< timed
  std::size_t n_atoms = 0;
  /// Median over blocks of `block_steps` steps; everything that a run does is in it: forces, list,
  /// integration, a log row every 10 steps and a frame on disk every 100.
  double us_per_atom_step = 0;
  double fastest_us_per_atom_step = 0;  ///< the fastest block
  double cpu_us_per_atom_step = 0;      ///< processor time of all threads, mean: what a busy machine hides
  double list_share = 0;                ///< neighbour list (building, checking, moving), of the whole time
  double overhead_share = 0;            ///< list, integration and output together
  double temperature_K = 0;             ///< mean of the timed steps
  double skin_A = 0;                    ///< of the neighbour list, at the end
};

/// Steps of NVE dynamics at `timestep_fs`, from the frame's velocities or from 300 K, after a few steps that
/// are not counted. InputError for what molecular dynamics refuses (no cell, one atom, unknown element);
/// WorkError if the run explodes.
MdTiming time_md(const Frame& frame, Potential& potential, std::int64_t steps, double timestep_fs);

/// The arithmetic that one atom with `neighbors` neighbours needs at least (energy, forces, virial), counted
/// from the sizes of the model: multiply and add are two.
struct Arithmetic {
  double fitting = 0;     ///< fitting net, forward and backward
  double descriptor = 0;  ///< D from T and back
  double embedding = 0;   ///< tables and T, forward and backward
  [[nodiscard]] double total() const { return fitting + descriptor + embedding; }
};
/// `potential` is a Deep Potential; otherwise all are 0.
Arithmetic arithmetic_of(const Potential& potential, double neighbors);
/// Mean number of neighbours within the cutoff of a Deep Potential; 0 for others.
double mean_neighbors(const Potential& potential, const Frame& frame);

/// Most memory that this process ever had resident, bytes.
double peak_memory_bytes();

}  // namespace solion::bench
