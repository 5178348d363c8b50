// Directions of hops against crystals whose answer is known.
#include "solion/defects/hop_network.hpp"

#include <gtest/gtest.h>

#include "solion/base/errors.hpp"
#include "support/li3ocl.hpp"

namespace solion::defects {
namespace {

Frame lattice(double a, double b, double c) {
  Frame frame;
  frame.cell = Cell(Mat3(Vec3(a, b, c).asDiagonal()));
  frame.add_atom("Li", Vec3(0.3, 0.2, 0.1));
  return frame;
}

TEST(HopNetwork, CountsTheDirectionsThatHopsLeadAlong) {
  const Frame layered = lattice(3, 4, 5);
  EXPECT_EQ(hop_dimensions(layered, "Li", 2.9), 0);
  EXPECT_EQ(hop_dimensions(layered, "Li", 3.01), 1);
  EXPECT_EQ(hop_dimensions(layered, "Li", 4.01), 2);
  EXPECT_EQ(hop_dimensions(layered, "Li", 5.01), 3);
  EXPECT_NEAR(within_for_three_A(layered, "Li"), 5, 0.011);
  // A larger cell and atoms outside of it change nothing.
  Frame large = repeat(layered, {2, 3, 1});
  for (std::size_t i = 0; i < large.n_atoms(); i += 2) large.positions[i] += Vec3(12, -24, 15);
  for (const double within : {2.9, 3.01, 4.01, 5.01})
    EXPECT_EQ(hop_dimensions(large, "Li", within), hop_dimensions(layered, "Li", within)) << within;
  EXPECT_NEAR(within_for_three_A(large, "Li"), 5, 0.011);
  // The same lattice in a skewed cell.
  Frame skewed = layered;
  Mat3 h = layered.cell->matrix();
  h.row(1) += 2 * h.row(0);
  h.row(2) += h.row(1);
  skewed.cell = Cell(h);
  EXPECT_EQ(hop_dimensions(skewed, "Li", 3.01), 1);
  EXPECT_EQ(hop_dimensions(skewed, "Li", 4.01), 2);
  EXPECT_NEAR(within_for_three_A(skewed, "Li"), 5, 0.011);
}

TEST(HopNetwork, OfLi3OCl) {
  const Frame cell = solion::testing::li3ocl_cell(3.9085);
  EXPECT_EQ(hop_dimensions(cell, "Li", 2.7), 0);
  EXPECT_EQ(hop_dimensions(cell, "Li", 2.8), 3);
  EXPECT_NEAR(within_for_three_A(cell, "Li"), 3.9085 / std::sqrt(2.0), 0.011);
  EXPECT_EQ(hop_dimensions(cell, "O", 3.8), 0);
  EXPECT_EQ(hop_dimensions(cell, "O", 3.91), 3);
  EXPECT_THROW(hop_dimensions(cell, "S", 3), InputError);
}

}  // namespace
}  // namespace solion::defects
