// A network that never changes, evaluated for blocks of samples: value and gradient by its input.
#pragma once

#include <vector>

#include "solion/nn/network.hpp"
#include "solion/nn/packed.hpp"
#include "solion/nn/tape.hpp"

namespace solion::nn {

template <typename T>
class PackedNetwork {
 public:
  /// Buffers of one thread for networks of any size.
  struct Workspace {
    std::vector<Buffer<T>> state;  ///< by layer: what φ and φ' follow from
    std::vector<Buffer<T>> out;    ///< by layer
    Buffer<T> slope;               ///< ∂/∂h of the layer at hand
    Buffer<T> gradient[2];         ///< ∂/∂y of the layers, in turns
  };

  explicit PackedNetwork(const Network& network);

  [[nodiscard]] std::ptrdiff_t n_in() const { return layers_.front().forward.n_in(); }
  /// Distance between the rows of x and of its gradient.
  [[nodiscard]] std::ptrdiff_t row_stride() const { return PackedMatrix<T>::padded_columns(n_in()); }

  /// y[m] = the network's only output for the rows of x. Rows up to PackedMatrix::padded_rows(m) are read and
  /// must hold numbers. Returns a pointer into the workspace; the distance between results is `lanes`.
  const T* forward(std::ptrdiff_t m, const T* x, Workspace& work) const;
  /// grad_x = ∂y/∂x of the last forward. grad_x may be x itself.
  void backward(std::ptrdiff_t m, T* grad_x, Workspace& work) const;

 private:
  struct Packed {
    PackedMatrix<T> forward, backward;
    AlignedVector<T> bias, idt;  ///< padded; idt may be empty
    Activation activation = Activation::tanh;
    int skip = 0;
    [[nodiscard]] std::ptrdiff_t width() const { return PackedMatrix<T>::padded_columns(forward.n_out()); }
  };
  std::vector<Packed> layers_;
};

}  // namespace solion::nn
