// The neighbour list against sums over images, and `update` against fresh builds.
#include "solion/structure/neighborhood.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion {
namespace {

/// i, j and the image of j as it is stored in the frame: r_j + n·h.
using Pair = std::tuple<int, int, int, int, int>;

Mat3 random_cell(RandomStream& random, double length) {
  Mat3 h;
  do {
    for (int i = 0; i < 3; ++i) {
      for (int k = 0; k < 3; ++k) h(i, k) = length * ((i == k ? 1.0 : 0.0) + 0.8 * (random.uniform() - 0.5));
    }
  } while (!(h.determinant() > 0.2 * length * length * length));
  return h;
}

/// Atoms in and far outside the cell.
Frame random_frame(RandomStream& random, int n_atoms, double length, bool periodic) {
  Frame frame;
  const Cell cell(random_cell(random, length));
  for (int i = 0; i < n_atoms; ++i) {
    const Vec3 f(random.uniform(), random.uniform(), random.uniform());
    const Vec3 away = periodic
                          ? Vec3(5.0 * (random.uniform() - 0.5), random.uniform(), -3.0 * random.uniform())
                          : Vec3(0, 0, 0);
    frame.add_atom("Li", cell.to_cartesian(f + away));
  }
  if (periodic) frame.cell = cell;
  return frame;
}

/// Every pair closer than the cutoff with its distance, by a sum over all images that can matter.
std::map<Pair, double> brute_force(const Frame& frame, double cutoff) {
  std::map<Pair, double> pairs;
  const int n = static_cast<int>(frame.n_atoms());
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      const Vec3 d =
          frame.positions[static_cast<std::size_t>(j)] - frame.positions[static_cast<std::size_t>(i)];
      Int3 middle = Int3::Zero();
      Int3 reach = Int3::Zero();
      if (frame.cell) {
        const Vec3 f = frame.cell->to_fractional(d);
        middle = (-f).array().round().matrix().cast<int>();
        reach =
            (cutoff * frame.cell->widths().cwiseInverse()).array().ceil().matrix().cast<int>() + Int3::Ones();
      }
      for (int a = -reach[0]; a <= reach[0]; ++a) {
        for (int b = -reach[1]; b <= reach[1]; ++b) {
          for (int c = -reach[2]; c <= reach[2]; ++c) {
            const Int3 image = middle + Int3(a, b, c);
            if (i == j && image.isZero()) continue;
            Vec3 r = d;
            if (frame.cell) r += frame.cell->to_cartesian(image.cast<double>());
            if (r.norm() < cutoff) pairs[{i, j, image[0], image[1], image[2]}] = r.norm();
          }
        }
      }
    }
  }
  return pairs;
}

std::map<Pair, double> listed(const Neighborhood& near, double cutoff) {
  std::map<Pair, double> pairs;
  for (int i = 0; i < near.n_local(); ++i) {
    for (const int j : near.neighbors(i)) {
      const double r = (near.position(j) - near.position(i)).norm();
      if (!(r < cutoff)) continue;
      const Int3 n = near.shift(j) - near.shift(i);
      const bool is_new = pairs.emplace(Pair{i, near.owner(j), n[0], n[1], n[2]}, r).second;
      EXPECT_TRUE(is_new) << "a pair stands twice";
    }
  }
  return pairs;
}

void expect_same(const std::map<Pair, double>& found, const std::map<Pair, double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  auto f = found.begin();
  for (auto e = expected.begin(); e != expected.end(); ++e, ++f) {
    ASSERT_EQ(f->first, e->first);
    // Rounding of positions some tens of Å from the origin.
    ASSERT_NEAR(f->second, e->second, 1e-12 * 100);
  }
}

TEST(Neighborhood, IsTheSumOverImagesInAnyCell) {
  RandomStream random(1, "neighbours");
  for (int trial = 0; trial < 60; ++trial) {
    // Cells from a third of the cutoff to three times it.
    const double length = 1.5 + 0.25 * trial;
    const Frame frame = random_frame(random, 1 + trial % 12, length, true);
    Neighborhood near;
    near.build(frame, 5.0, 0.0);
    expect_same(listed(near, 5.0), brute_force(frame, 5.0));
  }
}

TEST(Neighborhood, FindsAllPairsOfALargeFrame) {
  RandomStream random(2, "neighbours");
  const Frame frame = random_frame(random, 400, 20.0, true);
  Neighborhood near;
  near.build(frame, 4.0, 0.7);
  expect_same(listed(near, 4.7), brute_force(frame, 4.7));
  EXPECT_EQ(near.n_pairs(), brute_force(frame, 4.7).size());
}

TEST(Neighborhood, WorksWithoutACell) {
  RandomStream random(3, "neighbours");
  for (int trial = 0; trial < 20; ++trial) {
    const Frame frame = random_frame(random, 1 + 3 * trial, 8.0, false);
    Neighborhood near;
    near.build(frame, 3.0, 0.0);
    EXPECT_EQ(near.n_total(), near.n_local());
    expect_same(listed(near, 3.0), brute_force(frame, 3.0));
  }
}

TEST(Neighborhood, UpdatedListsHoldTheSamePairsAsFreshOnes) {
  RandomStream random(4, "neighbours");
  for (const bool periodic : {true, false}) {
    Frame frame = random_frame(random, 30, 6.0, periodic);
    Neighborhood kept;
    kept.build(frame, 4.0, 0.8);
    int rebuilt = 0;
    for (int step = 0; step < 60; ++step) {
      if (periodic) {
        Mat3 strain = Mat3::Identity();
        for (int k = 0; k < 9; ++k) strain(k / 3, k % 3) += 0.004 * random.normal();
        frame.cell = Cell(Mat3(frame.cell->matrix() * strain));
        for (Vec3& r : frame.positions) r = strain.transpose() * r;
      }
      for (Vec3& r : frame.positions) r += 0.02 * Vec3(random.normal(), random.normal(), random.normal());
      if (kept.update(frame, 4.0, 0.8)) ++rebuilt;
      expect_same(listed(kept, 4.0), brute_force(frame, 4.0));
    }
    EXPECT_GT(rebuilt, 0);
    EXPECT_LT(rebuilt, 30) << "the skin is of no use";
  }
}

TEST(Neighborhood, ATunedSkinLosesNoPair) {
  RandomStream random(7, "neighbours");
  Frame frame = random_frame(random, 30, 6.0, true);
  Neighborhood list;
  Skin skin;
  double cutoff = 4.0, least = skin.value(), most = skin.value();
  for (int step = 0; step < 400; ++step) {
    const double pace = step < 200 ? 0.002 : 0.03;  // the second half needs more
    Mat3 strain = Mat3::Identity();
    for (int k = 0; k < 9; ++k) strain(k / 3, k % 3) += 0.1 * pace * random.normal();
    frame.cell = Cell(Mat3(frame.cell->matrix() * strain));
    for (Vec3& r : frame.positions)
      r = strain.transpose() * r + pace * Vec3(random.normal(), random.normal(), random.normal());
    cutoff += 0.2 * pace * random.normal();  // that of an Ewald sum changes with the cell
    list.update(frame, cutoff, skin);
    ASSERT_EQ(list.cutoff(), cutoff);
    expect_same(listed(list, cutoff), brute_force(frame, cutoff));
    if (step % 20 != 19) continue;
    skin.start(skin.next(cutoff));
    list.clear();
    (step < 200 ? least : most) = skin.value();
  }
  EXPECT_LT(least, 0.5);
  EXPECT_GT(most, least + 0.2);
}

TEST(Neighborhood, AJumpAcrossTheCellOrOtherAtomsForceARebuild) {
  RandomStream random(5, "neighbours");
  Frame frame = random_frame(random, 20, 7.0, true);
  Neighborhood near;
  near.build(frame, 3.0, 0.5);
  EXPECT_FALSE(near.update(frame, 3.0, 0.5));
  frame.positions[3] += frame.cell->vector(1);  // the same crystal, another image
  near.update(frame, 3.0, 0.5);
  expect_same(listed(near, 3.0), brute_force(frame, 3.0));
  frame.add_atom("Li", Vec3(0.1, 0.2, 0.3));
  EXPECT_TRUE(near.update(frame, 3.0, 0.5));
  frame.cell.reset();
  EXPECT_TRUE(near.update(frame, 3.0, 0.5));
  EXPECT_FALSE(near.update(frame, 3.4, 0.5)) << "the skin has these pairs";
  expect_same(listed(near, 3.4), brute_force(frame, 3.4));
  EXPECT_TRUE(near.update(frame, 3.6, 0.5));
}

TEST(Neighborhood, PairsAreMutual) {
  RandomStream random(6, "neighbours");
  const Frame frame = random_frame(random, 25, 4.0, true);
  Neighborhood near;
  near.build(frame, 5.0, 0.0);
  const auto pairs = listed(near, 5.0);
  for (const auto& [pair, r] : pairs) {
    const auto& [i, j, a, b, c] = pair;
    ASSERT_TRUE(pairs.contains({j, i, -a, -b, -c}));
  }
}

TEST(Neighborhood, RefusesWhatIsNoLength) {
  RandomStream random(7, "neighbours");
  Frame frame = random_frame(random, 3, 5.0, true);
  Neighborhood near;
  EXPECT_THROW(near.build(frame, 0.0, 0.0), InputError);
  EXPECT_THROW(near.build(frame, 3.0, -0.1), InputError);
  EXPECT_THROW(near.build(frame, std::nan(""), 0.0), InputError);
  frame.positions[1][2] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(near.build(frame, 3.0, 0.0), WorkError);
}

}  // namespace
}  // namespace solion
