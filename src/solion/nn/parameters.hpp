// Where the numbers of networks lie in one flat array, the form in which they are trained.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "solion/base/aligned.hpp"
#include "solion/nn/network.hpp"

namespace solion::nn {

/// Aligned, so that the same loop over it rounds in the same way wherever it lies in memory.
using solion::AlignedVector;

constexpr std::size_t absent = static_cast<std::size_t>(-1);

/// One layer: sizes, kind, and the offsets of w (n_in, n_out), b and idt (n_out) in the flat array.
struct LayerLayout {
  std::ptrdiff_t n_in = 0;
  std::ptrdiff_t n_out = 0;
  Activation activation = Activation::tanh;
  int skip = 0;  ///< as Layer::skip()
  std::size_t w = 0;
  std::size_t b = absent;
  std::size_t idt = absent;
};

struct NetworkLayout {
  std::vector<LayerLayout> layers;
  std::size_t begin = 0;  ///< first number of the network
  std::size_t end = 0;    ///< one behind its last

  [[nodiscard]] std::ptrdiff_t n_in() const { return layers.front().n_in; }
  [[nodiscard]] std::ptrdiff_t n_out() const { return layers.back().n_out; }
};

/// The layout of a network whose numbers start at `begin` or soon after, in the order w, b, idt of each
/// layer. Each w begins on a cache line, so that there are gaps, which belong to nobody and stay 0.
NetworkLayout layout_of(const Network& network, std::size_t begin);

/// Numbers of the networks without the gaps.
std::size_t count_numbers(const std::vector<NetworkLayout>& networks);
/// A flat array without its gaps, the form in files, and `count_numbers` numbers back into one of `size`. The
/// networks come in the order in which they lie.
template <typename T>
AlignedVector<T> without_gaps(std::span<const T> flat, const std::vector<NetworkLayout>& networks);
template <typename T>
AlignedVector<T> with_gaps(std::span<const T> numbers, const std::vector<NetworkLayout>& networks,
                           std::size_t size);

/// Copies the numbers of `network` into flat[begin…end).
template <typename T>
void pack(const Network& network, const NetworkLayout& layout, T* flat);
/// Copies them back; `network` keeps its sizes and kinds.
template <typename T>
void unpack(const T* flat, const NetworkLayout& layout, Network& network);

}  // namespace solion::nn
