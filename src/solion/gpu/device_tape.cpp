// Layer by layer: a product for the linear part, a kernel for the rest.
#include "solion/gpu/device_tape.hpp"

#include <algorithm>
#include <utility>

namespace solion::gpu {
namespace {

template <typename T>
LayerView<T> view_of(const nn::LayerLayout& layer, const T* flat) {
  return {static_cast<int>(layer.n_in),
          static_cast<int>(layer.n_out),
          layer.skip,
          layer.activation,
          layer.b == nn::absent ? nullptr : flat + layer.b,
          layer.idt == nn::absent ? nullptr : flat + layer.idt};
}

}  // namespace

template <typename T>
DeviceTape<T>::DeviceTape(Device& device, std::vector<nn::NetworkLayout> nets)
    : device_(device), nets_(std::move(nets)), levels_(nets_.front().layers.size() + 1) {}

template <typename T>
std::int64_t DeviceTape<T>::width(std::size_t level) const {
  return level == 0 ? nets_.front().n_in() : nets_.front().layers[level - 1].n_out;
}

template <typename T>
void DeviceTape<T>::resize(const std::vector<std::int64_t>& rows) {
  begin_.assign(1, 0);
  for (const std::int64_t n : rows) begin_.push_back(begin_.back() + n);
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    const auto size = static_cast<std::size_t>(begin_.back() * width(l));
    Level& level = levels_[l];
    for (DeviceArray<T>* array : {&level.y, &level.tangent, &level.cotangent, &level.adjoint})
      array->resize(device_, size);
    if (l == 0) continue;
    for (DeviceArray<T>* array : {&level.h, &level.h_tangent, &level.h_cotangent, &level.h_adjoint})
      array->resize(device_, size);
    if (nets_.front().layers[l - 1].idt != nn::absent) level.steps.resize(device_, size);
  }
  const auto most = static_cast<std::size_t>(rows.empty() ? 0 : *std::max_element(rows.begin(), rows.end()));
  if (ones_.size() < most) ones_.upload(device_, std::vector<T>(most, T(1)));
}

template <typename T>
template <typename Work>
void DeviceTape<T>::each_layer(bool backwards, const Work& work) {
  const std::size_t n = levels_.size() - 1;
  for (std::size_t net = 0; net < nets_.size(); ++net) {
    if (rows(net) == 0) continue;
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t l = backwards ? n - 1 - k : k;
      work(net, l, nets_[net].layers[l]);
    }
  }
}

template <typename T>
void DeviceTape<T>::times(std::size_t net, std::size_t l, const T* flat, const DeviceArray<T>& x,
                          DeviceArray<T>& h) {
  const nn::LayerLayout& layer = nets_[net].layers[l];
  device_.product(Product<T>{rows(net), layer.n_out, layer.n_in, x.data() + at(net, layer.n_in),
                             flat + layer.w, layer.n_in, layer.n_out, layer.n_out,
                             h.data() + at(net, layer.n_out), 0});
}

template <typename T>
void DeviceTape<T>::forward(const T* flat) {
  each_layer(false, [&](std::size_t net, std::size_t l, const nn::LayerLayout& layer) {
    Level& level = levels_[l + 1];
    times(net, l, flat, levels_[l].y, level.h);
    const std::int64_t first = at(net, layer.n_out);
    device_.each(rows(net) * layer.n_out,
                 TapeForward<T>{view_of(layer, flat), levels_[l].y.data() + at(net, layer.n_in),
                                level.h.data() + first, level.y.data() + first});
  });
}

template <typename T>
void DeviceTape<T>::tangent(const T* flat) {
  each_layer(false, [&](std::size_t net, std::size_t l, const nn::LayerLayout& layer) {
    Level& level = levels_[l + 1];
    times(net, l, flat, levels_[l].tangent, level.h_tangent);
    const std::int64_t first = at(net, layer.n_out);
    device_.each(
        rows(net) * layer.n_out,
        TapeTangent<T>{view_of(layer, flat), levels_[l].tangent.data() + at(net, layer.n_in),
                       level.h.data() + first, level.h_tangent.data() + first, level.tangent.data() + first});
  });
}

template <typename T>
void DeviceTape<T>::back(std::size_t net, std::size_t l, const T* flat, const DeviceArray<T>& by_h,
                         const DeviceArray<T>& by_y, DeviceArray<T>& by_x) {
  const nn::LayerLayout& layer = nets_[net].layers[l];
  T* x = by_x.data() + at(net, layer.n_in);
  const std::int64_t first = at(net, layer.n_out);
  Product<T> product{rows(net),
                     layer.n_in,
                     layer.n_out,
                     by_h.data() + first,
                     flat + layer.w,
                     layer.n_out,
                     layer.n_out,
                     layer.n_in,
                     x,
                     0};
  product.b_turned = 1;
  device_.product(product);
  if (layer.skip == 0) return;
  device_.each(rows(net) * layer.n_in, TapeSkip<T>{static_cast<int>(layer.n_in),
                                                   static_cast<int>(layer.n_out), by_y.data() + first, x});
}

template <typename T>
void DeviceTape<T>::backward(const T* flat, bool to_input) {
  each_layer(true, [&](std::size_t net, std::size_t l, const nn::LayerLayout& layer) {
    Level& level = levels_[l + 1];
    const std::int64_t first = at(net, layer.n_out);
    device_.each(rows(net) * layer.n_out,
                 TapeBackward<T>{view_of(layer, flat), level.h.data() + first, level.adjoint.data() + first,
                                 level.h_adjoint.data() + first});
    if (l > 0 || to_input) back(net, l, flat, level.h_adjoint, level.adjoint, levels_[l].adjoint);
  });
}

template <typename T>
void DeviceTape<T>::tangent_backward(const T* flat, bool to_input) {
  each_layer(true, [&](std::size_t net, std::size_t l, const nn::LayerLayout& layer) {
    Level& level = levels_[l + 1];
    const std::int64_t first = at(net, layer.n_out);
    T* steps = layer.idt == nn::absent ? nullptr : level.steps.data() + first;
    device_.each(
        rows(net) * layer.n_out,
        TapeTangentBackward<T>{view_of(layer, flat), level.h.data() + first, level.h_tangent.data() + first,
                               level.cotangent.data() + first, level.adjoint.data() + first,
                               level.h_cotangent.data() + first, steps});
    if (l > 0 || to_input) back(net, l, flat, level.h_cotangent, level.cotangent, levels_[l].cotangent);
  });
}

template <typename T>
void DeviceTape<T>::gradient(T* grad) {
  for (std::size_t net = 0; net < nets_.size(); ++net) {
    for (std::size_t l = 0; l < nets_[net].layers.size(); ++l) layer_gradient(net, l, grad);
  }
}

/// ∂J/∂W = xᵀ·∂J/∂h + ẋᵀ·∂J/∂ḣ; sums over rows as products with ones.
template <typename T>
void DeviceTape<T>::layer_gradient(std::size_t net, std::size_t l, T* grad) {
  const nn::LayerLayout& layer = nets_[net].layers[l];
  const auto n_out = static_cast<std::size_t>(layer.n_out);
  if (rows(net) == 0) {
    device_.clear(grad + layer.w, static_cast<std::size_t>(layer.n_in) * n_out * sizeof(T));
    for (const std::size_t place : {layer.b, layer.idt})
      if (place != nn::absent) device_.clear(grad + place, n_out * sizeof(T));
    return;
  }
  Level& level = levels_[l + 1];
  const std::int64_t x_at = at(net, layer.n_in), h_at = at(net, layer.n_out);
  Product<T> product{layer.n_in,
                     layer.n_out,
                     rows(net),
                     levels_[l].y.data() + x_at,
                     level.h_cotangent.data() + h_at,
                     layer.n_in,
                     layer.n_out,
                     layer.n_out,
                     grad + layer.w,
                     0};
  product.a_turned = 1;
  device_.product(product);
  product.a = levels_[l].tangent.data() + x_at;
  product.b = level.h_adjoint.data() + h_at;
  product.add = 1;
  device_.product(product);
  const auto sum = [&](const DeviceArray<T>& of, std::size_t place) {
    if (place == nn::absent) return;
    device_.product(Product<T>{1, layer.n_out, rows(net), ones_.data(), of.data() + h_at, rows(net),
                               layer.n_out, layer.n_out, grad + place, 0});
  };
  sum(level.h_cotangent, layer.b);
  sum(level.steps, layer.idt);
}

template class DeviceTape<float>;
template class DeviceTape<double>;

}  // namespace solion::gpu
