// Percolation, density and channels on fields and crystals whose answer is known.
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "solion/transport/channels.hpp"
#include "solion/transport/density.hpp"
#include "solion/transport/percolation.hpp"

namespace solion::transport {
namespace {

Grid filled(int n, double value) {
  Grid grid;
  grid.n = Int3(n, n, n);
  grid.values.assign(static_cast<std::size_t>(grid.n.prod()), value);
  return grid;
}

TEST(Percolate, CountsIndependentDirections) {
  Grid grid = filled(8, 0);
  for (int x = 0; x < 8; ++x) grid.values[grid.index(x, 3, 4)] = 5;  // a line along x
  for (int y = 0; y < 8; ++y) grid.values[grid.index(2, y, 4)] = 4;  // joined by one along y
  for (int z = 0; z < 8; ++z) grid.values[grid.index(2, 3, z)] = 3;
  grid.values[grid.index(2, 3, 4)] = 5;    // where they meet
  grid.values[grid.index(5, 3, 4)] = 4.5;  // the neck of the first
  const Percolation p = percolate(grid);
  EXPECT_EQ(p.level[0], 4.5);
  EXPECT_EQ(p.level[1], 4);
  EXPECT_EQ(p.level[2], 3);
}

TEST(Percolate, SeesNoClosedRingAndNoGap) {
  Grid ring = filled(8, -std::numeric_limits<double>::infinity());
  for (const auto& [x, y] :
       std::vector<std::pair<int, int>>{{1, 1}, {2, 1}, {3, 1}, {3, 2}, {3, 3}, {2, 3}, {1, 3}, {1, 2}})
    ring.values[ring.index(x, y, 0)] = 1;
  for (int x = 0; x < 7; ++x) ring.values[ring.index(x, 6, 6)] = 1;  // a line with a gap
  const Percolation p = percolate(ring);
  for (const double level : p.level) EXPECT_TRUE(std::isnan(level));
}

TEST(Percolate, TakesADiagonalThatWindsOnce) {
  // A staircase along the face diagonal closes after one cell in x and y together: one direction.
  Grid grid = filled(6, -std::numeric_limits<double>::infinity());
  for (int k = 0; k < 6; ++k) {
    grid.values[grid.index(k, k, 0)] = 1;
    grid.values[grid.index((k + 1) % 6, k, 0)] = 1;
  }
  const Percolation p = percolate(grid);
  EXPECT_EQ(p.level[0], 1);
  EXPECT_TRUE(std::isnan(p.level[1]));
}

Frame crystal() {
  Frame frame;
  frame.cell = Cell::cubic(6);
  frame.add_atom("Li", Vec3(1.5, 1.5, 1.5));
  frame.add_atom("O", Vec3(4.5, 4.5, 4.5));
  return frame;
}

TEST(Density, RefusesVoxelsAsWideAsTheCell) {
  DensityAccumulator density({.species = "Li", .framework = {}, .spacing_A = 30});
  EXPECT_THROW(density.add(crystal(), "frame"), InputError);
}

TEST(Density, IntegratesToTheNumberOfIonsAndGivesTheBarrier) {
  // An ion on a channel along x with the free energy F = (B/2)(1 − cos 2πx), free in y and z within a tube.
  constexpr double barrier = 0.1, T = 600;
  const double kT = constants::boltzmann_eV_per_K * T;
  RandomStream random(2, "density");
  DensityAccumulator density({.species = "Li", .framework = {}, .spacing_A = 0.3});
  double x = 0;
  Frame frame = crystal();
  for (int t = 0; t < 60000; ++t) {
    const double next = x + 0.05 * random.normal();
    const auto F = [&](double at) { return 0.5 * barrier * (1 - std::cos(2 * constants::pi * at)); };
    if (random.uniform() < std::exp(-(F(next) - F(x)) / kT)) x = next;
    frame.positions[0] = Vec3(6 * x, 1.5 + 0.1 * random.uniform(), 1.5 + 0.1 * random.uniform());
    frame.positions[1][0] = 4.5 + 1e-6 * random.normal();
    density.add(frame, "frame");
  }
  const Grid grid = density.density();
  double sum = 0;
  for (const double v : grid.values) sum += v * 216 / static_cast<double>(grid.values.size());
  EXPECT_NEAR(sum, 1, 1e-9);
  const Percolation p = density.barrier_eV(T);
  EXPECT_NEAR(p.level[0], barrier, 0.02);
  EXPECT_TRUE(std::isnan(p.level[1]));
  const std::string file = std::string(::testing::TempDir()) + "density.cube";
  density.write_cube(file);
  std::ifstream stream(file);
  std::string line;
  for (int k = 0; k < 3; ++k) std::getline(stream, line);
  EXPECT_EQ(line, "2 0.28345892 0.28345892 0.28345892");  // the middle of a voxel of 0.3 Å, in bohr
}

TEST(Channels, OfASimpleCubicLatticeOfAnions) {
  // Anions at the corners of cubes of 4 Å: sites at the body centres, 4 Å apart through the middle of a face,
  // which is 4/√2 = 2.828 Å from its corners.
  Frame frame, sites;
  frame.cell = sites.cell = Cell::cubic(8);
  for (int x = 0; x < 2; ++x)
    for (int y = 0; y < 2; ++y)
      for (int z = 0; z < 2; ++z) {
        frame.add_atom("O", 4.0 * Vec3(x, y, z));
        frame.add_atom("Li", 4.0 * Vec3(x, y, z) + Vec3(2, 2, 2));
        sites.add_atom("Li", 4.0 * Vec3(x, y, z) + Vec3(2, 2, 2));
      }
  ChannelAccumulator channels({.species = "Li", .radii_A = {{"O", 1.4}}, .spacing_A = 0.1}, sites);
  channels.add(frame, "frame");
  const ChannelStatistics s = channels.statistics();
  EXPECT_EQ(s.n_edges, 24U);  // 8 sites with 6 neighbours each, two images apart in a cell of two
  const double exact = 4 / std::sqrt(2.0) - 1.4;
  const double grain =
      0.1 / std::sqrt(2.0) + 1e-4;  // the nearest voxel lies off the middle of the face by that
  EXPECT_NEAR(s.mean_A, exact, grain);
  EXPECT_NEAR(s.sorted_A.front(), exact, grain);
  for (const double c : s.critical_A) EXPECT_NEAR(c, exact, grain);
  Frame other = frame;
  other.add_atom("Cl", Vec3(1, 1, 1));
  EXPECT_THROW(channels.add(other, "frame"), InputError);
}

TEST(Channels, TheCellsShapeDoesNotMatter) {
  // One anion and one site: a cube of 4 Å, and the same crystal in a cell so skewed that the nearest image is
  // not the one that rounding finds.
  const auto mean_of = [](const Mat3& h) {
    Frame frame, sites;
    frame.cell = sites.cell = Cell(h);
    frame.add_atom("O", Vec3(0.3, 0.2, 0.1));
    frame.add_atom("Li", Vec3(2.3, 2.2, 2.1));
    sites.add_atom("Li", Vec3(2.3, 2.2, 2.1));
    ChannelAccumulator channels({.species = "Li", .radii_A = {{"O", 1.4}}, .spacing_A = 0.1}, sites);
    channels.add(frame, "frame");
    EXPECT_EQ(channels.statistics().n_edges, 3U);
    return channels.statistics().mean_A;
  };
  Mat3 skewed;
  skewed << 4, 0, 0, 12, 4, 0, -8, 8, 4;
  const double exact = 4 / std::sqrt(2.0) - 1.4;
  EXPECT_NEAR(mean_of(Mat3::Identity() * 4), exact, 0.1);
  EXPECT_NEAR(mean_of(skewed), exact, 0.1);
}

TEST(Channels, SitesGoWithTheFramework) {
  // Perovskite-like: anions on one sublattice, sites off its centres, so that a wrong origin closes edges.
  Frame crystal;
  crystal.cell = Cell::cubic(8);
  for (int x = 0; x < 2; ++x)
    for (int y = 0; y < 2; ++y)
      for (int z = 0; z < 2; ++z) {
        crystal.add_atom("O", 4.0 * Vec3(x, y, z));
        crystal.add_atom("Li", 4.0 * Vec3(x, y, z) + Vec3(2, 2, 2));
      }
  const auto mean_of = [&](const Vec3& origin, const Vec3& drift) {
    ChannelAccumulator channels({.species = "Li", .radii_A = {{"O", 1.4}}, .spacing_A = 0.1}, crystal);
    Frame frame = crystal;
    Int3 image = Int3::Zero();
    const auto move = [&](const Vec3& by) {
      for (Vec3& r : frame.positions) frame.cell->wrap(r += by, image);
    };
    move(origin);
    channels.add(frame, "frame");
    const double first = channels.statistics().mean_A;
    move(drift);
    channels.add(frame, "frame");
    EXPECT_NEAR(channels.statistics().mean_A, first, 0.05) << drift.transpose();
    return first;
  };
  const double here = mean_of(Vec3::Zero(), Vec3::Zero());
  EXPECT_NEAR(mean_of(Vec3(0.9, 0.7, 1.1), Vec3(3.1, 2.2, 1.7)), here, 0.1);
  EXPECT_NEAR(mean_of(Vec3(-1.3, 0, 0.4), Vec3(4.1, -2.2, 0)), here, 0.1);
}

}  // namespace
}  // namespace solion::transport
