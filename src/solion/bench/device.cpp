// Replicas that nobody looks at, and a clock.
#include "solion/bench/device.hpp"

#include <algorithm>
#include <chrono>

#include "solion/base/errors.hpp"

namespace solion::bench {
namespace {

using Clock = std::chrono::steady_clock;

gpu::Replicas make_replicas(const Frame& frame, std::shared_ptr<const dp::Model> model, gpu::Device& device,
                            const DeviceRun& run, std::int64_t steps) {
  std::vector<gpu::ReplicaStart> starts;
  for (int r = 0; r < run.replicas; ++r) {
    md::Settings settings;
    settings.timestep_fs = run.timestep_fs;
    settings.seed = static_cast<std::uint64_t>(r) + 1;
    settings.stages = {{steps, 300, 300}};
    settings.temperature_limit_K =
        1e7;  // an untrained model may heat its atoms: that is not the question here
    starts.push_back({settings, md::initial_state(settings, frame)});
  }
  return {device, std::move(model), run.precision, std::move(starts), {.skin_A = run.skin_A}};
}

void step(gpu::Replicas& replicas, std::int64_t n) {
  for (std::int64_t k = 0; k < n; ++k) replicas.step();
  for (int r = 0; r < replicas.size(); ++r) {
    if (!replicas.failure(r).empty()) throw WorkError("bench: replica {}: {}", r + 1, replicas.failure(r));
  }
}

}  // namespace

DeviceTiming time_device(const Frame& frame, std::shared_ptr<const dp::Model> model, gpu::Device& device,
                         const DeviceRun& run) {
  if (run.steps < 1 || run.replicas < 1)
    throw InputError("bench: {} steps of {} replicas; expected at least 1", run.steps, run.replicas);
  const std::int64_t block = std::min<std::int64_t>(run.steps, 20), blocks = (run.steps + block - 1) / block;
  gpu::Replicas replicas = make_replicas(frame, std::move(model), device, run, block * (blocks + 1));
  step(replicas, block);  // first lists, recorded launches, the clock of the device
  const auto profile_before = device.profile();
  const double list_before = replicas.list_seconds();
  const md::Thermo start = replicas.thermo(0);
  std::vector<double> times;
  for (std::int64_t k = 0; k < blocks; ++k) {
    const auto begin = Clock::now();
    step(replicas, block);
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count() * 1e3 /
                    static_cast<double>(block));
  }
  const md::Thermo end = replicas.thermo(0);
  DeviceTiming t;
  t.steps = block * blocks;
  t.n_atoms = replicas.n_atoms();
  t.replicas = run.replicas;
  double total = 0;
  for (const double ms : times) total += ms * 1e-3 * static_cast<double>(block);
  std::sort(times.begin(), times.end());
  t.ms_per_step = times[times.size() / 2];
  t.fastest_ms_per_step = times.front();
  t.list_share = (replicas.list_seconds() - list_before) / total;
  t.temperature_K = end.temperature_K;
  t.drift_meV_per_atom_ps = (end.conserved_eV - start.conserved_eV) * 1e3 /
                            static_cast<double>(frame.n_atoms()) / ((end.time_fs - start.time_fs) * 1e-3);
  for (const auto& [name, seconds] : device.profile()) {
    double before = 0;
    for (const auto& [other, then] : profile_before)
      if (other == name) before = then;
    t.kernels.emplace_back(name, seconds - before);
  }
  return t;
}

}  // namespace solion::bench
