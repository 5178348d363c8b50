// SOAP against its definition: the same path whatever the basis of the parameters, and faster than Adam where
// that matters.
#include "solion/nn/soap.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "nn/random_matrices.hpp"
#include "solion/nn/adam.hpp"

namespace solion::nn {
namespace {

using testing_tools::layer;
using testing_tools::Matrix;
using testing_tools::random_matrix;
using testing_tools::random_rotation;

/// A quadratic bowl with axes of very different width, ½ Σ (a_i b_j X_ij)² of X = LᵀWR, seen in rotated
/// parameters.
struct Bowl {
  Matrix left, right, scale;
  Bowl(Eigen::Index rows, Eigen::Index columns, bool rotated, double next = 0.4) : scale(rows, columns) {
    left = rotated ? random_rotation(rows, 1) : Matrix(Matrix::Identity(rows, rows));
    right = rotated ? random_rotation(columns, 2) : Matrix(Matrix::Identity(columns, columns));
    for (Eigen::Index i = 0; i < rows; ++i) {
      for (Eigen::Index j = 0; j < columns; ++j) scale(i, j) = std::pow(next, static_cast<double>(i + j));
    }
  }
  [[nodiscard]] double loss(const Matrix& w) const {
    return 0.5 * (scale.array() * (left.transpose() * w * right).array()).square().sum();
  }
  [[nodiscard]] Matrix gradient(const Matrix& w) const {
    return left * Matrix(scale.array().square() * (left.transpose() * w * right).array()) * right.transpose();
  }
};

template <typename Optimizer>
Matrix descend(Optimizer optimizer, const Bowl& bowl, Matrix w, int steps, int threads = 1) {
  for (int k = 0; k < steps; ++k) {
    Matrix g = bowl.gradient(w);
    optimizer.update(0.01, w.data(), g.data(), {}, threads);
  }
  return w;
}

TEST(Soap, TakesTheSamePathInAnyBasis) {
  // Square, so that the first gradient tells all eigenvectors; otherwise those of eigenvalue 0 are anybody's
  // choice. Widths that are not too different: rounding turns the eigenvectors of an eigenvalue by its ratio
  // to the largest one, which here is 0.7^16.
  const Bowl plain(5, 5, false, 0.7), rotated(5, 5, true, 0.7);
  const Matrix start = random_matrix(5, 5, 3);
  const SoapSettings settings{.refresh_every = 5};
  const Matrix a = descend(Soap<double>({layer(5, 5)}, 25, settings), plain, start, 40);
  const Matrix b = descend(Soap<double>({layer(5, 5)}, 25, settings), rotated,
                           rotated.left * start * rotated.right.transpose(), 40);
  EXPECT_LT((rotated.left.transpose() * b * rotated.right - a).cwiseAbs().maxCoeff(), 1e-8);
  EXPECT_GT((a - start).cwiseAbs().maxCoeff(), 0.1);  // it did move
}

TEST(Soap, DescendsANarrowRotatedValleyFasterThanAdam) {
  const Bowl bowl(6, 4, true);
  const Matrix start = random_matrix(6, 4, 3);
  const double soap = bowl.loss(descend(Soap<double>({layer(6, 4)}, 24), bowl, start, 150));
  const double adam = bowl.loss(descend(Adam<double>(24), bowl, start, 150));
  EXPECT_LT(soap, 0.2 * adam) << "of " << bowl.loss(start);
}

TEST(Soap, WithoutRotationIsAdam) {
  // No side short enough to be rotated: plain Adam, which the vectors of numbers get too.
  const Bowl bowl(6, 4, true);
  const Matrix start = random_matrix(6, 4, 3);
  const Matrix a = descend(Soap<double>({layer(6, 4)}, 24, {.max_side = 1}), bowl, start, 20);
  const Matrix b = descend(Adam<double>(24, {.beta1 = 0.95, .beta2 = 0.95}), bowl, start, 20);
  EXPECT_LT((a - b).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Soap, NoStepIsLongerThanAdamsLongest) {
  // A large gradient in one direction, then small ones in others: what the averages know of other
  // eigenvectors is not what the new ones need.
  Soap<double> soap({layer(5, 4)}, 20, {.refresh_every = 4});
  Matrix w = Matrix::Zero(5, 4);
  for (unsigned k = 0; k < 60; ++k) {
    const double size = k % 7 == 0 ? 1e3 : 1e-4;
    Matrix g = size * random_matrix(5, 1, 10 + k) * random_matrix(1, 4, 90 + k);
    const Matrix before = w;
    soap.update(0.01, w.data(), g.data(), {}, 1);
    EXPECT_LE((w - before).norm(), 0.01 * std::sqrt(20.0) * (1 + 1e-9)) << k;  // 0.01 a turned component
  }
}

TEST(Soap, KeepsItsBasesOrthonormalAndFrozenParametersStill) {
  const Bowl bowl(6, 4, true);
  Soap<double> soap({layer(6, 4)}, 26, {.refresh_every = 3});
  std::vector<double> p(26, 1.0), g(26);
  std::vector<unsigned char> trained(26, 1);
  trained[25] = 0;
  for (int k = 0; k < 30; ++k) {
    Eigen::Map<Matrix>(g.data(), 6, 4) = bowl.gradient(Eigen::Map<Matrix>(p.data(), 6, 4));
    g[24] = g[25] = 1;
    soap.update(0.01, p.data(), g.data(), trained, 2);
  }
  EXPECT_LT(p[24], 0.9);
  EXPECT_EQ(p[25], 1.0);
  const Eigen::Map<const Matrix> rows(soap.bases.data() + 36, 6, 6),
      columns(soap.bases.data() + 72 + 16, 4, 4);
  EXPECT_LT((rows.transpose() * rows - Matrix::Identity(6, 6)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((columns.transpose() * columns - Matrix::Identity(4, 4)).cwiseAbs().maxCoeff(), 1e-12);
}

}  // namespace
}  // namespace solion::nn
