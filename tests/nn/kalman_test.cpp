// The Kalman filter against least squares, which it is where the model is linear.
#include "solion/nn/kalman.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>

namespace solion::nn {
namespace {

NetworkLayout network(const std::vector<std::pair<int, int>>& shapes, std::size_t begin = 0) {
  NetworkLayout net;
  net.begin = begin;
  for (const auto& [n_in, n_out] : shapes) {
    LayerLayout layer;
    layer.n_in = n_in;
    layer.n_out = n_out;
    layer.w = begin;
    layer.b = begin + static_cast<std::size_t>(n_in * n_out);
    begin = layer.b + static_cast<std::size_t>(n_out);
    net.layers.push_back(layer);
  }
  net.end = begin;
  return net;
}

/// Measurements y = hᵀx of 12 numbers, and what the filter makes of them from x = 0.
struct Linear {
  Eigen::MatrixXd slopes;
  Eigen::VectorXd values;
  explicit Linear(int n) {
    std::srand(3);
    slopes = Eigen::MatrixXd::Random(n, 12);
    values = Eigen::VectorXd::Random(n);
  }
  [[nodiscard]] Eigen::VectorXd filtered(Kalman<double> filter, int threads = 1) const {
    Eigen::VectorXd x = Eigen::VectorXd::Zero(12);
    for (Eigen::Index k = 0; k < slopes.rows(); ++k) {
      const Eigen::VectorXd h = slopes.row(k);
      filter.update(x.data(), h.data(), values[k] - h.dot(x), threads);
    }
    return x;
  }
};

TEST(Kalman, OfALinearModelIsLeastSquares) {
  // With a full memory and P = 1 at the start: the minimum of |x|² + Σ (y − hᵀx)².
  const Linear linear(30);
  const Eigen::MatrixXd normal =
      linear.slopes.transpose() * linear.slopes + Eigen::MatrixXd::Identity(12, 12);
  const Eigen::VectorXd expected = normal.ldlt().solve(linear.slopes.transpose() * linear.values);
  const Eigen::VectorXd x = linear.filtered(Kalman<double>({network({{3, 3}})}, {.memory = 1, .block = 12}));
  EXPECT_LT((x - expected).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Kalman, ForgetsOlderMeasurements) {
  // Each counts λ times what the next one does, and what was known at the start too.
  constexpr double memory = 0.9;
  const Linear linear(30);
  Eigen::MatrixXd normal = Eigen::MatrixXd::Identity(12, 12);
  Eigen::VectorXd right = Eigen::VectorXd::Zero(12);
  for (Eigen::Index k = 0; k < 30; ++k) {
    const Eigen::VectorXd h = linear.slopes.row(k);
    normal = memory * normal + h * h.transpose();
    right = memory * right + h * linear.values[k];
  }
  const Kalman<double> filter({network({{3, 3}})}, {.memory = memory, .memory_rate = 1, .block = 12});
  EXPECT_LT((linear.filtered(filter) - normal.ldlt().solve(right)).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Kalman, SmallLayersShareABlockAndLargeOnesAreCut) {
  // 6 + 4 numbers, 21, 6: 10 | 7 7 7 | 6 at most 10; in one of 100: 37.
  const std::vector<NetworkLayout> nets{network({{2, 2}, {1, 2}}), network({{2, 7}, {1, 3}}, 10)};
  EXPECT_EQ(Kalman<float>::size(nets, 10), 100U + 3 * 49U + 36U);
  EXPECT_EQ(Kalman<float>::size(nets, 100), 37U * 37U);
  EXPECT_EQ(Kalman<float>::size(nets, 1), 37U);
  EXPECT_EQ(Kalman<float>(nets, {.block = 10}).covariance.size(), 283U);
}

TEST(Kalman, BlocksKnowNothingOfEachOther) {
  // Measurements of one block's parameters alone leave the other's where they were, and its covariance grows
  // by 1/λ as if time passed.
  const std::vector<NetworkLayout> nets{network({{1, 3}}), network({{1, 3}}, 6)};
  Kalman<double> filter(nets, {.memory = 0.9, .memory_rate = 1, .block = 6});
  Eigen::VectorXd x = Eigen::VectorXd::Zero(12), h = Eigen::VectorXd::Zero(12);
  h.head(6).setOnes();
  filter.update(x.data(), h.data(), 1.0, 2);
  EXPECT_EQ(x.tail(6), Eigen::VectorXd::Zero(6));
  EXPECT_NEAR(x[0], 1 / (0.9 * 2 + 6), 1e-15);
  EXPECT_NEAR(filter.covariance[36], 1 / 0.9, 1e-15);
  EXPECT_NEAR(filter.covariance[0], (1 - 1 / (0.9 * 2 + 6)) / 0.9, 1e-15);
}

TEST(Kalman, ThreadsChangeNothing) {
  const Linear linear(20);
  const std::vector<NetworkLayout> nets{network({{1, 3}}), network({{1, 3}}, 6)};
  EXPECT_EQ(linear.filtered(Kalman<double>(nets, {.block = 6}), 1),
            linear.filtered(Kalman<double>(nets, {.block = 6}), 2));
}

}  // namespace
}  // namespace solion::nn
