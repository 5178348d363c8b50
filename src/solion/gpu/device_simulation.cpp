// A single replica behind md::Simulation.
#include "solion/gpu/device_simulation.hpp"

#include "solion/base/errors.hpp"

namespace solion::gpu {

DeviceSimulation::DeviceSimulation(const md::Settings& settings, md::State state,
                                   const DevicePotential& potential)
    : Simulation(settings), device_(potential.device()) {
  const std::lock_guard lock(device_->turn);
  std::vector<ReplicaStart> starts;
  starts.push_back({settings, std::move(state)});
  replicas_ =
      std::make_unique<Replicas>(*device_->device, potential.model(), potential.options().precision,
                                 std::move(starts), BatchOptions{.skin_A = potential.options().skin_A});
}

DeviceSimulation::~DeviceSimulation() {
  const std::lock_guard lock(device_->turn);
  replicas_.reset();
}

void DeviceSimulation::step() {
  const std::lock_guard lock(device_->turn);
  replicas_->step();
  if (!replicas_->failure(0).empty()) throw WorkError("{}", replicas_->failure(0));
}

const md::State& DeviceSimulation::state() const {
  const std::lock_guard lock(device_->turn);
  return replicas_->state(0);
}

std::optional<PairCounts> DeviceSimulation::count_pairs(double bin_A, int bins) const {
  const std::lock_guard lock(device_->turn);
  return replicas_->count_pairs(0, bin_A, bins);
}

std::function<std::unique_ptr<md::Simulation>(const md::Settings&, md::State)> mover_of(
    const Potential& potential) {
  const auto* on_device = dynamic_cast<const DevicePotential*>(&potential);
  if (on_device == nullptr) return nullptr;
  return [on_device](const md::Settings& settings, md::State state) {
    return std::make_unique<DeviceSimulation>(settings, std::move(state), *on_device);
  };
}

}  // namespace solion::gpu
