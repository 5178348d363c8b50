// One training step of the Kalman filter: what is measured, and in which order it is taken in.
#pragma once

#include <cstdint>
#include <span>

#include "solion/nn/kalman.hpp"
#include "solion/train/engine.hpp"
#include "solion/train/settings.hpp"

namespace solion::train {

/// Takes in the energies of a batch that `engine` has just evaluated, and then, each evaluated anew, the
/// forces on `force_groups` random groups of atoms of each frame: of n quantities x with labels y the sum of
/// ±p·x/(N_f·frames), the signs those of y − x, is expected to be larger by the mean of p·|y − x|/N_f, as
/// DeePMD-kit's LKF (Hu et al., arXiv 2212.06989, section "RLEKF"). `weights`: p of energies and forces; 0
/// leaves them out. Parameters with trained[i] = 0 keep their value. The groups are named by `seed` and
/// `step`.
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
