// A pace that changes in the middle of a run is found, and one that does not is left alone.
#include <gmock/gmock.h>

#include <cmath>

#include "solion/transport/steadiness.hpp"
#include "transport/synthetic.hpp"

namespace solion::transport {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing_tools::LatticeWalk;
using testing_tools::WalkOptions;

/// Two walks after each other: the second starts where the first ended.
MsdCurve curve_of(const WalkOptions& first, const WalkOptions& second, std::uint64_t seed,
                  int frames = 1000) {
  MsdAccumulator msd({.framework = {}, .mobile = {"Li"}, .remove_drift = true, .unwrap = {}});
  LatticeWalk walk(first, seed), other(second, seed + 1000);
  Frame frame;
  for (int t = 0; t < frames; ++t) msd.add(frame = walk.next(), "frame");
  const std::vector<Vec3> end = frame.positions;
  const std::vector<Vec3> begin = Frame(other.next()).positions;
  for (int t = 1; t < frames; ++t) {
    frame.positions = other.next().positions;
    for (std::size_t i = 0; i < end.size(); ++i) frame.positions[i] += end[i] - begin[i];
    msd.add(frame, "frame");
  }
  return msd.curve("Li", 100);
}

TEST(Steadiness, StretchesFillTheRun) {
  for (const int frames : {5, 6, 9, 40, 1000}) {
    const MsdCurve curve = curve_of({}, {}, 1, frames);
    const std::size_t covered = curve.stretch_msd_A2.size() * curve.stretch_frames;
    EXPECT_LE(covered, curve.n_frames - 1);
    EXPECT_GT(covered + curve.stretch_frames, curve.n_frames - 1);
    EXPECT_GE(curve.stretch_msd_A2.size(), std::min<std::size_t>(8, curve.n_frames - 1));
    EXPECT_LE(curve.stretch_msd_A2.size(), 15U);
  }
}

TEST(Steadiness, PaceIsThatOfTheWalk) {
  const WalkOptions options{.jumps_per_frame = 0.05, .vibration_A = 0};
  const Steadiness s = steadiness(curve_of(options, options, 3));
  const double D = LatticeWalk::D(options) / 100 * 0.1;  // Å² a frame of 100 fs in cm²/s
  EXPECT_NEAR(0.5 * (s.early_cm2_per_s + s.late_cm2_per_s), D, 0.15 * D);
}

TEST(Steadiness, RaisesFewFalseAlarms) {
  constexpr int n = 400;
  int alarms = 0;
  for (std::uint64_t seed = 0; seed < n; ++seed) {
    const WalkOptions options{
        .n_ions = 8, .jumps_per_frame = seed % 2 == 0 ? 0.002 : 0.05, .back = seed % 4 < 2 ? 0.0 : 0.6};
    alarms += steadiness(curve_of(options, options, seed, 150)).changed() ? 1 : 0;
  }
  EXPECT_LE(alarms, 12);  // 1 %: 4 expected, 12 with a probability below 0.001
}

TEST(Steadiness, FindsACrystalThatMelts) {
  const WalkOptions before{.jumps_per_frame = 0.01}, after{.jumps_per_frame = 0.05};
  int found = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Steadiness s = steadiness(curve_of(before, after, seed));
    found += s.changed() && s.late_cm2_per_s > 2 * s.early_cm2_per_s ? 1 : 0;
    EXPECT_THAT(s.verdict(), s.changed() ? HasSubstr("the pace of the ions changed") : HasSubstr(""));
  }
  EXPECT_EQ(found, 20);
}

TEST(Steadiness, LeavesShortRunsAndReplicasAlone) {
  EXPECT_TRUE(std::isnan(steadiness(curve_of({}, {}, 1, 3)).p_value));
  const MsdCurve one = curve_of({}, {}, 1, 100), other = curve_of({}, {}, 2, 100);
  const Steadiness s = steadiness(join_replicas({one, other}));
  EXPECT_TRUE(std::isnan(s.p_value));
  EXPECT_THAT(s.verdict(), IsEmpty());
}

}  // namespace
}  // namespace solion::transport
