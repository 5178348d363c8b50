// The passes over a network for many samples at once: forward, tangent, backward and tangent-backward.
// Theory: docs/theory/train.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "solion/nn/parameters.hpp"

namespace solion::nn {

/// A buffer that only grows, aligned for vectors; its content is not kept when it grows.
template <typename T>
class Buffer {
 public:
  /// Room for n numbers, of its own.
  T* reserve(std::size_t n) {
    elsewhere_ = nullptr;
    if (n > room_) {
      storage_.resize(n + 64 / sizeof(T));
      room_ = n;
      const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
      shift_ = ((64 - address % 64) % 64) / sizeof(T);
    }
    return data();
  }
  /// From now on the numbers lie in memory of somebody else's.
  void lie_at(T* memory) { elsewhere_ = memory; }
  T* data() { return elsewhere_ != nullptr ? elsewhere_ : storage_.data() + shift_; }
  const T* data() const { return elsewhere_ != nullptr ? elsewhere_ : storage_.data() + shift_; }

 private:
  T* elsewhere_ = nullptr;
  std::vector<T> storage_;
  std::size_t room_ = 0;
  std::size_t shift_ = 0;
};

/// What the gradient of a layer's weights is made of, for n samples.
template <typename T>
struct LayerRows {
  const T* input = nullptr;      ///< (2n, n_in): x and ẋ
  const T* cotangent = nullptr;  ///< (2n, n_out): ∂J/∂h and ∂J/∂ḣ
  std::ptrdiff_t n = 0;
};
/// Numbers of the LayerRows of all layers, and where those of one lie in memory of that size.
template <typename T>
std::size_t rows_size(const NetworkLayout& layout, std::ptrdiff_t n);
template <typename T>
LayerRows<T> rows_in(const T* memory, const NetworkLayout& layout, std::size_t layer, std::ptrdiff_t n);
/// Where row `in` of the layer's W lies among the parameters.
inline std::size_t weight_row(const LayerLayout& layer, std::ptrdiff_t in) {
  return layer.w + static_cast<std::size_t>(in * layer.n_out);
}
/// The rows [in_begin, in_end) of ∂J/∂W of the layer, set (`add` false) or added to what stands in `grad`,
/// n_out numbers a row.
template <typename T>
void weight_gradient(const LayerLayout& layer, const LayerRows<T>& rows, std::ptrdiff_t in_begin,
                     std::ptrdiff_t in_end, bool add, T* grad);

/// What the passes over one network remember. With y(x) the network, ẋ a tangent of its input and
///     J = Σ ȳ·y + Σ g·ẏ,   ẏ = (dy/dx) ẋ,
/// the passes compute, for n samples (rows) and weights constant in between,
///   forward            x → y
///   tangent            ẋ → ẏ                                   (after forward)
///   backward           g → g·dy/dx = ∂J/∂ẋ, also plain reverse mode (after forward)
///   tangent_backward   ȳ → ∂J/∂x                              (after the three others)
///   weight_gradient, bias_gradient     ∂J/∂θ                   (after tangent_backward)
/// The row passes take a range of rows, so that threads share one tape by disjoint ranges.
template <typename T>
class Tape {
 public:
  Tape() = default;
  explicit Tape(NetworkLayout layout) : layout_(std::move(layout)) {}

  /// Sets the number of samples; all buffers become undefined. The LayerRows lie in `rows`, of rows_size(),
  /// if it is not null.
  void resize(std::ptrdiff_t n, T* rows = nullptr);
  [[nodiscard]] std::ptrdiff_t n() const { return n_; }
  [[nodiscard]] const NetworkLayout& layout() const { return layout_; }

  T* input() { return buffers_.front().out.data(); }              ///< x (n, n_in), set before forward
  T* input_tangent() { return second(buffers_.front().out, 0); }  ///< ẋ (n, n_in), set before tangent
  const T* output() const { return buffers_.back().out.data(); }  ///< y (n, n_out)
  T* output_tangent() { return second(buffers_.back().out, layers()); }  ///< ẏ (n, n_out)
  T* output_cotangent() { return buffers_.back().cotangent.data(); }     ///< ȳ, set before tangent_backward
  T* output_adjoint() { return second(buffers_.back().cotangent, layers()); }  ///< g, set before backward
  T* input_cotangent() { return buffers_.front().cotangent.data(); }           ///< ∂J/∂x (n, n_in)
  T* input_adjoint() { return second(buffers_.front().cotangent, 0); }         ///< g·dy/dx (n, n_in)

  void forward(const T* flat, std::ptrdiff_t begin, std::ptrdiff_t end);
  void tangent(const T* flat, std::ptrdiff_t begin, std::ptrdiff_t end);
  /// `to_input` false: the gradient by the input itself is not needed and not computed.
  void backward(const T* flat, std::ptrdiff_t begin, std::ptrdiff_t end, bool to_input);
  void tangent_backward(const T* flat, std::ptrdiff_t begin, std::ptrdiff_t end, bool to_input);
  [[nodiscard]] LayerRows<T> rows(std::size_t layer) const {
    return {buffers_[layer].out.data(), buffers_[layer + 1].h_cotangent.data(), n_};
  }
  /// Sets the gradient of the layer's bias and idt in grad, which is laid out as the parameters.
  void bias_gradient(std::size_t layer, T* grad) const;

 private:
  struct Buffers {
    Buffer<T> out;          ///< (2n, width): y and ẏ behind this layer (index 0: the input)
    Buffer<T> cotangent;    ///< (2n, width): ∂J/∂y and ∂J/∂ẏ
    Buffer<T> state;        ///< (n, width): what φ and its derivatives follow from
    Buffer<T> h_tangent;    ///< (n, width): ḣ
    Buffer<T> h_cotangent;  ///< (2n, width): ∂J/∂h and ∂J/∂ḣ
  };

  [[nodiscard]] std::size_t layers() const { return layout_.layers.size(); }
  [[nodiscard]] std::ptrdiff_t width(std::size_t level) const {
    return level == 0 ? layout_.n_in() : layout_.layers[level - 1].n_out;
  }
  T* second(Buffer<T>& buffer, std::size_t level) { return buffer.data() + n_ * width(level); }

  NetworkLayout layout_;
  std::ptrdiff_t n_ = 0;
  std::vector<Buffers> buffers_;  ///< [level]: 0 the input, l behind layer l
};

}  // namespace solion::nn
