// One simulation that moves its atoms on a device, for md::run: log, trajectories, restart file and analyses
// as with any other.
#pragma once

#include "solion/gpu/device_potential.hpp"
#include "solion/gpu/replicas.hpp"
#include "solion/md/run.hpp"

namespace solion::gpu {

class DeviceSimulation final : public md::Simulation {
 public:
  /// From a state, which may have no forces yet; device, model, precision and skin are the potential's.
  DeviceSimulation(const md::Settings& settings, md::State state, const DevicePotential& potential);
  ~DeviceSimulation() override;
  DeviceSimulation(const DeviceSimulation&) = delete;
  DeviceSimulation& operator=(const DeviceSimulation&) = delete;
  DeviceSimulation(DeviceSimulation&&) = delete;
  DeviceSimulation& operator=(DeviceSimulation&&) = delete;

  void step() override;
  [[nodiscard]] const md::State& state() const override;
  [[nodiscard]] std::int64_t steps_done() const override { return replicas_->steps_done(0); }
  [[nodiscard]] const Cell& cell() const override { return replicas_->cell(0); }
  [[nodiscard]] md::Thermo thermo() const override { return replicas_->thermo(0); }
  [[nodiscard]] std::optional<PairCounts> count_pairs(double bin_A, int bins) const override;

 private:
  std::shared_ptr<SharedDevice> device_;
  std::unique_ptr<Replicas> replicas_;
};

/// md::RunOptions::mover for this potential if it is one of a device; else empty.
std::function<std::unique_ptr<md::Simulation>(const md::Settings&, md::State)> mover_of(
    const Potential& potential);

}  // namespace solion::gpu
