// MSD curves against their definition, and what must not change them: wrapping, a breathing cell, a drift.
#include "solion/transport/msd.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/transport/msd_analysis.hpp"
#include "transport/synthetic.hpp"

namespace solion::transport {
namespace {

using testing::HasSubstr;
using testing_tools::LatticeWalk;
using testing_tools::WalkOptions;

MsdOptions lithium() { return {.framework = {}, .mobile = {"Li"}, .remove_drift = true, .unwrap = {}}; }

std::vector<Frame> walk_frames(const WalkOptions& options, int n, std::uint64_t seed = 3) {
  LatticeWalk walk(options, seed);
  std::vector<Frame> frames(static_cast<std::size_t>(n));
  for (Frame& frame : frames) frame = walk.next();
  return frames;
}

MsdCurve msd_of(const std::vector<Frame>& frames, const MsdOptions& options = lithium()) {
  MsdAccumulator msd(options);
  for (std::size_t t = 0; t < frames.size(); ++t) msd.add(frames[t], fmt::format("frame {}", t));
  return msd.curve("Li", 2.0);
}

std::string refusal(const std::vector<Frame>& frames, const MsdOptions& options = lithium()) {
  try {
    msd_of(frames, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

/// Small steps, so that a frame without image flags can be unwrapped.
WalkOptions gentle() {
  WalkOptions o;
  o.n_ions = 5;
  o.jumps_per_frame = 0.1;
  return o;
}

TEST(Msd, IsTheMeanOverOriginsOfItsDefinition) {
  const auto frames = walk_frames(gentle(), 301);
  const MsdCurve curve = msd_of(frames);
  ASSERT_GT(curve.lag_frames.size(), 40U);
  EXPECT_EQ(curve.lag_frames[0], 1U);
  EXPECT_EQ(curve.lag_frames[16], 18U);
  EXPECT_GE(curve.lag_frames.back(), 256U);
  std::vector<Vec3> mean(frames.size(), Vec3::Zero());
  for (std::size_t t = 0; t < frames.size(); ++t)
    for (std::size_t i = 5; i < 9; ++i) mean[t] += frames[t].positions[i] / 4;
  for (std::size_t l = 0; l < curve.lag_frames.size(); ++l) {
    const std::size_t lag = curve.lag_frames[l];
    std::size_t stride = 1;
    while (lag / stride > 16) stride *= 2;
    double sum = 0, fourth = 0, collective = 0, count = 0;
    for (std::size_t t = lag; t < frames.size(); ++t) {
      if (t % stride != 0) continue;
      Vec3 total = Vec3::Zero();
      for (std::size_t i = 0; i < 5; ++i) {
        const Vec3 d = frames[t].positions[i] - mean[t] - frames[t - lag].positions[i] + mean[t - lag];
        sum += d.squaredNorm() / 5;
        fourth += d.squaredNorm() * d.squaredNorm() / 5;
        total += d;
      }
      collective += total.squaredNorm() / 5;
      count += 1;
    }
    EXPECT_EQ(static_cast<double>(curve.n_origins[l]), count) << "lag " << lag;
    EXPECT_NEAR(curve.msd_A2[l], sum / count, 1e-9 * sum / count) << "lag " << lag;
    EXPECT_NEAR(curve.variance_A4[l], fourth / count - std::pow(sum / count, 2), 1e-9 * fourth / count);
    EXPECT_NEAR(curve.collective_A2[l], collective / count, 1e-9 * collective / count);
    EXPECT_NEAR(curve.ion_msd_A2.row(static_cast<Eigen::Index>(l)).mean(), curve.msd_A2[l], 1e-9);
    EXPECT_EQ(curve.time_fs[l], 2.0 * static_cast<double>(lag));
  }
}

TEST(Msd, IsTheSameWrappedUnwrappedAndWithImageFlags) {
  const auto plain = walk_frames(gentle(), 400);
  auto flagged = plain, wrapped = plain;
  for (Frame& frame : flagged) wrap(frame);
  for (Frame& frame : wrapped) {
    wrap(frame);
    frame.images.clear();
  }
  const MsdCurve a = msd_of(plain), b = msd_of(flagged), c = msd_of(wrapped);
  ASSERT_EQ(a.msd_A2.size(), c.msd_A2.size());
  for (std::size_t l = 0; l < a.msd_A2.size(); ++l) {
    EXPECT_NEAR(b.msd_A2[l], a.msd_A2[l], 1e-9 * a.msd_A2[l]);
    EXPECT_NEAR(c.msd_A2[l], a.msd_A2[l], 1e-9 * a.msd_A2[l]);
  }
}

TEST(Msd, DoesNotFeelARigidDrift) {
  WalkOptions drifting = gentle();
  drifting.drift_A = 0.05;
  const MsdCurve still = msd_of(walk_frames(gentle(), 300)), moved = msd_of(walk_frames(drifting, 300));
  for (std::size_t l = 0; l < still.msd_A2.size(); ++l)
    EXPECT_NEAR(moved.msd_A2[l], still.msd_A2[l], 1e-9 * still.msd_A2[l]);
  MsdOptions raw = lithium();
  raw.remove_drift = false;
  EXPECT_GT(msd_of(walk_frames(drifting, 300), raw).msd_A2.back(), 100.0);
}

TEST(Msd, OfAFrozenLatticeInABreathingTriclinicCellIsZero) {
  RandomStream random(1, "breathing");
  Mat3 h;
  h << 10, 0, 0, 2, 9, 0, 1, -1, 8;
  std::vector<Vec3> fractional(6);
  for (Vec3& f : fractional) f = {3 * random.uniform(), -2 * random.uniform(), random.uniform()};
  std::vector<Frame> frames;
  for (int t = 0; t < 100; ++t) {
    Mat3 strain = Mat3::Identity();
    for (double& e : strain.reshaped()) e += 0.01 * random.normal();
    Frame frame;
    frame.cell = Cell(Mat3(h * strain));
    for (int i = 0; i < 6; ++i)
      frame.add_atom(i < 3 ? "Li" : "O", frame.cell->to_cartesian(fractional[static_cast<std::size_t>(i)]));
    frame.positions[0][0] += 1e-9 * t;  // no two frames alike
    frames.push_back(frame);
  }
  const MsdCurve curve = msd_of(frames);
  for (const double msd : curve.msd_A2) EXPECT_LT(msd, 1e-12);
}

TEST(Msd, MeasuresADisplacementInTheMeanOfTheTwoCells) {
  Frame first;
  first.cell = Cell::cubic(10);
  first.add_atom("Li", Vec3(1, 1, 1));
  first.add_atom("O", Vec3(5, 5, 5));
  Frame second = first;
  second.cell = Cell::cubic(12);
  second.positions = {Vec3(1.2 + 1.2, 1.2, 1.2), Vec3(6, 6, 6)};  // moved by 0.1 of a cell of 10, then 12 Å
  EXPECT_NEAR(msd_of({first, second}).msd_A2[0], 1.1 * 1.1, 1e-12);
}

TEST(Msd, RefusesWhatIsNoTrajectory) {
  const auto good = walk_frames(gentle(), 60);
  auto bad = good;
  bad[30].add_atom("Li", Vec3::Zero());
  EXPECT_THAT(refusal(bad), AllOf(HasSubstr("frame 30"), HasSubstr("10 atoms")));
  bad = good;
  std::swap(bad[30].types[0], bad[30].types[8]);
  EXPECT_THAT(refusal(bad), AllOf(HasSubstr("frame 30"), HasSubstr("atom 1 is O")));
  bad = good;
  bad[30] = bad[29];
  EXPECT_THAT(refusal(bad), HasSubstr("twice"));
  bad = good;
  bad[30].cell.reset();
  EXPECT_THAT(refusal(bad), HasSubstr("lacks a cell"));
  bad = good;
  wrap(bad[30]);
  EXPECT_THAT(refusal(bad), HasSubstr("image flags"));
  bad = good;
  bad[30].positions[2][1] = std::nan("");
  EXPECT_THAT(refusal(bad), HasSubstr("not a finite number"));
  EXPECT_THAT(refusal({good[0]}), HasSubstr("1 frames"));
  EXPECT_THAT(refusal(good, {.framework = {}, .mobile = {"Na"}, .remove_drift = true, .unwrap = {}}),
              AllOf(HasSubstr("'Na'"), HasSubstr("Li, O")));
  EXPECT_THAT(refusal(good, {.framework = {}, .mobile = {"Li", "O"}, .remove_drift = true, .unwrap = {}}),
              HasSubstr("no framework"));
}

TEST(Msd, RefusesAtomsThatJumpTooFarToBeFollowed) {
  auto frames = walk_frames(gentle(), 20);
  for (Frame& frame : frames) frame.positions[0] = Vec3(5, 5, 5);
  frames[9].positions[0] += Vec3(0, 0, 0.45 * 16.59);
  EXPECT_THAT(refusal(frames), AllOf(HasSubstr("frame 9"), HasSubstr("0.45 of the cell")));
}

TEST(Msd, RefusesFramesOutOfOrder) {
  auto frames = walk_frames(gentle(), 20);
  for (std::size_t t = 0; t < frames.size(); ++t) frames[t].info["timestep"] = std::to_string(100 * t);
  EXPECT_EQ(refusal(frames), "accepted");
  auto bad = frames;
  std::swap(bad[7], bad[8]);
  EXPECT_THAT(refusal(bad), HasSubstr("frame 7"));
  bad = frames;
  bad.erase(bad.begin() + 7);
  EXPECT_THAT(refusal(bad), HasSubstr("frames are missing"));
  bad = frames;
  bad[7].info["timestep"] = "600";
  EXPECT_THAT(refusal(bad), HasSubstr("repeated or out of order"));
}

TEST(Msd, RefusesResetImageFlagsAndRenumberedAtoms) {
  WalkOptions options = gentle();
  options.jumps_per_frame = 1e-6;
  options.n_framework = 40;
  auto frames = walk_frames(options, 30);
  auto bad = frames;
  for (std::size_t t = 0; t < bad.size(); ++t) {
    bad[t].images.assign(bad[t].n_atoms(), Int3::Zero());
    if (t < 15) bad[t].images[3] = Int3(0, 1, 0);
  }
  EXPECT_THAT(refusal(bad), AllOf(HasSubstr("frame 15"), HasSubstr("image flags were reset")));
  bad = frames;
  // Only possible to see where steps are known; atoms sit closer than 0.4 of the cell by construction here.
  for (Frame& frame : bad) frame.images.assign(frame.n_atoms(), Int3::Zero());
  std::rotate(bad[15].positions.begin() + 5, bad[15].positions.begin() + 6, bad[15].positions.end());
  EXPECT_THAT(refusal(bad), AllOf(HasSubstr("frame 15"), HasSubstr("renumbered")));
}

TEST(Msd, GoesOnAcrossFilesThatShareAFrame) {
  const auto frames = walk_frames(gentle(), 100);
  MsdAccumulator parts(lithium());
  for (std::size_t t = 0; t <= 50; ++t) parts.add(frames[t], "first");
  parts.next_part();
  for (std::size_t t = 50; t < 100; ++t) parts.add(frames[t], "second");
  EXPECT_EQ(parts.n_frames(), 100U);
  EXPECT_EQ(parts.curve("Li", 2.0).msd_A2, msd_of(frames).msd_A2);
}

TEST(Msd, JoinsReplicasAsMoreIons) {
  const MsdCurve a = msd_of(walk_frames(gentle(), 200, 1)), b = msd_of(walk_frames(gentle(), 260, 2));
  const MsdCurve joined = join_replicas({a, b});
  EXPECT_EQ(joined.n_ions, 10U);
  EXPECT_EQ(joined.n_frames, 200U);
  for (std::size_t l = 0; l < joined.msd_A2.size(); ++l) {
    EXPECT_NEAR(joined.msd_A2[l], 0.5 * (a.msd_A2[l] + b.msd_A2[l]), 1e-12);
    EXPECT_NEAR(joined.ion_msd_A2.row(static_cast<Eigen::Index>(l)).mean(), joined.msd_A2[l], 1e-9);
  }
}

TEST(Msd, TakesWalkersThatRestForAFrame) {
  WalkOptions still = gentle();
  still.vibration_A = 0;
  still.jumps_per_frame = 0.02;
  EXPECT_EQ(msd_of(walk_frames(still, 200)).n_frames, 200U);
  auto frames = walk_frames(gentle(), 50);
  frames.insert(frames.begin() + 1,
                frames[0]);  // where all atoms vibrate, two alike are an error from the start
  EXPECT_THAT(refusal(frames), HasSubstr("frame 1: no atom has moved"));
}

/// Two species that walk in one framework of oxygen.
std::vector<Frame> two_species(double slow, double fast, int n) {
  WalkOptions o;
  o.n_ions = 20;
  o.n_framework = 20;
  o.jumps_per_frame = slow;
  std::vector<Frame> frames = walk_frames(o, n, 5);
  o.jumps_per_frame = fast;
  o.n_framework = 0;
  const std::vector<Frame> second = walk_frames(o, n, 6);
  for (std::size_t t = 0; t < frames.size(); ++t) {
    for (const Vec3& r : second[t].positions) frames[t].add_atom("Na", r);
    frames[t].images.assign(frames[t].n_atoms(), Int3::Zero());
  }
  return frames;
}

MsdReport report_of(const std::vector<Frame>& frames, const std::vector<std::string>& framework) {
  MsdAnalysis msd({.species = "Li", .framework = framework});
  for (std::size_t t = 0; t < frames.size(); ++t) msd.add(frames[t], fmt::format("frame {}", t));
  return msd.report(10);
}

TEST(Msd, SaysWhereTheFrameworkWalks) {
  const auto frames = two_species(0.02, 0.1, 3000);
  const MsdReport all = report_of(frames, {});
  ASSERT_EQ(all.moving_framework.size(), 1U);  // oxygen rests, though the mean of the two does not
  EXPECT_EQ(all.moving_framework[0].first, "Na");
  EXPECT_GT(all.moving_framework[0].second, 500);
  EXPECT_LT(all.collective.haven_ratio, 0.7);  // 1, were the drift that of the crystal
  EXPECT_THAT(text(all), HasSubstr("the framework is not at rest: Na by"));
  EXPECT_TRUE(to_json(all)["moving_framework_msd_A2"].contains("Na"));
  const MsdReport oxygen = report_of(frames, {"O"});
  EXPECT_TRUE(oxygen.moving_framework.empty());
  EXPECT_THAT(text(oxygen), testing::Not(HasSubstr("not at rest")));
  // A walk that does not count beside the ions' own is not worth a word.
  EXPECT_TRUE(report_of(two_species(0.1, 0.001, 3000), {}).moving_framework.empty());
}

TEST(Msd, CountsOnlyTheAxesAsked) {
  WalkOptions flat = gentle();
  flat.n_dimensions = 2;
  flat.vibration_A = 0.01;
  const auto frames = walk_frames(flat, 300);
  MsdOptions options = lithium();
  options.axes = {true, true, false};
  const MsdCurve plane = msd_of(frames, options);
  EXPECT_EQ(plane.n_dimensions, 2U);
  const MsdCurve space = msd_of(frames);
  options.axes = {false, false, true};
  const MsdCurve line = msd_of(frames, options);
  for (std::size_t l = 0; l < space.msd_A2.size(); ++l)
    EXPECT_NEAR(space.msd_A2[l], plane.msd_A2[l] + line.msd_A2[l], 1e-10 * space.msd_A2[l]);
}

}  // namespace
}  // namespace solion::transport
