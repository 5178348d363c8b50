// Matrices for the tests of optimisers: random ones, rotations, and a layer of a size.
#pragma once

#include <Eigen/Dense>
#include <cstdlib>

#include "solion/nn/parameters.hpp"

namespace solion::nn::testing_tools {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline Matrix random_matrix(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
  std::srand(seed);
  return Matrix::Random(rows, columns);
}

inline Matrix random_rotation(Eigen::Index n, unsigned seed) {
  return Eigen::HouseholderQR<Matrix>(random_matrix(n, n, seed)).householderQ();
}

/// Its weights begin at `at`.
inline LayerLayout layer(std::ptrdiff_t rows, std::ptrdiff_t columns, std::size_t at = 0) {
  LayerLayout layout;
  layout.n_in = rows;
  layout.n_out = columns;
  layout.w = at;
  return layout;
}

}  // namespace solion::nn::testing_tools
