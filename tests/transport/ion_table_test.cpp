// The permutation test: right under the null hypothesis with ions that keep their ways, and able to see a
// difference.
#include "solion/transport/ion_table.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion::transport {
namespace {

/// Ions whose property drifts slowly and which hop in bursts: rows of one ion are far from independent. With
/// `effect` the property is higher by that while an ion is in a burst.
std::vector<IonRow> table(std::size_t frames, std::size_t ions, double effect, std::uint64_t seed) {
  RandomStream random(seed, "ion table test");
  std::vector<double> slow(ions), burst(ions);
  for (std::size_t i = 0; i < ions; ++i) {
    slow[i] = random.normal();
    burst[i] = random.normal();
  }
  std::vector<IonRow> rows;
  rows.reserve(frames * ions);
  for (std::size_t f = 0; f < frames; ++f) {
    for (std::size_t i = 0; i < ions; ++i) {
      slow[i] = 0.98 * slow[i] + 0.2 * random.normal();
      burst[i] = 0.98 * burst[i] + 0.2 * random.normal();
      const bool hops = burst[i] > 0.8;
      rows.push_back(
          {f, i, slow[i] + (hops ? effect : 0), 6, std::numeric_limits<double>::quiet_NaN(), hops});
    }
  }
  return rows;
}

TEST(IonTable, PValuesAreUniformWithoutAnEffectThoughRowsAreCorrelated) {
  int below_5 = 0, below_50 = 0;
  constexpr int runs = 400;
  for (int k = 0; k < runs; ++k) {
    const auto c = correlate_with_hops(table(40, 24, 0, static_cast<std::uint64_t>(k)), 24, 199);
    below_5 += c[0].p_value <= 0.05 ? 1 : 0;
    below_50 += c[0].p_value <= 0.50 ? 1 : 0;
  }
  // Binomial: 20 ± 4.4 and 200 ± 10; three and a half standard deviations.
  EXPECT_NEAR(below_5, 20, 15);
  EXPECT_NEAR(below_50, 200, 35);
}

TEST(IonTable, SeesADifference) {  // of six standard errors: a fifth of 24 ions hop
  int seen = 0;
  for (int k = 0; k < 20; ++k) {
    const auto c = correlate_with_hops(table(40, 24, 3.0, static_cast<std::uint64_t>(k)), 24, 999);
    seen += c[0].p_value < 0.01 ? 1 : 0;
    EXPECT_GT(c[0].mean_hopping, c[0].mean_staying);
  }
  EXPECT_GE(seen, 19);
}

TEST(IonTable, WhatIsTheSameForAllOrUnknownProvesNothing) {
  const auto c = correlate_with_hops(table(10, 8, 0, 3), 8, 99);
  EXPECT_EQ(c[1].property, "coordination");
  EXPECT_EQ(c[1].p_value, 1.0);  // six everywhere
  EXPECT_EQ(c[2].n_hopping + c[2].n_staying, 0U);
  EXPECT_TRUE(std::isnan(c[2].p_value));
  std::vector<IonRow> still = table(10, 8, 0, 3);
  for (IonRow& row : still) row.hops = false;
  EXPECT_TRUE(std::isnan(correlate_with_hops(still, 8, 99)[0].p_value));
  still.pop_back();
  EXPECT_THROW((void)correlate_with_hops(still, 8), InputError);
}

}  // namespace
}  // namespace solion::transport
