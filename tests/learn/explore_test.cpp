// Model deviation, verdicts, the way back from a failure.
#include "solion/learn/explore.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "support/li3ocl.hpp"

namespace solion::learn {
namespace {

/// Harmonic springs to the starting positions; member k pulls `spread`·k harder beyond `reach` from home, and
/// from `poison` on its energy is not a number.
class Springs final : public Potential {
 public:
  Springs(Frame home, double extra, double poison) : home_(std::move(home)), extra_(extra), poison_(poison) {}
  [[nodiscard]] std::string description() const override { return "springs"; }
  [[nodiscard]] const TypeMap& type_map() const override { return home_.type_map; }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override { return std::make_unique<Springs>(*this); }
  using Potential::evaluate;
  void evaluate(const Frame& frame, const Request& /*request*/, Evaluation& result) override {
    result.energy = 0;
    result.virial.setZero();
    result.forces.assign(frame.n_atoms(), Vec3::Zero());
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      const Vec3 d = frame.positions[i] - home_.positions[i];
      result.energy += 0.5 * d.squaredNorm();
      result.forces[i] = -(1.0 + extra_) * d;
      if (d.norm() > poison_) result.energy = std::numeric_limits<double>::quiet_NaN();
    }
    if (std::isnan(result.energy)) result.forces[0][0] = result.energy;
  }

 private:
  Frame home_;
  double extra_;
  double poison_;
};

Committee springs(const Frame& home, double spread, double poison = 1e9) {
  std::vector<std::unique_ptr<Potential>> members;
  members.reserve(4);
  // The first member drives and never fails.
  for (int k = 0; k < 4; ++k)
    members.push_back(std::make_unique<Springs>(home, k * spread, k == 3 ? poison : 1e9));
  return Committee(std::move(members));
}

md::Settings nvt(std::int64_t steps) {
  md::Settings settings;
  settings.ensemble = md::Ensemble::nvt;
  settings.thermostat = md::Thermostat::langevin;
  settings.stages = {{steps, 600, 600}};
  return settings;
}

TEST(Deviation, IsTheStandardDeviationOfTheForceVectors) {
  Evaluation a, b;
  a.forces = {Vec3(1, 0, 0), Vec3(0, 0, 0)};
  b.forces = {Vec3(-1, 0, 0), Vec3(0, 3, 4)};
  a.energy = 2;
  b.energy = 6;
  const std::vector<Evaluation> both{a, b};
  const Deviation d = deviation_of(both);
  EXPECT_DOUBLE_EQ(d.force_min, 1.0);
  EXPECT_DOUBLE_EQ(d.force_max, 2.5);
  EXPECT_DOUBLE_EQ(d.force_mean, 1.75);
  EXPECT_DOUBLE_EQ(d.energy, 1.0);  // 2 eV over two atoms
  EXPECT_TRUE(d.finite);
  EXPECT_THROW((void)deviation_of({both.data(), 1}), InputError);
}

TEST(Deviation, ANumberThatIsNotFiniteIsAFailureWhereverItStands) {
  const double bad[] = {std::nan(""), std::numeric_limits<double>::infinity()};
  for (const double x : bad) {
    for (int where = 0; where < 2; ++where) {
      Evaluation a, b;
      a.forces = b.forces = {Vec3::Zero(), Vec3::Zero()};
      (where == 0 ? b.energy : b.forces[1][2]) = x;
      const std::vector<Evaluation> both{a, b};
      const Deviation d = deviation_of(both);
      EXPECT_FALSE(d.finite);
      EXPECT_EQ(judge(d, {0.1, 0.3}), Verdict::failed);
    }
  }
  Deviation nan;
  nan.force_max = std::nan("");
  EXPECT_EQ(judge(nan, {0.1, 0.3}), Verdict::failed);
}

TEST(Judge, LevelsBelongToTheWorseSide) {
  Deviation d;
  d.force_max = 0.0999;
  EXPECT_EQ(judge(d, {0.1, 0.3}), Verdict::accurate);
  d.force_max = 0.1;
  EXPECT_EQ(judge(d, {0.1, 0.3}), Verdict::candidate);
  d.force_max = 0.3;
  EXPECT_EQ(judge(d, {0.1, 0.3}), Verdict::failed);
}

TEST(Explore, AgreementRunsToTheEnd) {
  const Frame home = repeat(testing::li3ocl_cell(), {2, 1, 1});
  Committee committee = springs(home, 0.0);
  const Exploration e = explore(home, nvt(50), 5, {0.1, 0.3}, committee);
  EXPECT_EQ(e.planned, 11U);
  EXPECT_EQ(e.accurate, 11U);
  EXPECT_EQ(e.failed, 0U);
  EXPECT_FALSE(e.stopped_at);
  EXPECT_TRUE(e.frames.empty());
}

TEST(Explore, StopsAtTheFirstFrameOverTheUpperLevelAndBacksUp) {
  const Frame home = repeat(testing::li3ocl_cell(), {2, 1, 1});
  Committee committee = springs(home, 1.0);
  const TrustLevels levels{0.05, 0.2};
  const Exploration e = explore(home, nvt(400), 20, levels, committee);
  ASSERT_TRUE(e.stopped_at);
  EXPECT_EQ(*e.stopped_at % 20, 0);
  // The one that stopped it is the last that was visited, and all that were never reached count as failed.
  EXPECT_GE(e.deviations.back(), levels.upper);
  EXPECT_EQ(e.accurate + e.candidates + 1, e.deviations.size());
  EXPECT_EQ(e.accurate + e.candidates + e.failed, e.planned);
  EXPECT_THAT(e.reason, ::testing::HasSubstr("upper level"));
  ASSERT_FALSE(e.frames.empty());
  for (const Candidate& c : e.frames) {
    EXPECT_LT(c.deviation, levels.upper);
    EXPECT_LT(c.step, *e.stopped_at);
    EXPECT_FALSE(c.frame.labels.energy_eV);
  }
  // Backed up step by step: the next step of that walk is the first bad one.
  const Candidate& last = e.frames.back();
  EXPECT_GE(last.step, *e.stopped_at - 20);
  const Exploration fine = explore(home, nvt(400), 1, levels, committee);
  EXPECT_EQ(*fine.stopped_at, last.step + 1);
  EXPECT_NEAR(fine.deviations[static_cast<std::size_t>(last.step)], last.deviation, 1e-9);
}

TEST(Explore, NaNStopsAndIsNeverAccurate) {
  const Frame home = repeat(testing::li3ocl_cell(), {2, 1, 1});
  Committee committee = springs(home, 0.0, 0.08);
  const Exploration e = explore(home, nvt(400), 10, {0.1, 0.3}, committee);
  ASSERT_TRUE(e.stopped_at);
  EXPECT_THAT(e.reason, ::testing::HasSubstr("not finite"));
  EXPECT_GT(e.failed, 0U);
  ASSERT_EQ(e.frames.size(), 1U);  // the last good one
  for (std::size_t i = 0; i < home.n_atoms(); ++i)
    EXPECT_LE((home.cell->minimum_image(e.frames[0].frame.positions[i] - home.positions[i])).norm(), 0.08);
}

TEST(Explore, AStartThatFailsIsOfferedAsItWasBuilt) {
  const Frame home = repeat(testing::li3ocl_cell(), {2, 1, 1});
  Frame start = home;
  start.positions[0] += Vec3(0.3, 0, 0);
  Committee committee = springs(home, 1.0);
  const Exploration e = explore(start, nvt(100), 10, {0.05, 0.2}, committee);
  EXPECT_EQ(e.stopped_at, 0);
  EXPECT_EQ(e.failed, e.planned);
  ASSERT_EQ(e.frames.size(), 1U);
  EXPECT_NEAR((e.frames[0].frame.positions[0] - start.positions[0]).norm(), 0, 1e-12);
}

TEST(Explore, AtomsOnTopOfEachOtherAreAFailureEvenIfAllMembersAgree) {
  const Frame start = repeat(testing::li3ocl_cell(), {2, 1, 1});
  Frame home = start;
  home.positions[1] = home.positions[0] + Vec3(0.05, 0, 0);  // where the springs pull the second atom
  Committee committee = springs(home, 0.0);
  const auto distance = [](const Frame& f) {
    return f.cell->minimum_image(f.positions[1] - f.positions[0]).norm();
  };
  const Exploration e = explore(start, nvt(2000), 10, {0.1, 0.3}, committee);
  ASSERT_TRUE(e.stopped_at);
  EXPECT_THAT(e.reason, ::testing::HasSubstr("apart"));
  EXPECT_GT(e.failed, 0U);
  ASSERT_EQ(e.frames.size(), 1U);
  EXPECT_GE(distance(e.frames[0].frame), 0.3);
}

TEST(Explore, AnExplosionIsAFailureWithTheLastGoodFrame) {
  const Frame home = repeat(testing::li3ocl_cell(), {2, 1, 1});
  Committee committee = springs(home, 0.0);
  md::Settings settings = nvt(200);
  settings.temperature_limit_K = 500;  // below the target: the thermostat drives it there
  const Exploration e = explore(home, settings, 10, {0.1, 0.3}, committee);
  ASSERT_TRUE(e.stopped_at);
  EXPECT_FALSE(e.reason.empty());
  EXPECT_LE(e.frames.size(), 1U);
}

}  // namespace
}  // namespace solion::learn
