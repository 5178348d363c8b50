// Muon against its definition: nearly orthogonal steps, of one length, the same in any basis.
#include "solion/nn/muon.hpp"

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

Matrix orthogonal(Matrix matrix) {
  orthogonalize(matrix.data(), matrix.rows(), matrix.cols());
  return matrix;
}

TEST(Muon, BringsSingularValuesNearOneAndKeepsTheirVectors) {
  for (const auto& [rows, columns] : {std::pair{6, 4}, {4, 6}, {5, 5}, {90, 7}}) {
    const Matrix before = random_matrix(rows, columns, 7);
    const Eigen::JacobiSVD<Matrix> svd(before, Eigen::ComputeThinU | Eigen::ComputeThinV);
    const Matrix inside = svd.matrixU().transpose() * orthogonal(before) * svd.matrixV();
    for (Eigen::Index i = 0; i < inside.rows(); ++i) {
      for (Eigen::Index j = 0; j < inside.cols(); ++j) {
        if (i != j) {
          EXPECT_NEAR(inside(i, j), 0, 1e-12);
        }
      }
      // φ five times takes what is above 0.01 of the norm to 0.68 … 1.13 (Jordan et al.).
      ASSERT_GT(svd.singularValues()[i], 0.01 * before.norm());
      EXPECT_GT(inside(i, i), 0.65);
      EXPECT_LT(inside(i, i), 1.2);
    }
  }
  EXPECT_EQ(orthogonal(Matrix::Zero(3, 2)), Matrix::Zero(3, 2));
}

/// Pulls every parameter to a target.
template <typename Optimizer>
Matrix descend(Optimizer optimizer, const Matrix& target, Matrix w, int steps, double rate = 0.01,
               int threads = 1) {
  for (int k = 0; k < steps; ++k) {
    Matrix g = w - target;
    optimizer.update(rate, w.data(), g.data(), {}, threads);
  }
  return w;
}

TEST(Muon, TakesTheSamePathInAnyBasis) {
  const Matrix left = random_rotation(6, 1), right = random_rotation(4, 2);
  const Matrix start = random_matrix(6, 4, 3), target = random_matrix(6, 4, 4);
  const Matrix a = descend(Muon<double>({layer(6, 4)}, 24), target, start, 40);
  const Matrix b = descend(Muon<double>({layer(6, 4)}, 24), left * target * right, left * start * right, 40);
  EXPECT_LT((left.transpose() * b * right.transpose() - a).cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_GT((a - start).cwiseAbs().maxCoeff(), 0.05);  // it did move
}

TEST(Muon, EveryStepHasTheSameLength) {
  // Whatever the size of the gradient: about 0.2 of the rate, the root mean square over the matrix.
  for (const double size : {1e-6, 1.0, 1e6}) {
    Muon<double> muon({layer(40, 8)}, 320);
    Matrix w = Matrix::Zero(40, 8);
    Matrix g = size * random_matrix(40, 8, 5);
    muon.update(0.01, w.data(), g.data(), {}, 1);
    EXPECT_NEAR(std::sqrt(w.array().square().mean()), 0.01 * 0.2, 0.01 * 0.2 * 0.25) << size;
  }
}

TEST(Muon, TheSizeOfAGradientDoesNotMatterDownToTheSmallestNumbers) {
  // A layer at rest: its mean gradient decays until the squares underflow.
  using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Floats plain = random_matrix(12, 12, 5).cast<float>();
  Floats expected = plain;
  orthogonalize(expected.data(), 12, 12);
  for (const float size : {1e-19F, 1e-22F, 1e-30F, 1e30F}) {
    Floats scaled = size * plain;
    orthogonalize(scaled.data(), 12, 12);
    EXPECT_LT((scaled - expected).cwiseAbs().maxCoeff(), 1e-3F) << size;
  }
}

TEST(Muon, WhatIsNoMatrixIsMovedByAdam) {
  // A row, a column and loose numbers behind them.
  const Matrix start = random_matrix(1, 15, 3), target = random_matrix(1, 15, 4);
  const Matrix a = descend(Muon<double>({layer(1, 6), layer(5, 1, 6)}, 15), target, start, 20);
  const Matrix b = descend(Adam<double>(15, {.beta1 = 0.9, .beta2 = 0.95}), target, start, 20);
  EXPECT_LT((a - b).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Muon, ThreadsChangeNothingAndFrozenParametersStay) {
  const std::vector<LayerLayout> layers{layer(6, 4), layer(4, 3, 30)};
  const Matrix start = random_matrix(1, 45, 3), target = random_matrix(1, 45, 4);
  EXPECT_EQ(descend(Muon<double>(layers, 45), target, start, 20, 0.01, 1),
            descend(Muon<double>(layers, 45), target, start, 20, 0.01, 3));
  std::vector<unsigned char> trained(45, 1);
  std::fill(trained.begin(), trained.begin() + 26, 0);
  Muon<double> muon(layers, 45);
  Matrix w = start;
  for (int k = 0; k < 3; ++k) {
    Matrix g = w - target;
    muon.update(0.01, w.data(), g.data(), trained, 1);
  }
  EXPECT_EQ(w.leftCols(26), start.leftCols(26));
  EXPECT_GT((w - start).rightCols(19).cwiseAbs().minCoeff(), 0);
}

}  // namespace
}  // namespace solion::nn
