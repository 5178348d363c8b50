// Edges between neighbouring sites: counted by hand, and the same whichever cell describes the crystal.
#include "solion/transport/site_edges.hpp"

#include <gmock/gmock.h>

#include <Eigen/Geometry>
#include <map>

#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

/// Edges an atom has, by length in 0.01 Å.
std::map<int, double> shells(const std::vector<Vec3>& sites, const Mat3& h, double share) {
  std::map<int, double> result;
  for (const SiteEdge& edge : site_edges(sites, Cell(h), share, "test"))
    result[static_cast<int>(std::lround(100 * edge.length_A))] += 2.0 / static_cast<double>(sites.size());
  return result;
}

Mat3 rows(const Vec3& a, const Vec3& b, const Vec3& c) {
  Mat3 h;
  h << a.transpose(), b.transpose(), c.transpose();
  return h;
}

TEST(SiteEdges, ShellsOfKnownLattices) {
  const std::map<int, double> cubic{{400, 6}, {566, 12}};
  EXPECT_EQ(shells({Vec3::Zero()}, Mat3::Identity() * 4, 1.5), cubic);
  // Face-centred, as the primitive cell with its angles of 60 degrees, and as the cube with four sites.
  const std::map<int, double> nearest{{283, 12}};
  EXPECT_EQ(shells({Vec3::Zero()}, rows({0, 2, 2}, {2, 0, 2}, {2, 2, 0}), 1), nearest);
  EXPECT_EQ(shells({Vec3::Zero(), {0, 0.5, 0.5}, {0.5, 0, 0.5}, {0.5, 0.5, 0}}, Mat3::Identity() * 4, 1.3),
            nearest);
}

TEST(SiteEdges, TheCellsShapeDoesNotMatter) {
  const std::vector<Vec3> sites{{0.1, 0.2, 0.3}, {0.6, 0.1, 0.7}};
  const Mat3 h = rows({5, 0, 0}, {0.4, 6, 0}, {-0.3, 0.5, 7});
  const auto expected = shells(sites, h, 2.2);
  // The same lattice with a basis far from the shortest: a, b + 4a, c − 3a + 2b.
  Mat3 change;
  change << 1, 0, 0, 4, 1, 0, -3, 2, 1;
  std::vector<Vec3> same;
  same.reserve(sites.size());
  for (const Vec3& s : sites) same.push_back((change.transpose().inverse() * s).eval());
  EXPECT_EQ(shells(same, change * h, 2.2), expected);
  EXPECT_GT(expected.size(), 3U);
}

TEST(SiteEdges, AShareBelowOneIsRefused) {
  EXPECT_THROW(site_edges({Vec3::Zero()}, Cell(Mat3::Identity() * 4), 0.9, "test"), InputError);
  EXPECT_THROW(site_edges({Vec3::Zero()}, Cell(Mat3::Identity() * 4), std::nan(""), "test"), InputError);
}

TEST(SiteEdges, AnotherCellIsRefused) {
  const Mat3 h = rows({5, 0, 0}, {0.4, 6, 0}, {-0.3, 0.5, 7});
  const Cell cell(h);
  const Mat3 turned = h * Eigen::AngleAxisd(1.1, Vec3(1, 2, 3).normalized()).toRotationMatrix();
  EXPECT_NO_THROW(check_cell(cell, 1.1 * turned, "frame 1"));
  Mat3 other_axes = h;
  other_axes.row(1) += h.row(0);
  Mat3 another = h;
  another.row(2) *= 0.75;  // three layers in place of four
  for (const Mat3& wrong : {Mat3(2 * h), other_axes, another, Mat3(Mat3::Constant(std::nan("")))})
    EXPECT_THAT([&] { check_cell(cell, wrong, "frame 1"); },
                ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("expected the same supercell")));
}

}  // namespace
}  // namespace solion::transport
