// Packing networks into a flat array and back.
#include "solion/nn/parameters.hpp"

#include <algorithm>

namespace solion::nn {
namespace {

constexpr std::size_t per_line = cache_line / sizeof(float);

/// Calls body(begin, end) for each stretch without a gap, in order.
template <typename F>
void for_numbers(const std::vector<NetworkLayout>& networks, const F& body) {
  for (const NetworkLayout& network : networks) {
    for (const LayerLayout& layer : network.layers) {
      const auto width = static_cast<std::size_t>(layer.n_out);
      std::size_t end = layer.w + static_cast<std::size_t>(layer.n_in) * width;
      for (const std::size_t at : {layer.b, layer.idt})
        if (at != absent) end = at + width;
      body(layer.w, end);
    }
  }
}

}  // namespace

NetworkLayout layout_of(const Network& network, std::size_t begin) {
  NetworkLayout layout;
  layout.begin = begin;
  std::size_t at = begin;
  for (const Layer& layer : network.layers) {
    LayerLayout one;
    one.n_in = layer.n_in();
    one.n_out = layer.n_out();
    one.activation = layer.activation;
    one.skip = layer.skip();
    at = (at + per_line - 1) / per_line * per_line;
    one.w = at;
    at += static_cast<std::size_t>(layer.w.size());
    if (layer.b.size() > 0) {
      one.b = at;
      at += static_cast<std::size_t>(layer.b.size());
    }
    if (layer.idt.size() > 0) {
      one.idt = at;
      at += static_cast<std::size_t>(layer.idt.size());
    }
    layout.layers.push_back(one);
  }
  layout.end = at;
  return layout;
}

std::size_t count_numbers(const std::vector<NetworkLayout>& networks) {
  std::size_t n = 0;
  for_numbers(networks, [&](std::size_t begin, std::size_t end) { n += end - begin; });
  return n;
}

template <typename T>
AlignedVector<T> without_gaps(std::span<const T> flat, const std::vector<NetworkLayout>& networks) {
  AlignedVector<T> numbers;
  numbers.reserve(count_numbers(networks));
  for_numbers(networks, [&](std::size_t begin, std::size_t end) {
    const std::span<const T> part = flat.subspan(begin, end - begin);
    numbers.insert(numbers.end(), part.begin(), part.end());
  });
  return numbers;
}

template <typename T>
AlignedVector<T> with_gaps(std::span<const T> numbers, const std::vector<NetworkLayout>& networks,
                           std::size_t size) {
  AlignedVector<T> flat(size, T(0));
  const T* from = numbers.data();
  for_numbers(networks, [&](std::size_t begin, std::size_t end) {
    std::copy_n(from, end - begin, flat.begin() + static_cast<std::ptrdiff_t>(begin));
    from += end - begin;
  });
  return flat;
}

template <typename T>
void pack(const Network& network, const NetworkLayout& layout, T* flat) {
  const auto copy = [](const double* from, Eigen::Index n, T* to) {
    std::transform(from, from + n, to, [](double x) { return static_cast<T>(x); });
  };
  for (std::size_t l = 0; l < layout.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    const LayerLayout& at = layout.layers[l];
    copy(layer.w.data(), layer.w.size(), flat + at.w);
    if (at.b != absent) copy(layer.b.data(), layer.b.size(), flat + at.b);
    if (at.idt != absent) copy(layer.idt.data(), layer.idt.size(), flat + at.idt);
  }
}

template <typename T>
void unpack(const T* flat, const NetworkLayout& layout, Network& network) {
  const auto copy = [](const T* from, Eigen::Index n, double* to) {
    std::transform(from, from + n, to, [](T x) { return static_cast<double>(x); });
  };
  for (std::size_t l = 0; l < layout.layers.size(); ++l) {
    Layer& layer = network.layers[l];
    const LayerLayout& at = layout.layers[l];
    copy(flat + at.w, layer.w.size(), layer.w.data());
    if (at.b != absent) copy(flat + at.b, layer.b.size(), layer.b.data());
    if (at.idt != absent) copy(flat + at.idt, layer.idt.size(), layer.idt.data());
  }
}

template AlignedVector<float> without_gaps(std::span<const float>, const std::vector<NetworkLayout>&);
template AlignedVector<double> without_gaps(std::span<const double>, const std::vector<NetworkLayout>&);
template AlignedVector<float> with_gaps(std::span<const float>, const std::vector<NetworkLayout>&,
                                        std::size_t);
template AlignedVector<double> with_gaps(std::span<const double>, const std::vector<NetworkLayout>&,
                                         std::size_t);
template void pack<float>(const Network&, const NetworkLayout&, float*);
template void pack<double>(const Network&, const NetworkLayout&, double*);
template void unpack<float>(const float*, const NetworkLayout&, Network&);
template void unpack<double>(const double*, const NetworkLayout&, Network&);

}  // namespace solion::nn
