// A Deep Potential evaluated on a device, behind the interface that every potential has.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "solion/gpu/batch.hpp"

namespace solion::gpu {

/// A device that several potentials use in turns.
struct SharedDevice {
  std::unique_ptr<Device> device;
  std::mutex turn;
};

struct DeviceOptions {
  Precision precision = Precision::single_precision;
  double skin_A = 1.0;
};

class DevicePotential : public Potential {
 public:
  /// InputError for a model that the device cannot evaluate (DeviceModel).
  DevicePotential(std::shared_ptr<SharedDevice> device, std::shared_ptr<const dp::Model> model,
                  const DeviceOptions& options = {});
  DevicePotential(const DevicePotential& other);
  DevicePotential& operator=(const DevicePotential&) = delete;
  DevicePotential(DevicePotential&&) = delete;
  DevicePotential& operator=(DevicePotential&&) = delete;
  ~DevicePotential() override;

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] const TypeMap& type_map() const override { return model_->type_map; }
  using Potential::evaluate;
  /// Atoms closer than `nearest_A` are an InputError too: the tables end there.
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override;
  [[nodiscard]] std::unique_ptr<Potential> clone() const override;
  void reset() override { forget_ = true; }
  [[nodiscard]] double list_seconds() const override;
  [[nodiscard]] double next_skin_A() const override { return options_.skin_A; }

  [[nodiscard]] const std::shared_ptr<const dp::Model>& model() const { return model_; }
  [[nodiscard]] const std::shared_ptr<SharedDevice>& device() const { return device_; }
  [[nodiscard]] const DeviceOptions& options() const { return options_; }

 private:
  void prepare(const Frame& frame);
  void warn_of_many_neighbors();

  std::shared_ptr<SharedDevice> device_;
  std::shared_ptr<const dp::Model> model_;
  DeviceOptions options_;
  std::unique_ptr<Batch> batch_;
  std::vector<int> types_;     ///< of the frame in the batch, the model's
  std::optional<Cell> first_;  ///< the cell that the batch was made with
  bool forget_ = false;
  std::shared_ptr<std::atomic<bool>> warned_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace solion::gpu
