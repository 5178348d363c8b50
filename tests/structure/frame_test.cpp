// Cells, frames, repeats, wrapping, checks.
#include "solion/structure/frame.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "solion/structure/crystal.hpp"

namespace solion {
namespace {

using testing::HasSubstr;

Mat3 rows(double ax, double ay, double az, double bx, double by, double bz, double cx, double cy, double cz) {
  Mat3 h;
  h << ax, ay, az, bx, by, bz, cx, cy, cz;
  return h;
}

TEST(Cell, TheMinimumImageIsTheShortestOfAllInSkewedCells) {
  RandomStream random(1, "cells");
  const std::vector<Mat3> cells{rows(4, 0, 0, 0, 4, 0, 0, 0, 4), rows(4, 0, 0, 3.9, 1, 0, 0, 0, 4),
                                rows(4, 0, 0, 7.5, 2, 0, -6, 5, 3), rows(0, 2, 2, 2, 0, 2, 2, 2, 0),
                                rows(10, 0, 0, 9, 1.5, 0, 9, 0.5, 1.2)};
  for (const Mat3& h : cells) {
    const Cell cell(h);
    for (int trial = 0; trial < 40; ++trial) {
      const Vec3 d = cell.to_cartesian(
          Vec3(6 * random.uniform() - 3, 6 * random.uniform() - 3, 6 * random.uniform() - 3));
      double shortest = std::numeric_limits<double>::infinity();
      constexpr int n = 16;
      for (int a = -n; a <= n; ++a) {
        for (int b = -n; b <= n; ++b) {
          for (int c = -n; c <= n; ++c)
            shortest = std::min(shortest, (d + cell.to_cartesian(Vec3(a, b, c))).norm());
        }
      }
      const Vec3 image = cell.minimum_image(d);
      EXPECT_NEAR(image.norm(), shortest, 1e-10);
      const Vec3 whole = cell.to_fractional(image - d);
      EXPECT_LT((whole - Vec3(whole.array().round())).norm(), 1e-9);
    }
  }
}

TEST(Cell, FractionalAndCartesianAreInverse) {
  const Cell cell(rows(4, 0.1, 0, 1, 5, 0.3, -0.5, 0.7, 6));
  const Vec3 r(1.3, -7.1, 22.0);
  EXPECT_LT((cell.to_cartesian(cell.to_fractional(r)) - r).norm(), 1e-12);
  EXPECT_LT((cell.to_cartesian(Vec3(0, 1, 0)) - cell.vector(1)).norm(), 1e-15);
}

TEST(Cell, WidthsAreDistancesOfFaces) {
  const Cell cell(rows(4, 0, 0, 3, 5, 0, 1, 2, 6));
  EXPECT_NEAR(cell.widths()[2], 6.0, 1e-12);
  // Along a: the height over the face of b and c.
  EXPECT_NEAR(cell.widths()[0], cell.volume() / Vec3(5 * 6, -3 * 6, 3 * 2 - 5).norm(), 1e-12);
}

TEST(Cell, RefusesSingularLeftHandedAndNotFinite) {
  EXPECT_THROW(Cell(rows(1, 0, 0, 2, 0, 0, 0, 0, 1)), InputError);
  EXPECT_THROW(Cell(rows(0, 1, 0, 1, 0, 0, 0, 0, 1)), InputError);
  EXPECT_THROW(Cell(rows(1, 0, 0, 0, std::nan(""), 0, 0, 0, 1)), InputError);
  EXPECT_THROW(Cell(Mat3(Mat3::Zero())), InputError);
}

TEST(Frame, WrappingKeepsTheUnwrappedPositions) {
  RandomStream random(2, "frames");
  Frame frame;
  frame.cell = Cell(rows(4, 0, 0, 1.5, 5, 0, -2, 0.7, 6));
  for (int i = 0; i < 50; ++i)
    frame.add_atom("Li", 40.0 * Vec3(random.uniform() - 0.5, random.uniform() - 0.5, random.uniform() - 0.5));
  Frame wrapped = frame;
  wrap(wrapped);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const Vec3 f = wrapped.cell->to_fractional(wrapped.positions[i]);
    EXPECT_GE(f.minCoeff(), -1e-12);
    EXPECT_LT(f.maxCoeff(), 1 + 1e-12);
    const Vec3 back = wrapped.positions[i] + wrapped.cell->to_cartesian(wrapped.images[i].cast<double>());
    EXPECT_LT((back - frame.positions[i]).norm(), 1e-11);
  }
  const auto once = wrapped.images;
  wrap(wrapped);
  EXPECT_EQ(wrapped.images, once);
}

TEST(Frame, RepeatingKeepsDensityAndSurroundings) {
  const Frame unit = known_crystal("li3ocl").frame;
  const Frame frame = repeat(unit, {2, 1, 3});
  EXPECT_EQ(frame.n_atoms(), 6 * unit.n_atoms());
  EXPECT_NEAR(frame.cell->volume(), 6 * unit.cell->volume(), 1e-9);
  EXPECT_EQ(frame.formula(), "Li18 O6 Cl6");
  // The last index runs fastest: the second copy is shifted along c.
  EXPECT_LT((frame.positions[5] - unit.positions[0] - unit.cell->vector(2)).norm(), 1e-12);
  EXPECT_NO_THROW(validate(frame, "repeat", 1.9));
  EXPECT_THROW(repeat(unit, {0, 1, 1}), InputError);
  Frame molecule = unit;
  molecule.cell.reset();
  EXPECT_THROW(repeat(molecule, {1, 1, 1}), InputError);
}

TEST(Frame, MassesAreByElement) {
  const Frame unit = known_crystal("li3ocl").frame;
  const auto masses = unit.masses();
  EXPECT_DOUBLE_EQ(masses[0], 6.94);
  EXPECT_DOUBLE_EQ(masses[4], 35.45);
  Frame foreign;
  foreign.add_atom("Q", Vec3(0, 0, 0));
  EXPECT_THROW((void)foreign.masses(), InputError);
}

std::string problem_of(const Frame& frame) {
  try {
    validate(frame, "frame.xyz:7");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Frame, ValidateNamesWhatIsWrong) {
  const Frame good = known_crystal("li3ocl").frame;
  EXPECT_EQ(problem_of(good), "");
  Frame frame = good;
  frame.positions[2][0] = std::nan("");
  EXPECT_THAT(problem_of(frame), HasSubstr("frame.xyz:7: the position of atom 3 (Li)"));
  frame = good;
  frame.positions[4] = frame.positions[3] + Vec3(0.1, 0, 0);
  EXPECT_THAT(problem_of(frame), HasSubstr("0.100 Å apart"));
  frame = good;
  frame.positions[0] =
      frame.positions[4] + 2 * frame.cell->vector(0) + Vec3(0, 0.05, 0);  // overlaps through the boundary
  EXPECT_THAT(problem_of(frame), HasSubstr("0.050 Å apart"));
  frame = good;
  frame.labels.forces_eV_per_A.resize(3);
  EXPECT_THAT(problem_of(frame), HasSubstr("3 forces for 5 atoms"));
  frame = good;
  frame.labels.energy_eV = std::numeric_limits<double>::infinity();
  EXPECT_THAT(problem_of(frame), HasSubstr("energy"));
  frame = good;
  frame.types[1] = 7;
  EXPECT_THAT(problem_of(frame), HasSubstr("type 7"));
  frame = good;
  frame.types.pop_back();
  EXPECT_THAT(problem_of(frame), HasSubstr("4 types for 5 atoms"));
  EXPECT_THAT(problem_of(Frame{}), HasSubstr("no atoms"));
}

TEST(TypeMap, NamesAreUniqueAndFound) {
  TypeMap map({"Li", "O"});
  EXPECT_EQ(map.find("O"), 1);
  EXPECT_EQ(map.find("Cl"), -1);
  EXPECT_EQ(map.find_or_add("Cl"), 2);
  EXPECT_EQ(map.to(TypeMap({"Cl", "Li"})), (std::vector<int>{1, -1, 0}));
  EXPECT_THROW(TypeMap({"Li", "Li"}), InputError);
  EXPECT_THROW(TypeMap({""}), InputError);
}

}  // namespace
}  // namespace solion
