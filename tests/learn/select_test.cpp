// Fingerprints are invariant; selection is diverse, balanced and without near-duplicates; calibration.
#include "solion/learn/select.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "solion/learn/calibrate.hpp"
#include "solion/learn/fingerprint.hpp"
#include "support/li3ocl.hpp"

namespace solion::learn {
namespace {

Frame rattled(std::uint64_t seed, double width = 0.1) {
  Frame frame = repeat(testing::li3ocl_cell(), {2, 2, 1});
  RandomStream random(seed, "rattle");
  for (Vec3& r : frame.positions) r += width * Vec3(random.normal(), random.normal(), random.normal());
  return frame;
}

const TypeMap elements({"Li", "O", "Cl"});

TEST(Fingerprint, DoesNotSeeRotationTranslationOrOrder) {
  const Frame frame = rattled(1);
  const Eigen::VectorXd x = fingerprint(frame, elements);
  EXPECT_EQ(x.size(), 3 * 3 * 2 * 3 * 6);
  Frame other = frame;
  const Mat3 turn = Eigen::AngleAxisd(0.7, Vec3(1, 2, 3).normalized()).toRotationMatrix();
  other.cell = Cell(Mat3(frame.cell->matrix() * turn.transpose()));
  for (Vec3& r : other.positions) r = turn * r + Vec3(0.3, -1.0, 8.0);
  std::reverse(other.positions.begin(), other.positions.end());
  std::reverse(other.types.begin(), other.types.end());
  EXPECT_LT((fingerprint(other, elements) - x).norm(), 1e-9 * x.norm());
  // A supercell has the same environments.
  EXPECT_LT((fingerprint(repeat(frame, {1, 1, 2}), elements) - x).norm(), 1e-6 * x.norm());
}

TEST(Fingerprint, SeesADisplacementAndRefusesUnknownElements) {
  const Frame frame = rattled(1);
  Frame moved = frame;
  moved.positions[3] += Vec3(0.2, 0, 0);
  EXPECT_GT((fingerprint(moved, elements) - fingerprint(frame, elements)).norm(), 1e-3);
  EXPECT_THROW((void)fingerprint(frame, TypeMap({"Li", "O"})), InputError);
}

TEST(Fingerprint, IsSmooth) {
  // No jump where a neighbour crosses the cutoff.
  Frame frame = repeat(testing::li3ocl_cell(), {2, 2, 1});
  Eigen::VectorXd before = fingerprint(frame, elements);
  for (int n = 0; n < 200; ++n) {
    frame.positions[0] += Vec3(1e-3, 0, 0);
    const Eigen::VectorXd now = fingerprint(frame, elements);
    EXPECT_LT((now - before).norm(), 0.02);
    before = now;
  }
}

std::vector<Selectable> on_a_line(const std::vector<double>& values, const std::string& group = "a") {
  std::vector<Selectable> result;
  result.reserve(values.size());
  for (const double v : values) result.push_back({group, Eigen::VectorXd::Constant(2, v)});
  return result;
}

TEST(Select, TakesTheFarthestPointsFirst) {
  const auto candidates = on_a_line({0.0, 0.1, 0.2, 5.0, 9.9, 10.0});
  SelectOptions options;
  options.method = Method::farthest;
  options.max_frames = 3;
  options.least_distance = 0;
  const Selection s = select(candidates, {Eigen::VectorXd::Constant(2, 0.0)}, options);
  EXPECT_THAT(s.chosen, ::testing::ElementsAre(5, 3, 2));
}

TEST(Select, CoverageTakesTheMiddleOfWhatIsNotKnown) {
  // Known: 0. A crowd around 5 and one extreme: the crowd's middle first, then the extreme.
  const auto candidates = on_a_line({0.1, 4.0, 4.5, 5.0, 5.5, 6.0, 12.0});
  SelectOptions options;
  options.max_frames = 2;
  options.least_distance = 0;
  const Selection s = select(candidates, {Eigen::VectorXd::Constant(2, 0.0)}, options);
  EXPECT_THAT(s.chosen, ::testing::ElementsAre(3, 6));
}

TEST(Select, KnowsItsMethodsByName) {
  for (const char* name : {"coverage", "farthest", "random"})
    EXPECT_EQ(method_name(method_from_name(name)), name);
  EXPECT_THROW((void)method_from_name("best"), InputError);
}

TEST(Select, LeavesOutNearDuplicates) {
  auto candidates = on_a_line({0.0, 0.0, 1.0, 1.0, 1.0, 2.0});
  SelectOptions options;
  options.method = Method::farthest;
  options.max_frames = 10;
  const Selection s = select(candidates, {}, options);
  EXPECT_EQ(s.chosen.size(), 3U);
  EXPECT_EQ(s.near_duplicates, 3U);
  // Known frames count too.
  EXPECT_EQ(select(candidates, {Eigen::VectorXd::Constant(2, 1.0)}, options).chosen.size(), 2U);
}

TEST(Select, IsBalancedOverGroups) {
  std::vector<Selectable> candidates;
  candidates.reserve(100);
  RandomStream random(3, "balance");
  // One group has many and the most extreme candidates.
  for (int n = 0; n < 90; ++n)
    candidates.push_back({"hot", Eigen::VectorXd::Constant(1, 10 * random.normal())});
  for (int n = 0; n < 10; ++n)
    candidates.push_back({"cold", Eigen::VectorXd::Constant(1, 0.1 * random.normal())});
  SelectOptions options;
  options.max_frames = 10;
  options.least_distance = 0;
  const Selection s = select(candidates, {}, options);
  EXPECT_EQ(std::count_if(s.chosen.begin(), s.chosen.end(), [](std::size_t i) { return i >= 90; }), 5);
}

TEST(Select, RandomIsRepeatableAndWithoutRepetition) {
  SelectOptions options;
  options.method = Method::random;
  options.max_frames = 4;
  const auto candidates = on_a_line({1, 2, 3, 4, 5, 6});
  const Selection a = select(candidates, {}, options);
  EXPECT_EQ(a.chosen, select(candidates, {}, options).chosen);
  EXPECT_EQ(a.chosen.size(), 4U);
  auto sorted = a.chosen;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::unique(sorted.begin(), sorted.end()), sorted.end());
  options.max_frames = 99;
  EXPECT_EQ(select(candidates, {}, options).chosen.size(), 6U);
  EXPECT_TRUE(select({}, {}, options).chosen.empty());
}

TEST(Calibrate, LevelsMeanTheErrorsAskedFor) {
  TrustConfig config;
  config.calibrate = true;
  config.accurate_error_eV_per_A = 0.1;
  config.failed_error_eV_per_A = 0.5;
  std::vector<CalibrationPoint> points;
  RandomStream random(1, "calibrate");
  // error = r·deviation with r uniform in [1, 3]: median 2, 90th percentile 2.8.
  for (int n = 0; n < 4000; ++n) {
    const double deviation = 0.01 + random.uniform();
    points.push_back({0, "a", 300, deviation, deviation * (1 + 2 * random.uniform())});
  }
  const Calibration c = calibrate(config, points);
  EXPECT_TRUE(c.calibrated);
  EXPECT_NEAR(c.levels.lower, 0.1 / 2.8, 0.002);
  EXPECT_NEAR(c.levels.upper, 0.25, 0.01);
  EXPECT_GT(c.rank_correlation, 0.7);
  // Nine of ten frames at the lower level are within the error asked for: what the level promises.
  int good = 0;
  for (const auto& p : points) good += p.error / p.deviation * c.levels.lower <= 0.1 ? 1 : 0;
  EXPECT_NEAR(good / 4000.0, 0.9, 0.001);
}

TEST(Calibrate, KeepsTheGivenLevelsUntilItKnowsEnough) {
  TrustConfig config;
  config.calibrate = true;
  std::vector<CalibrationPoint> points(19, {0, "a", 300, 0.1, 0.2});
  EXPECT_FALSE(calibrate(config, points).calibrated);
  EXPECT_EQ(calibrate(config, points).levels.upper, config.upper_eV_per_A);
  points.push_back({0, "a", 300, std::nan(""), 0.2});  // counts for nothing
  EXPECT_FALSE(calibrate(config, points).calibrated);
  points.push_back({0, "a", 300, 0.1, 0.2});
  EXPECT_TRUE(calibrate(config, points).calibrated);
  config.calibrate = false;
  EXPECT_FALSE(calibrate(config, points).calibrated);
  EXPECT_EQ(calibrate(config, {}).n, 0U);
}

}  // namespace
}  // namespace solion::learn
