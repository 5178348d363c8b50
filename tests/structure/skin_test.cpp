// The tuned skin against the cheapest one, where it is known, and what may not change it.
#include "solion/structure/skin.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace solion {
namespace {

constexpr double cutoff = 6;
constexpr double making_cost = 3;  // as in skin.cpp
constexpr double never = std::numeric_limits<double>::infinity();
constexpr int period = 20;  // evaluations between two drops

/// The skin (Å) that an evaluation n steps after its list was made needs.
using Needed = std::function<double(int)>;

/// Goes through a period as molecular dynamics does; returns the number of lists.
int run_period(Skin& skin, const Needed& needed) {
  int lists = 0;
  for (int e = 0, made = 0; e < period; ++e) {
    if (skin.keeps(lists == 0 ? never : needed(e - made), lists == 0 ? never : needed(e))) continue;
    made = e;
    ++lists;
  }
  return lists;
}

double tuned(const Needed& needed, int periods = 60, double first = Skin::first_A) {
  Skin skin;
  skin.start(first);
  for (int p = 0; p < periods; ++p) {
    run_period(skin, needed);
    skin.start(skin.next(cutoff));
  }
  return skin.value();
}

double cost(double value, const Needed& needed) {
  Skin skin(value);
  return std::pow(1 + value / cutoff, 3) * (1 + making_cost * run_period(skin, needed) / period);
}

double least_cost(const Needed& needed) {
  double least = never;
  for (int k = 0; k <= 30; ++k) least = std::min(least, cost(0.1 * k, needed));
  return least;
}

TEST(Skin, ComesToTheCheapestWhateverItBeginsWith) {
  for (const double speed : {0.002, 0.01, 0.03, 0.06, 0.1, 0.2, 0.5}) {
    const Needed flies = [&](int n) { return speed * n + 1e-9; };
    const Needed vibrates = [&](int n) { return 5 * speed * std::abs(std::sin(0.2 * n)) + 1e-9; };
    const Needed diffuses = [&](int n) { return speed * std::sqrt(n) + 1e-9; };
    for (const Needed& needed : {flies, vibrates, diffuses}) {
      for (const double first : {0.0, 1.0, 3.0}) {
        const double found = tuned(needed, 60, first);
        EXPECT_LT(cost(found, needed), 1.05 * least_cost(needed)) << "speed " << speed << ", skin " << found;
      }
    }
  }
}

TEST(Skin, FollowsWhatChanges) {
  double speed = 0.01;
  const Needed flies = [&](int n) { return speed * n + 1e-9; };
  Skin skin;
  for (int p = 0; p < 60; ++p) {
    run_period(skin, flies);
    skin.start(skin.next(cutoff));
  }
  const double cold = skin.value();
  speed = 0.04;
  for (int p = 0; p < 60; ++p) {
    run_period(skin, flies);
    skin.start(skin.next(cutoff));
  }
  EXPECT_LT(cold, 0.35);
  EXPECT_GT(skin.value(), cold + 0.15);
}

TEST(Skin, AGivenOneStays) {
  Skin skin(0.7);
  const Needed flies = [](int n) { return 0.2 * n; };
  for (int p = 0; p < 10; ++p) {
    run_period(skin, flies);
    skin.start(skin.next(cutoff));
    ASSERT_EQ(skin.value(), 0.7);
  }
}

TEST(Skin, WhatIsNoNumberNeedsANewList) {
  Skin skin;
  EXPECT_FALSE(skin.keeps(never, never));
  EXPECT_TRUE(skin.keeps(0, 0));
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(skin.keeps(nan, nan));
}

TEST(Skin, UnrelatedFramesNeedNone) {
  Skin skin;
  for (int p = 0; p < 20; ++p) {
    for (int e = 0; e < period; ++e) EXPECT_FALSE(skin.keeps(never, never));
    skin.start(skin.next(cutoff));
  }
  EXPECT_EQ(skin.value(), 0);
}

}  // namespace
}  // namespace solion
