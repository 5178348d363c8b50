// SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., arXiv 2409.11321, algorithm 3).
#pragma once

#include <cstdint>
#include <vector>

#include "solion/nn/parameters.hpp"
#include "solion/nn/update_unit.hpp"

namespace solion::nn {

struct SoapSettings {
  double beta1 = 0.95;
  double beta2 = 0.95;
  double shampoo_beta = 0.9;  ///< of the averages of GGᵀ and GᵀG, which take one gradient a refresh
  double epsilon = 1e-8;
  int refresh_every = 10;         ///< steps between two improvements of the eigenvectors
  std::ptrdiff_t max_side = 256;  ///< a side of a matrix that is longer is not rotated
};

/// Every weight matrix W (n_in, n_out) gets bases of its rows and columns; biases and time steps are trained
/// by plain Adam. The whole state is public data, so that a checkpoint can keep it.
template <typename T>
struct Soap {
  SoapSettings settings;
  AlignedVector<T> first;     ///< mean rotated gradient, one a parameter
  AlignedVector<T> second;    ///< its mean square
  AlignedVector<T> bases;     ///< of each side of each matrix: the average (n, n) and the eigenvectors (n, n)
  std::uint64_t updates = 0;  ///< t

  Soap() = default;
  Soap(const std::vector<LayerLayout>& layers, std::size_t n_parameters, SoapSettings s = {});

  /// One step; sets `gradient` to zero. The first step only fills the averages. Parameters with trained[i] =
  /// 0 keep their value; empty: all are trained. The order of all sums is the same for any number of threads.
  void update(double learning_rate, T* parameters, T* gradient, const std::vector<unsigned char>& trained,
              int threads);

  /// The work of an update in pieces that other processes may do: each matrix with the biases behind it. A
  /// matrix is not divided, so that `n`, the number of processes, does not matter.
  [[nodiscard]] std::vector<UpdateUnit> units(int n) const;
  /// From now on updates move only the parameters of these units (and set all of `gradient` to zero).
  void move_only(const std::vector<UpdateUnit>& mine);

 private:
  struct Side {
    std::ptrdiff_t n = 0;
    std::size_t at = absent;  ///< in `bases`; absent: not rotated
  };
  struct Matrix {
    std::size_t w = 0;
    Side rows, columns;

    [[nodiscard]] double cost(const SoapSettings& settings) const;
  };
  void step_matrix(const Matrix& matrix, double rate, T* parameters, T* gradient);
  void step_plain(std::size_t begin, std::size_t end, double rate, T* parameters, T* gradient);

  std::vector<Matrix> matrices_;
  std::vector<std::pair<std::size_t, std::size_t>> plain_;  ///< ranges of what is no matrix
};

}  // namespace solion::nn
