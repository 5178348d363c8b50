// The error of a collective Green–Kubo integral: against white noise, the spread of many runs, and what
// intervals hold.
#include "solion/transport/green_kubo_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "solion/base/constants.hpp"
#include "solion/base/random.hpp"
#include "solion/transport/green_kubo.hpp"

namespace solion::transport {
namespace {

constexpr double interval_fs = 10, memory_fs = 50, sigma = 0.008;  // of the velocity a component, Å/fs

/// Velocities of an Ornstein–Uhlenbeck process, D = σ²·memory; of white noise without memory, D =
/// σ²·interval/2.
Eigen::Matrix3Xd velocities(Eigen::Index n, double memory, RandomStream& random) {
  const double keep = memory > 0 ? std::exp(-interval_fs / memory) : 0;
  const auto kick = [&]() -> Vec3 { return sigma * Vec3(random.normal(), random.normal(), random.normal()); };
  Eigen::Matrix3Xd v(3, n);
  v.col(0) = kick();
  for (Eigen::Index t = 1; t < n; ++t) v.col(t) = keep * v.col(t - 1) + std::sqrt(1 - keep * keep) * kick();
  return v;
}

TEST(GreenKuboError, IsThatOfWhiteNoise) {
  RandomStream random(1, "green-kubo error, white");
  constexpr Eigen::Index n = 1000, lags = 51;
  constexpr int runs = 200;
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(lags);
  for (int r = 0; r < runs; ++r)
    mean += green_kubo_variance(velocities(n, 0, random), interval_fs, lags) / runs;
  const double D = sigma * sigma * interval_fs / 2;
  for (const Eigen::Index l : {5, 20, 50}) {
    const double t = static_cast<double>(l) * interval_fs;
    // Without memory a sum over whole intervals is the integral to half an interval less.
    const double expected = 4 * D * D * t / (3 * static_cast<double>(n) * interval_fs);
    EXPECT_NEAR(mean[l], expected, 0.05 * expected) << l;
  }
  EXPECT_EQ(mean[0], 0);
}

/// Ions and a framework at rest, as read from a trajectory; a matrix of velocities an ion.
GreenKubo of_ions(const std::vector<Eigen::Matrix3Xd>& ions, double length_fs) {
  Frame frame;
  frame.cell = Cell::cubic(20);
  for (std::size_t i = 0; i < ions.size(); ++i) frame.add_atom("Li", Vec3(static_cast<double>(i), 0, 0));
  frame.add_atom("O", Vec3(5, 5, 5));
  frame.velocities.assign(ions.size() + 1, Vec3::Zero());
  GreenKuboAccumulator green_kubo({.species = "Li", .framework = {}, .length_fs = length_fs}, interval_fs);
  for (Eigen::Index t = 0; t < ions[0].cols(); ++t) {
    for (std::size_t i = 0; i < ions.size(); ++i) {
      const Vec3 now = ions[i].col(t);
      if (t > 0) frame.positions[i] += 0.5 * interval_fs * (frame.velocities[i] + now);
      frame.velocities[i] = now;
    }
    green_kubo.add(frame, "frame");
  }
  return green_kubo.result();
}

TEST(GreenKuboError, IsTheSpreadOfRunsAndIntervalsHoldWhatTheySay) {
  constexpr double length_fs = 400;  // eight memories: 3e-4 of D is missing
  const double D = sigma * sigma * memory_fs * constants::A2_per_fs_in_cm2_per_s;
  RandomStream random(2, "green-kubo error, coverage");
  constexpr int runs = 400;
  for (const Eigen::Index lengths : {8, 25}) {
    int held_68 = 0, held_95 = 0;
    double predicted = 0, sum = 0, squares = 0;
    for (int r = 0; r < runs; ++r) {
      const GreenKubo g = of_ions({velocities(lengths * 40, memory_fs, random)}, length_fs);
      const double value = g.collective.back(), std = g.collective_std.back();
      ASSERT_TRUE(std::isfinite(value) && std > 0);
      const auto [low, high] = g.collective_interval_68;
      const auto [low_95, high_95] = green_kubo_interval(value, std * std, 0.95);
      held_68 += low < D && D < high ? 1 : 0;
      held_95 += low_95 < D && D < high_95 ? 1 : 0;
      predicted += std * std / runs;
      sum += value / runs;
      squares += value * value / runs;
    }
    EXPECT_NEAR(sum, D, 4 * std::sqrt(predicted / runs)) << lengths;
    EXPECT_NEAR((squares - sum * sum) / predicted, 1, 0.25) << lengths;
    // Three standard errors of a count of 400.
    EXPECT_NEAR(held_68 / double{runs}, 0.68, 0.07) << lengths;
    EXPECT_NEAR(held_95 / double{runs}, 0.95, 0.033) << lengths;
  }
}

TEST(GreenKuboError, OfTheTracerHoldsWhatItSaysWithFewBlocks) {
  constexpr double length_fs = 400;
  const double D = sigma * sigma * memory_fs * constants::A2_per_fs_in_cm2_per_s;
  RandomStream random(3, "green-kubo error, tracer");
  constexpr int runs = 300;
  for (const Eigen::Index lengths : {4, 12}) {  // 3 and 11 blocks
    int held = 0;
    for (int r = 0; r < runs; ++r) {
      std::vector<Eigen::Matrix3Xd> ions;
      for (int i = 0; i < 12; ++i) ions.push_back(velocities((lengths + 1) * 40, memory_fs, random));
      const GreenKubo g = of_ions(ions, length_fs);
      ASSERT_TRUE(std::isfinite(g.tracer.back()) && g.tracer_std.back() > 0);
      held += std::abs(g.tracer.back() - D) < g.tracer_std.back() ? 1 : 0;
    }
    EXPECT_NEAR(held / double{runs}, 0.68, 0.08) << lengths;
  }
}

TEST(GreenKuboError, KeepsTheIntervalOfAPositiveDPositive) {
  const auto [low, high] = green_kubo_interval(1, 1, 0.95);
  EXPECT_GT(low, 0);
  EXPECT_GT(high, 3);
  const auto [below, above] = green_kubo_interval(-1, 1, 0.6827);
  EXPECT_NEAR(below, -2, 1e-3);
  EXPECT_NEAR(above, 0, 1e-3);
  // Many degrees of freedom: a normal variate.
  const auto [near_low, near_high] = green_kubo_interval(1, 1e-6, 0.6827);
  EXPECT_NEAR(near_low, 0.999, 2e-6);
  EXPECT_NEAR(near_high, 1.001, 2e-6);
}

}  // namespace
}  // namespace solion::transport
