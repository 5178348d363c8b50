// Kernel bodies that move atoms: kicks, drifts and noise of every ensemble. Theory: docs/theory/gpu.md,
// section 5.
#pragma once

#include "solion/base/constants.hpp"
#include "solion/base/random_block.hpp"
#include "solion/gpu/block.hpp"

namespace solion::gpu {

/// x ← first·x + second·y, row-major (md::LinearFlow).
struct Flow {
  double first[9], second[9];
  SOLION_BOTH void apply(const double* x, const double* y, double* out) const {
    for (int a = 0; a < 3; ++a) {
      out[a] = 0;
      for (int b = 0; b < 3; ++b) out[a] += first[3 * a + b] * x[b] + second[3 * a + b] * y[b];
    }
  }
};

/// What a step does to the atoms of one cell.
struct Motion {
  double scales[2];  ///< velocities are multiplied by these first: what the last step left, and a chain's
                     ///< half step
  Flow kick;         ///< velocities by accelerations, before the forces are new
  Flow drifts[2];    ///< positions by velocities; the second one behind the noise
  double keep;       ///< the noise of Langevin dynamics: v ← keep·v + width/√m·R; 1: none
  double width;      ///< √((1 − keep²)·kT), eV^½
  std::uint32_t key[2];
  std::int64_t step;
  int first_atom;
  int two_drifts;
  int moves;    ///< 0: the cell has finished or failed
  int rests;    ///< its net force is taken off
  double mass;  ///< amu, of all its atoms
};

/// The first half of a step: kick, drift and noise.
struct Advance {
  const Motion* motions;
  const int* cell_of;
  const double* masses;
  const double* forces;
  double* velocities;
  double* positions;
  double* heat;  ///< eV by atom that the noise gave

  SOLION_BOTH void operator()(std::int64_t i) const {
    const Motion& m = motions[cell_of[i]];
    heat[i] = 0;
    if (m.moves == 0) return;
    double *v = velocities + 3 * i, *r = positions + 3 * i;
    double a[3], now[3];
    for (int k = 0; k < 3; ++k) {
      a[k] = constants::eV_per_A_per_amu_in_A_per_fs2 / masses[i] * forces[3 * i + k];
      now[k] = v[k] * m.scales[0] * m.scales[1];
    }
    m.kick.apply(now, a, v);
    drift(m.drifts[0], v, r);
    if (m.two_drifts == 0) return;
    make_noise(m, i, v);
    drift(m.drifts[1], v, r);
  }

 private:
  static SOLION_BOTH void drift(const Flow& flow, const double* v, double* r) {
    const double from[3] = {r[0], r[1], r[2]};
    flow.apply(from, v, r);
  }
  SOLION_BOTH void make_noise(const Motion& m, std::int64_t i, double* v) const {
    const double width = m.width / std::sqrt(masses[i] * constants::amu_A2_per_fs2_in_eV);
    double gain = 0;
    for (int k = 0; k < 3; ++k) {
      const auto block = static_cast<std::uint64_t>(3 * (i - m.first_atom) + k);
      const double before = v[k];
      v[k] = m.keep * v[k] + width * random_normal(m.key, static_cast<std::uint64_t>(m.step), block);
      gain += v[k] * v[k] - before * before;
    }
    heat[i] = 0.5 * masses[i] * constants::amu_A2_per_fs2_in_eV * gain;
  }
};

/// Takes the net force of a cell off, in proportion to the masses.
struct RestForces {
  const Motion* motions;
  const int* cell_of;
  const double* masses;
  const double* net;  ///< [cell][3]
  double* forces;
  SOLION_BOTH void operator()(std::int64_t i) const {
    const Motion& m = motions[cell_of[i]];
    if (m.rests == 0) return;
    for (int k = 0; k < 3; ++k) forces[3 * i + k] -= masses[i] / m.mass * net[3 * cell_of[i] + k];
  }
};

/// The second half: a kick with the new forces.
struct Kick {
  const Motion* motions;
  const int* cell_of;
  const double* masses;
  const double* forces;
  double* velocities;
  SOLION_BOTH void operator()(std::int64_t i) const {
    const Motion& m = motions[cell_of[i]];
    if (m.moves == 0) return;
    double a[3], now[3];
    for (int k = 0; k < 3; ++k) {
      a[k] = constants::eV_per_A_per_amu_in_A_per_fs2 / masses[i] * forces[3 * i + k];
      now[k] = velocities[3 * i + k];
    }
    m.kick.apply(now, a, velocities + 3 * i);
  }
};

/// Multiplies the velocities by what the last step left.
struct Scale {
  const Motion* motions;
  const int* cell_of;
  double* velocities;
  SOLION_BOTH void operator()(std::int64_t i) const {
    const double factor = motions[cell_of[i]].scales[0];
    for (int k = 0; k < 3; ++k) velocities[3 * i + k] *= factor;
  }
};

/// Σ m v⊗v (six numbers, amu·Å²/fs²) and the heat (eV).
struct KineticColumns {
  static constexpr int n = 7;
  const double* masses;
  const double* velocities;
  const double* heat;
  SOLION_BOTH void add_to(std::int64_t atom, double* sums) const {
    const double* v = velocities + 3 * atom;
    const double m = masses[atom];
    sums[0] += m * v[0] * v[0];
    sums[1] += m * v[1] * v[1];
    sums[2] += m * v[2] * v[2];
    sums[3] += m * v[0] * v[1];
    sums[4] += m * v[0] * v[2];
    sums[5] += m * v[1] * v[2];
    sums[6] += heat[atom];
  }
};

}  // namespace solion::gpu
