// Energies, then forces, one measurement after another.
#include "solion/train/kalman_step.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion::train {
namespace {

/// The signs and the mean of what is measured.
template <typename T>
struct Measurement {
  std::vector<double> energy;  ///< [frame]
  std::vector<T> force;        ///< 3 an atom of the batch
  double error = 0;
  int n = 0;  ///< frames that have the label

  Measurement(std::span<const Prepared<T>* const> frames) : energy(frames.size(), 0.0) {
    std::size_t atoms = 0;
    for (const auto* frame : frames) atoms += static_cast<std::size_t>(frame->n_atoms);
    force.assign(3 * atoms, T(0));
  }
  void finish() {
    for (double& c : energy) c /= n;
    for (T& c : force) c /= static_cast<T>(n);
    error /= n;
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

/// `atoms`: of each frame those of the group.
template <typename T>
Measurement<T> forces(const Engine<T>& engine, std::span<const Prepared<T>* const> frames, double p,
                      const std::vector<std::vector<std::size_t>>& atoms) {
  Measurement<T> measured(frames);
  std::size_t first = 0;
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const double n_atoms = frames[f]->n_atoms;
    if (frames[f]->has_forces && !atoms[f].empty()) {
      double sum = 0;
      for (const std::size_t i : atoms[f]) {
        for (std::size_t k = 3 * i; k < 3 * i + 3; ++k) {
          const double more = frames[f]->forces[k] - engine.predictions()[f].forces[k];
          measured.force[3 * first + k] = static_cast<T>(std::copysign(p / n_atoms, more));
          sum += std::abs(more);
        }
      }
      measured.error += p * sum / (3 * static_cast<double>(atoms[f].size()) * n_atoms);
      ++measured.n;
    }
    first += static_cast<std::size_t>(frames[f]->n_atoms);
  }
  return measured;
}

/// The atoms of each frame in random order.
template <typename T>
std::vector<std::vector<std::size_t>> shuffled(std::span<const Prepared<T>* const> frames,
                                               RandomStream& random) {
  std::vector<std::vector<std::size_t>> orders;
  for (const auto* frame : frames) {
    std::vector<std::size_t> order(static_cast<std::size_t>(frame->n_atoms));
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[random.below(k)]);
    orders.push_back(std::move(order));
  }
  return orders;
}

std::vector<std::vector<std::size_t>> group(const std::vector<std::vector<std::size_t>>& orders, int k) {
  std::vector<std::vector<std::size_t>> atoms;
  for (const auto& order : orders) {
    const auto at = [&](int g) {
      return order.begin() + std::min<std::ptrdiff_t>(g * group_atoms, std::ssize(order));
    };
    atoms.emplace_back(at(k), at(k + 1));
  }
  return atoms;
}

}  // namespace

template <typename T>
void kalman_step(Engine<T>& engine, nn::Kalman<T>& filter, std::span<const Prepared<T>* const> frames,
                 const LossWeights& weights, const std::vector<unsigned char>& trained, std::uint64_t seed,
                 std::int64_t step, int threads) {
  const auto take_in = [&](Measurement<T> measured) {
    if (measured.n == 0) return;
    measured.finish();
    engine.make_gradient_of(measured.energy, measured.force, threads);
    for (std::size_t i = 0; i < trained.size(); ++i)
      if (trained[i] == 0) engine.gradient()[i] = 0;
    filter.update(engine.parameters().data(), engine.gradient().data(), measured.error, threads);
  };
  if (weights.energy > 0) take_in(energies(engine, frames, weights.energy));
  if (!(weights.force > 0)) return;
  RandomStream random(seed, "groups of forces", static_cast<std::uint64_t>(step));
  const auto orders = shuffled(frames, random);
  for (int k = 0; k < force_groups; ++k) {
    engine.evaluate(frames, threads);
    take_in(forces(engine, frames, weights.force, group(orders, k)));
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
  if (bytes < 0.8 * memory) return;
  throw InputError(
      "{}: kf_blocksize = {}: the covariance of {} parameters takes {:.1f} GB and this machine has {:.1f}: "
      "expected smaller blocks (the memory goes with their size)",
      settings.file.string(), block, nn::count_numbers(nets), bytes / 1e9, memory / 1e9);
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
