// D of walks with a known answer: coverage of the error bar, bias, bounds, and what is no diffusion.
#include "solion/transport/diffusion.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "transport/synthetic.hpp"

namespace solion::transport {
namespace {

using testing::HasSubstr;
using testing_tools::LatticeWalk;
using testing_tools::walk_msd;
using testing_tools::WalkOptions;

constexpr double unit = constants::A2_per_fs_in_cm2_per_s;
const DiffusionOptions jump{.jump_length_A = 2.765};

struct Coverage {
  double one = 0, two = 0, ions = 0, covariance = 0, bound = 0;  // shares of the walks
  double mean = 0, scatter = 0, mean_std = 0;                    // in units of the true D
  int resolved = 0;
};

/// Fits `n` walks; what is unresolved counts as not covered.
Coverage coverage_of(const WalkOptions& options, int n_frames, int n) {
  const double D = LatticeWalk::D(options) * unit;
  Coverage c;
  double square = 0;
  for (int k = 0; k < n; ++k) {
    const Diffusion d =
        fit_diffusion(walk_msd(options, 1000 + static_cast<std::uint64_t>(k), n_frames), jump);
    c.bound += d.bound >= D ? 1.0 / n : 0;
    c.mean += d.slope_D / D / n;
    square += std::pow(d.slope_D / D, 2) / n;
    if (!d.resolved) continue;
    ++c.resolved;
    c.mean_std += d.std / D / n;
    c.one += std::abs(d.D - D) <= d.std ? 1.0 / n : 0;
    c.two += d.interval_95[0] <= D && D <= d.interval_95[1] ? 1.0 / n : 0;
    c.ions += std::abs(d.D - D) <= d.std_ions ? 1.0 / n : 0;
    c.covariance += std::abs(d.D - D) <= d.std_covariance ? 1.0 / n : 0;
  }
  c.scatter = std::sqrt(square - c.mean * c.mean);
  fmt::print(
      "{} walks of {} ions, {} frames, {} jumps a frame, back {}: resolved {}, D/D_true {:.4f} ± {:.4f} "
      "(mean error "
      "bar {:.4f}), covered by std {:.3f} (ions alone {:.3f}, covariance alone {:.3f}), by 95 % {:.3f}, "
      "bound holds "
      "{:.3f}\n",
      n, options.n_ions, n_frames, options.jumps_per_frame, options.back, c.resolved, c.mean, c.scatter,
      c.mean_std, c.one, c.ions, c.covariance, c.two, c.bound);
  return c;
}

WalkOptions walk(int n_ions, double jumps_per_frame, double back) {
  WalkOptions options;
  options.n_ions = n_ions;
  options.jumps_per_frame = jumps_per_frame;
  options.back = back;
  return options;
}

TEST(Diffusion, ErrorBarsCoverTheTruth) {
  for (const auto& [options, frames] :
       {std::pair{walk(24, 0.04, 0.3), 1000}, std::pair{walk(72, 0.04, 0), 600}}) {
    constexpr int n = 300;
    const Coverage c = coverage_of(options, frames, n);
    EXPECT_EQ(c.resolved, n);
    EXPECT_NEAR(c.one, 0.68, 0.08);
    EXPECT_NEAR(c.two, 0.95, 0.04);  // three binomial deviations
    EXPECT_NEAR(c.mean, 1.0, 0.03);
    EXPECT_GE(c.bound, 0.95 - 0.04);
  }
}

TEST(Diffusion, ErrorBarsCoverTheTruthInManyRegimes) {
  const char* asked = std::getenv("SOLION_COVERAGE_WALKS");
  if (asked == nullptr) GTEST_SKIP() << "needs SOLION_COVERAGE_WALKS=1000 and some minutes";
  const int n = std::atoi(asked);
  for (const double back : {0.0, 0.3}) {
    for (const auto& [ions, rate, frames] :
         {std::tuple{24, 0.04, 1000}, std::tuple{96, 0.02, 1500}, std::tuple{200, 0.005, 800}}) {
      const Coverage c = coverage_of(walk(ions, rate, back), frames, n);
      EXPECT_GE(c.bound, 0.95 - 0.04);
      if (back > 0 && rate * frames < 5) {
        // Four hops an ion in all: back-jumps are not over when the window starts, and the error bar says so.
        EXPECT_NEAR(c.mean, 1.0, 0.2);
        EXPECT_GE(c.mean_std, 0.15);
        EXPECT_GE(c.two, 0.75);
        continue;
      }
      EXPECT_NEAR(c.one, 0.68, 0.08);
      EXPECT_GE(c.two, 0.95 - 0.04);
      EXPECT_NEAR(c.mean, 1.0, 0.03);
    }
  }
}

TEST(Diffusion, BoundsHoldWhereFewIonsHop) {
  // 24 ions, 400 frames: 0 to 10 hops in all, so that no D can be told.
  for (const double rate : {2e-5, 2e-4, 1e-3}) {
    const WalkOptions options = walk(24, rate, 0);
    const double D = LatticeWalk::D(options) * unit;
    int holds = 0, resolved = 0;
    constexpr int n = 100;
    for (std::uint64_t k = 0; k < n; ++k) {
      const Diffusion d = fit_diffusion(walk_msd(options, k, 400), jump);
      holds += d.bound >= D ? 1 : 0;
      resolved += d.resolved ? 1 : 0;
      EXPECT_TRUE(d.resolved || std::isnan(d.D));
    }
    EXPECT_GE(holds, 90) << rate;  // 95 expected, less two binomial deviations
    EXPECT_LE(resolved, 2) << rate;
  }
}

TEST(Diffusion, OfAVibrationIsABoundAboveZero) {
  const Diffusion d = fit_diffusion(walk_msd(walk(40, 1e-12, 0), 1, 500), jump);
  EXPECT_FALSE(d.resolved);
  EXPECT_TRUE(std::isnan(d.D) && std::isnan(d.std));
  EXPECT_THAT(d.reason, HasSubstr("vibration"));
  const double plateau = 6 * 0.15 * 0.15 * (1 + 1 / 4.0);  // ions, and the mean of four framework atoms
  EXPECT_NEAR(d.window_msd_A2, plateau, 0.05 * plateau);
  EXPECT_GE(d.bound, plateau / (6 * d.window_end_fs) * unit);
  EXPECT_LT(d.bound, 4 * plateau / (6 * d.window_end_fs) * unit);
}

TEST(Diffusion, OfALargeVibrationIsStillNoDiffusion) {
  WalkOptions options = walk(40, 1e-12, 0);
  options.vibration_A = 1.2;
  const Diffusion d = fit_diffusion(walk_msd(options, 1, 500), jump);
  EXPECT_FALSE(d.resolved);
  EXPECT_THAT(d.reason, HasSubstr("plateau"));
}

TEST(Diffusion, OfAGasOfFreeAtomsIsRefused) {
  RandomStream random(4, "gas");
  Frame frame;
  frame.cell = Cell::cubic(20);
  for (int i = 0; i < 60; ++i) {
    frame.add_atom(i < 50 ? "Li" : "O", Vec3(random.uniform(), random.uniform(), random.uniform()) * 20);
    frame.velocities.push_back(i < 50 ? 0.1 * Vec3(random.normal(), random.normal(), random.normal())
                                      : Vec3(1e-3, 0, 0));
  }
  MsdAccumulator msd({.framework = {}, .mobile = {"Li"}, .remove_drift = true, .unwrap = {}});
  double v2 = 0;
  for (std::size_t i = 0; i < 50; ++i) v2 += (frame.velocities[i] - Vec3(1e-3, 0, 0)).squaredNorm() / 50;
  for (int t = 0; t < 400; ++t) {
    msd.add(frame, "gas");
    for (std::size_t i = 0; i < 60; ++i) frame.positions[i] += frame.velocities[i];
  }
  const MsdCurve curve = msd.curve("Li", 1.0);
  for (std::size_t l = 0; l < curve.msd_A2.size(); ++l)
    EXPECT_NEAR(curve.msd_A2[l], v2 * curve.time_fs[l] * curve.time_fs[l], 1e-9 * curve.msd_A2[l]);
  const Diffusion d = fit_diffusion(curve, jump);
  EXPECT_FALSE(d.resolved);
  EXPECT_THAT(d.reason, HasSubstr("ballistic"));
}

TEST(Diffusion, IsNotChangedByABreathingCellOrADrift) {
  WalkOptions options = walk(48, 0.02, 0);
  options.vibration_A = 0.01;
  const Diffusion still = fit_diffusion(walk_msd(options, 8, 1500), jump);
  ASSERT_TRUE(still.resolved);
  options.breathing = 0.01;
  options.drift_A = 0.02;
  const Diffusion moved = fit_diffusion(walk_msd(options, 8, 1500), jump);
  // The strain's own fluctuation, 1 %, enters D only in second order and through the mean cell.
  EXPECT_NEAR(moved.D, still.D, 0.02 * still.D);
}

TEST(Diffusion, TakesTheWindowThatIsAskedFor) {
  const MsdCurve curve = walk_msd(walk(24, 0.04, 0), 2, 1000);
  DiffusionOptions options = jump;
  options.window_start_fs = 50;
  EXPECT_NEAR(fit_diffusion(curve, options).window_start_fs, 50, 5);
  options.window_start_fs = 499;
  EXPECT_THROW(fit_diffusion(curve, options), InputError);
  EXPECT_THROW(fit_diffusion(curve, {}), InputError);
  EXPECT_THROW(fit_diffusion(walk_msd(walk(4, 0.1, 0), 2, 5), jump), InputError);
}

TEST(Conductivity, FollowsNernstEinstein) {
  // 1e22 charges e per cm³ with D = 1e-7 cm²/s at 300 K: n e² D/(k_B T) = 6.2 mS/cm.
  const double expected = 1e28 * std::pow(1.602176634e-19, 2) * 1e-11 / (1.380649e-23 * 300) * 10;
  EXPECT_NEAR(nernst_einstein_mS_per_cm(1e-7, 10, 1, 1000, 300), expected, 1e-12 * expected);
  EXPECT_NEAR(nernst_einstein_mS_per_cm(1e-7, 10, 2, 1000, 300), 4 * expected, 1e-11 * expected);
  EXPECT_THROW(nernst_einstein_mS_per_cm(1e-7, 10, 1, 0, 300), InputError);
  EXPECT_THROW(nernst_einstein_mS_per_cm(1e-7, 10, 1, 1000, 0), InputError);
}

}  // namespace
}  // namespace solion::transport
