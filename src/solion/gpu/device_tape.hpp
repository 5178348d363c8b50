// The passes over nets that are being trained, on a device: nn::Tape for several nets of the same sizes at
// once. Theory: docs/theory/train.md.
#pragma once

#include <cstdint>
#include <vector>

#include "solion/gpu/device.hpp"
#include "solion/nn/parameters.hpp"

namespace solion::gpu {

/// With y(x) a net, ẋ a tangent and J = Σ ȳ·y + Σ g·ẏ as in nn/tape.hpp. The samples (rows) of the nets stand
/// one net after another. All pointers are of the device; `flat` and `grad` are laid out as the layouts say.
template <typename T>
class DeviceTape {
 public:
  /// `nets`: of the same sizes and kinds.
  DeviceTape(Device& device, std::vector<nn::NetworkLayout> nets);

  /// Sets the number of rows of each net; all buffers become undefined.
  void resize(const std::vector<std::int64_t>& rows);

  T* input() { return levels_.front().y.data(); }                    ///< x (n, n_in), set before forward
  T* input_tangent() { return levels_.front().tangent.data(); }      ///< ẋ (n, n_in), set before tangent
  T* output() { return levels_.back().y.data(); }                    ///< y (n, n_out)
  T* output_tangent() { return levels_.back().tangent.data(); }      ///< ẏ (n, n_out)
  T* output_cotangent() { return levels_.back().cotangent.data(); }  ///< ȳ, set before tangent_backward
  T* output_adjoint() { return levels_.back().adjoint.data(); }      ///< g, set before backward
  T* input_cotangent() { return levels_.front().cotangent.data(); }  ///< ∂J/∂x (n, n_in)
  T* input_adjoint() { return levels_.front().adjoint.data(); }      ///< g·dy/dx (n, n_in)

  void forward(const T* flat);
  void tangent(const T* flat);
  /// `to_input` false: the gradient by the input itself is not needed and not computed.
  void backward(const T* flat, bool to_input);
  void tangent_backward(const T* flat, bool to_input);
  /// Sets ∂J/∂θ of all nets, after tangent_backward.
  void gradient(T* grad);

 private:
  /// What stands behind a layer, or, of level 0, before the first one.
  struct Level {
    DeviceArray<T> y, tangent, cotangent, adjoint;        ///< (n, width)
    DeviceArray<T> h, h_tangent, h_cotangent, h_adjoint;  ///< (n, width)
    DeviceArray<T> steps;                                 ///< (n, width) where there are time steps
  };
  /// Rows of a net in a buffer whose rows have `width` numbers.
  [[nodiscard]] std::int64_t at(std::size_t net, std::int64_t width) const { return begin_[net] * width; }
  [[nodiscard]] std::int64_t rows(std::size_t net) const { return begin_[net + 1] - begin_[net]; }
  [[nodiscard]] std::int64_t width(std::size_t level) const;
  /// h = x·W.
  void times(std::size_t net, std::size_t l, const T* flat, const DeviceArray<T>& x, DeviceArray<T>& h);
  /// ∂/∂x = ∂/∂h·Wᵀ + skipᵀ(∂/∂y).
  void back(std::size_t net, std::size_t l, const T* flat, const DeviceArray<T>& by_h,
            const DeviceArray<T>& by_y, DeviceArray<T>& by_x);
  void layer_gradient(std::size_t net, std::size_t l, T* grad);
  /// Calls work(net, layer) for all nets with rows and all layers, from the first to the last or back.
  template <typename Work>
  void each_layer(bool backwards, const Work& work);

  Device& device_;
  std::vector<nn::NetworkLayout> nets_;
  std::vector<std::int64_t> begin_;  ///< [net] its first row, and the end
  std::vector<Level> levels_;
  DeviceArray<T> ones_;
};

}  // namespace solion::gpu
