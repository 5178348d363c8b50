// What Green–Kubo refuses: velocities that contradict the displacements, or no temperature of a crystal.
#include "solion/transport/green_kubo.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion::transport {
namespace {

using testing::HasSubstr;

constexpr double tau_fs = 50, sigma = 0.0085;  // of the velocity a component, Å/fs: Li at 600 K

/// 20 Li with velocities of an Ornstein–Uhlenbeck process, frames `interval_fs` apart, and two O at rest.
class Ions {
 public:
  Ions(double interval_fs, double noise_A) : interval_fs_(interval_fs), noise_A_(noise_A) {
    frame.cell = Cell::cubic(20);
    for (int i = 0; i < 22; ++i) {
      const int row = i / 5;
      frame.add_atom(i < 20 ? "Li" : "O", Vec3(i % 5, row, 0) * 3.0);
    }
    frame.velocities.assign(22, Vec3::Zero());
    for (std::size_t i = 0; i < 20; ++i) frame.velocities[i] = sigma * kick();
  }
  void step() {
    const double keep = std::exp(-interval_fs_ / tau_fs);
    for (std::size_t i = 0; i < 20; ++i) {
      const Vec3 before = frame.velocities[i];
      frame.velocities[i] = keep * before + sigma * std::sqrt(1 - keep * keep) * kick();
      frame.positions[i] += 0.5 * interval_fs_ * (before + frame.velocities[i]) + noise_A_ * kick();
      Int3 image = Int3::Zero();
      frame.cell->wrap(frame.positions[i], image);  // as files are
    }
  }
  Frame frame;

 private:
  Vec3 kick() { return {random_.normal(), random_.normal(), random_.normal()}; }
  double interval_fs_, noise_A_;
  RandomStream random_{3, "ions with velocities"};
};

struct Told {
  double true_interval_fs = 5, interval_fs = 5;
  double velocity_scale = 1;
  double noise_A = 0;  ///< of the positions
  int gap_at = -1;     ///< 40 frames are lost there
};

/// The message for 120 frames of which the file tells so, or "accepted".
std::string message(const Told& told) {
  Ions ions(told.true_interval_fs, told.noise_A);
  GreenKuboAccumulator green_kubo({.species = "Li", .framework = {}, .length_fs = 10 * told.interval_fs},
                                  told.interval_fs);
  try {
    for (int t = 0; t < 120; ++t) {
      for (int k = 0; t == told.gap_at && k < 40; ++k) ions.step();
      Frame written = ions.frame;
      for (Vec3& v : written.velocities) v *= told.velocity_scale;
      green_kubo.add(written, fmt::format("gk.xyz: frame {}", t + 1));
      ions.step();
    }
    static_cast<void>(green_kubo.result());
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(GreenKuboChecks, AcceptVelocitiesThatFitTheDisplacements) {
  EXPECT_EQ(message({}), "accepted");
  EXPECT_EQ(message({.noise_A = 0.005}), "accepted");
  EXPECT_EQ(message({.true_interval_fs = 1, .interval_fs = 1, .noise_A = 0.01}), "accepted");
}

TEST(GreenKuboChecks, RefuseAnotherUnitOrInterval) {
  const std::string unit = message({.velocity_scale = 1000});
  EXPECT_THAT(unit, HasSubstr("gk.xyz: frame 21: between frames ions move 0.001 times as far"));
  EXPECT_THAT(unit, HasSubstr("in another unit"));
  const std::string interval = message({.interval_fs = 50});
  EXPECT_THAT(interval, HasSubstr("ions move 0.1 times as far"));
  EXPECT_THAT(interval, HasSubstr("are frames not 50 fs but 5 fs apart"));
  EXPECT_THAT(message({.velocity_scale = 0.7}), HasSubstr("expected 0.8 to 1.2"));
}

TEST(GreenKuboChecks, SayNothingWhereFramesAreTooFarApart) {
  // Velocities 200 fs apart have forgotten each other, so that an interval of 400 fs cannot be told from
  // them.
  EXPECT_EQ(message({.true_interval_fs = 200, .interval_fs = 400}), "accepted");
}

TEST(GreenKuboChecks, FindFramesThatAreMissing) {
  EXPECT_THAT(message({.gap_at = 60}), HasSubstr("gk.xyz: frame 61: ions moved"));
}

TEST(GreenKuboChecks, RefuseVelocitiesOfNoTemperature) {
  EXPECT_THAT(message({.velocity_scale = 0}), HasSubstr("all velocities of Li are zero"));
  // Where displacements tell nothing, the temperature still does.
  const Told far{.true_interval_fs = 200, .interval_fs = 200};
  Told hot = far, cold = far;
  hot.velocity_scale = 1000;
  cold.velocity_scale = 0.001;
  EXPECT_EQ(message(far), "accepted");
  EXPECT_THAT(message(hot), HasSubstr("K; expected 0.1 to 1e+06 K"));
  EXPECT_THAT(message(cold), HasSubstr("K; expected 0.1 to 1e+06 K"));
}

}  // namespace
}  // namespace solion::transport
