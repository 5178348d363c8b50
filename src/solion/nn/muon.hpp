// Muon: momentum whose matrices are made orthogonal before they move anything (Jordan et al. 2024,
// kellerjordan.github.io/posts/muon), with steps as long as Adam's (Liu et al., arXiv 2502.16982, equation
// 4).
#pragma once

#include <cstdint>
#include <vector>

#include "solion/nn/parameters.hpp"
#include "solion/nn/update_unit.hpp"

namespace solion::nn {

struct MuonSettings {
  double momentum = 0.95;
  double step = 0.2;   ///< root mean square of a matrix' step, in learning rates
  double beta1 = 0.9;  ///< of Adam, for what is no matrix
  double beta2 = 0.95;
  double epsilon = 1e-8;
};

/// X·Vᵀ of the singular value decomposition X·S·Vᵀ of a matrix (n_in, n_out) in rows, in place, by five steps
/// of the quintic Newton–Schulz iteration of the first source: singular values come to 0.68 … 1.13, not to 1;
/// those below some thousandths of the matrix' norm stay smaller.
template <typename T>
void orthogonalize(T* matrix, std::ptrdiff_t n_in, std::ptrdiff_t n_out);

/// Weights with more than one row and column are moved by Muon, everything else by Adam. The whole state is
/// public data, so that a checkpoint can keep it.
template <typename T>
struct Muon {
  MuonSettings settings;
  AlignedVector<T> first;     ///< mean gradient, one a parameter
  AlignedVector<T> second;    ///< its mean square, where Adam moves
  std::uint64_t updates = 0;  ///< t

  Muon() = default;
  Muon(const std::vector<LayerLayout>& layers, std::size_t n_parameters, MuonSettings s = {});

  /// One step. Parameters with trained[i] = 0 keep their value (their gradient is set to 0); empty: all are
  /// trained. The order of all sums is the same for any number of threads.
  void update(double learning_rate, T* parameters, T* gradient, const std::vector<unsigned char>& trained,
              int threads);

  /// The work of an update in pieces that other processes may do: ranges of parameters without gaps.
  [[nodiscard]] std::vector<UpdateUnit> units() const;
  /// From now on only these are done here.
  void do_only(const std::vector<UpdateUnit>& mine);

 private:
  struct Matrix {
    std::size_t w = 0;
    std::ptrdiff_t n_in = 0, n_out = 0;
    [[nodiscard]] std::size_t end() const { return w + static_cast<std::size_t>(n_in * n_out); }
  };
  void step_matrix(const Matrix& matrix, double rate, T* parameters, const T* gradient);
  void step_plain(std::size_t begin, std::size_t end, double rate, T* parameters, const T* gradient);

  std::vector<Matrix> matrices_;
  std::vector<std::pair<std::size_t, std::size_t>> plain_;  ///< ranges of what is no matrix
};

}  // namespace solion::nn
