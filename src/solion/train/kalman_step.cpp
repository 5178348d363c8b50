// Energies, then forces, one measurement after another.
#include "solion/train/kalman_step.hpp"

#include <unistd.h>

#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion::train {
namespace {

/// Of the covariance there are while a checkpoint is written.
constexpr int copies = 5;

/// The signs and the error of what is measured.
template <typename T>
struct Measurement {
  std::vector<double> energy;  ///< [frame]
  std::vector<T> force;        ///< 3 an atom of the batch
  double error = 0;            ///< summed over frames
  int n = 0;                   ///< frames that have the label

  explicit Measurement(std::span<const Prepared<T>* const> frames) : energy(frames.size(), 0.0) {
    std::size_t atoms = 0;
    for (const auto* frame : frames) atoms += static_cast<std::size_t>(frame->n_atoms);
    force.assign(3 * atoms, T(0));
  }
};

template <typename T>
Measurement<T> energies(const Engine<T>& engine, std::span<const Prepared<T>* const> frames, double p) {
  Measurement<T> measured(frames);
  for (std::size_t f = 0; f < frames.size(); ++f) {
    if (!frames[f]->has_energy) continue;
    const double more = frames[f]->energy - engine.predictions()[f].energy;
    measured.energy[f] = std::copysign(p / frames[f]->n_atoms, more);
    measured.error += p * std::abs(more) / frames[f]->n_atoms;
    ++measured.n;
  }
  return measured;
}

/// Of each frame so many atoms, drawn with replacement.
template <typename T>
Measurement<T> forces(const Engine<T>& engine, std::span<const Prepared<T>* const> frames, double p,
                      RandomStream& random) {
  Measurement<T> measured(frames);
  std::size_t first = 0;
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const auto n_atoms = static_cast<std::size_t>(frames[f]->n_atoms);
    const double share = p / (3.0 * group_atoms * static_cast<double>(n_atoms));
    for (int draw = 0; frames[f]->has_forces && draw < group_atoms; ++draw) {
      const std::size_t atom = random.below(n_atoms);
      for (std::size_t k = 3 * atom; k < 3 * atom + 3; ++k) {
        const double more = frames[f]->forces[k] - engine.predictions()[f].forces[k];
        measured.force[3 * first + k] += static_cast<T>(std::copysign(share, more));
        measured.error += share * std::abs(more);
      }
    }
    measured.n += frames[f]->has_forces ? 1 : 0;
    first += n_atoms;
  }
  return measured;
}

}  // namespace

template <typename T>
void kalman_step(Engine<T>& engine, nn::Kalman<T>& filter, std::span<const Prepared<T>* const> frames,
                 const LossWeights& weights, const std::vector<unsigned char>& trained, std::uint64_t seed,
                 std::int64_t step, int threads) {
  const auto take_in = [&](const Measurement<T>& measured) {
    if (measured.n == 0) return;
    engine.make_gradient_of(measured.energy, measured.force, threads);
    for (std::size_t i = 0; i < trained.size(); ++i)
      if (trained[i] == 0) engine.gradient()[i] = 0;
    filter.update(engine.parameters().data(), engine.gradient().data(),
                  measured.error / std::sqrt(measured.n), threads);
  };
  if (weights.energy > 0) take_in(energies(engine, frames, weights.energy));
  if (!(weights.force > 0)) return;
  RandomStream random(seed, "groups of forces", static_cast<std::uint64_t>(step));
  for (int k = 0; k < force_groups; ++k) {
    engine.evaluate(frames, threads);
    take_in(forces(engine, frames, weights.force, random));
  }
}

template <typename T>
void check_filter(const Settings& settings, const std::vector<nn::NetworkLayout>& nets, int processes) {
  if (processes > 1)
    throw InputError("{}: the optimizer LKF is for one process: expected one, with threads, or SOAP or Adam",
                     settings.file.string());
  const std::ptrdiff_t block = settings.optimizer.kalman.filter.block;
  const double bytes = static_cast<double>(nn::Kalman<T>::size(nets, block)) * sizeof(T);
  const double memory =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (bytes < memory / copies) return;
  throw InputError(
      "{}: kf_blocksize = {}: the covariance of {} parameters takes {:.1f} GB, {} times that while it is "
      "saved, and this machine has {:.1f}: expected smaller blocks (the memory goes with their size)",
      settings.file.string(), block, nn::count_numbers(nets), bytes / 1e9, copies, memory / 1e9);
}

template void check_filter<float>(const Settings&, const std::vector<nn::NetworkLayout>&, int);
template void check_filter<double>(const Settings&, const std::vector<nn::NetworkLayout>&, int);
template void kalman_step(Engine<float>&, nn::Kalman<float>&, std::span<const Prepared<float>* const>,
                          const LossWeights&, const std::vector<unsigned char>&, std::uint64_t, std::int64_t,
                          int);
template void kalman_step(Engine<double>&, nn::Kalman<double>&, std::span<const Prepared<double>* const>,
                          const LossWeights&, const std::vector<unsigned char>&, std::uint64_t, std::int64_t,
                          int);

}  // namespace solion::train
