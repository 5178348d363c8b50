// One training step of the Kalman filter: what is measured, and in which order it is taken in.
#pragma once

#include <cstdint>
#include <span>

#include "solion/nn/kalman.hpp"
#include "solion/train/engine.hpp"
#include "solion/train/settings.hpp"

namespace solion::train {

/// Takes in the energies of a batch that `engine` has just evaluated, and then, each evaluated anew, the
/// forces on `force_groups` groups of atoms of each frame, drawn at random. What is measured is Σ_f
/// ±p·⟨x⟩/N_f of a frame's energy or the mean over its group's force components, the signs those of label
/// less prediction, and it is expected to be larger by the mean over frames of p·⟨|y − x|⟩/N_f times the root
/// of their number, as in DeePMD-kit's LKF and FEKF. `weights`: p of energies and forces; 0 leaves them out.
/// Parameters with trained[i] = 0 keep their value. `seed` and `step` name the groups.
template <typename T>
void kalman_step(Engine<T>& engine, nn::Kalman<T>& filter, std::span<const Prepared<T>* const> frames,
                 const LossWeights& weights, const std::vector<unsigned char>& trained, std::uint64_t seed,
                 std::int64_t step, int threads);

/// InputError for more than one process, and for blocks whose covariance does not fit into this machine.
template <typename T>
void check_filter(const Settings& settings, const std::vector<nn::NetworkLayout>& nets, int processes);

constexpr int force_groups = 4;
constexpr int group_atoms = 6;

}  // namespace solion::train
