// Streams of random numbers: moments, independence, restart.
#include "solion/base/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace solion {
namespace {

struct Moments {
  double mean, variance, third, fourth;
};

template <typename F>
Moments moments(int n, const F& draw) {
  std::vector<double> x(static_cast<std::size_t>(n));
  for (double& value : x) value = draw();
  double mean = 0;
  for (const double v : x) mean += v / n;
  Moments m{mean, 0, 0, 0};
  for (const double v : x) {
    const double d = v - mean;
    m.variance += d * d / n;
    m.third += d * d * d / n;
    m.fourth += d * d * d * d / n;
  }
  return m;
}

constexpr int n_draws = 200000;
/// Five standard errors of a mean whose single draws have this standard deviation.
double five_errors(double deviation) { return 5 * deviation / std::sqrt(static_cast<double>(n_draws)); }

TEST(RandomStream, UniformMoments) {
  RandomStream random(1, "moments");
  const Moments m = moments(n_draws, [&] {
    const double u = random.uniform();
    EXPECT_TRUE(u >= 0 && u < 1);
    return u;
  });
  EXPECT_NEAR(m.mean, 0.5, five_errors(std::sqrt(1.0 / 12)));
  EXPECT_NEAR(m.variance, 1.0 / 12, five_errors(std::sqrt(1.0 / 180)));
}

TEST(RandomStream, NormalMoments) {
  RandomStream random(2, "moments");
  const Moments m = moments(n_draws, [&] { return random.normal(); });
  EXPECT_NEAR(m.mean, 0, five_errors(1));
  EXPECT_NEAR(m.variance, 1, five_errors(std::sqrt(2.0)));
  EXPECT_NEAR(m.third, 0, five_errors(std::sqrt(15.0)));
  EXPECT_NEAR(m.fourth, 3, five_errors(std::sqrt(96.0)));
}

TEST(RandomStream, GammaMoments) {
  for (const double shape : {0.3, 1.0, 4.5, 60.0}) {
    RandomStream random(3, "moments");
    const Moments m = moments(n_draws, [&] { return random.gamma(shape); });
    EXPECT_NEAR(m.mean, shape, five_errors(std::sqrt(shape)));
    // Fourth central moment of the gamma distribution: 3k² + 6k.
    EXPECT_NEAR(m.variance, shape, five_errors(std::sqrt(2 * shape * shape + 6 * shape)));
  }
}

TEST(RandomStream, WholeNumbersAreUniform) {
  RandomStream random(4, "below");
  std::vector<int> seen(7, 0);
  for (int i = 0; i < 70000; ++i) ++seen.at(random.below(7));
  double chi2 = 0;
  for (const int n : seen) chi2 += (n - 10000.0) * (n - 10000.0) / 10000.0;
  EXPECT_LT(chi2, 22.5);  // 6 degrees of freedom, one in a thousand
  EXPECT_EQ(random.below(1), 0U);
}

TEST(RandomStream, ACounterBringsBackTheRest) {
  RandomStream first(5, "restart", 9);
  for (int i = 0; i < 1001; ++i) (void)first.normal();
  (void)first();
  (void)first.gamma(0.7);
  const std::uint64_t counter = first.counter();
  RandomStream second(5, "restart", 9);
  second.set_counter(counter);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(first.normal(), second.normal());
    EXPECT_EQ(first(), second());
  }
}

TEST(RandomStream, SeedPurposeAndIndexNameOtherStreams) {
  const auto correlation = [](RandomStream a, RandomStream b) {
    double sum = 0;
    for (int i = 0; i < 20000; ++i) sum += a.normal() * b.normal();
    return sum / std::sqrt(20000.0);
  };
  // Five standard deviations of independent streams.
  EXPECT_LT(std::abs(correlation({1, "a"}, {2, "a"})), 5);
  EXPECT_LT(std::abs(correlation({1, "a"}, {1, "b"})), 5);
  EXPECT_LT(std::abs(correlation({1, "a", 0}, {1, "a", 1})), 5);
  EXPECT_LT(std::abs(correlation({0, "a"}, {1, "a"})), 5);
  EXPECT_GT(correlation({1, "a"}, {1, "a"}), 100);
}

}  // namespace
}  // namespace solion
