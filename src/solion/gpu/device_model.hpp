// A Deep Potential in a device's memory: tables, fitting nets, and what pairs of types share.
#pragma once

#include <memory>
#include <vector>

#include "solion/dp/model.hpp"
#include "solion/gpu/device.hpp"

namespace solion::gpu {

/// Pairs closer than this (Å) are an error on a device; between it and the usual tables' near end a second
/// table takes the place of the exact net.
constexpr double nearest_A = 0.1;

/// One fitting net. W and Wᵀ are both kept; where products are split, as three matrices one below the other
/// (Operand).
template <typename T>
struct NetView {
  struct Layer {
    LayerView<T> shape;
    const T* w = nullptr;             ///< (n_in, n_out)
    const T* w_transposed = nullptr;  ///< (n_out, n_in)
  };
  std::vector<Layer> hidden;
  const T* last = nullptr;  ///< (width of the last hidden layer)
  double bias = 0;          ///< eV, all of them
};

template <typename T>
class DeviceModel {
 public:
  /// InputError where a net has no table (relu) or the fitting net a shape that this path does not have.
  DeviceModel(Device& device, std::shared_ptr<const dp::Model> model);

  [[nodiscard]] const dp::Model& model() const { return *model_; }
  [[nodiscard]] const ModelView<T>& view() const { return view_; }
  [[nodiscard]] const NetView<T>& net(int type) const { return nets_[static_cast<std::size_t>(type)]; }
  /// True if the factors of products are split for tensor cores.
  [[nodiscard]] bool splits() const { return splits_; }
  /// Hidden layers of the deepest net, and the widest layer.
  [[nodiscard]] std::size_t depth() const;
  [[nodiscard]] int width() const;

 private:
  template <typename U>
  const U* keep(Device& device, std::vector<DeviceArray<U>>& arrays, const std::vector<U>& values);
  const T* keep_factor(Device& device, const std::vector<T>& values);
  void take_tables(Device& device);
  void take_net(Device& device, int type);

  std::shared_ptr<const dp::Model> model_;
  bool splits_;
  ModelView<T> view_{};
  std::vector<NetView<T>> nets_;
  std::vector<DeviceArray<T>> numbers_;
  std::vector<DeviceArray<int>> integers_;
  DeviceArray<PairView<T>> pairs_;
};

}  // namespace solion::gpu
