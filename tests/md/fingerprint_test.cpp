// Which keys two inputs differ in, in the words of the input.
#include <gtest/gtest.h>

#include "solion/md/settings.hpp"

namespace solion::md {
namespace {

TEST(Fingerprint, NamesWhatDiffers) {
  Settings a;
  a.ensemble = Ensemble::nvt;
  a.thermostat = Thermostat::csvr;
  a.stages = {{100, 300, 300}};
  Outputs files;
  files.trajectories.resize(1);
  files.trajectories[0].file = "seed";  // a word of the fingerprint itself
  const std::string then = fingerprint(a, files);
  EXPECT_EQ(fingerprint_difference(then, then), "");
  Settings b = a;
  b.ensemble = Ensemble::npt;
  b.thermostat = Thermostat::langevin;
  b.timestep_fs = a.timestep_fs + 1;
  const std::string difference = fingerprint_difference(then, fingerprint(b, files));
  EXPECT_EQ(
      difference.find("ensemble: nvt then, npt now; thermostat: csvr then, langevin now; timestep_fs: "), 0U)
      << difference;
  const std::string without = fingerprint_difference(then, fingerprint(a, {}));
  EXPECT_NE(without.find("[[trajectory]]: "), std::string::npos) << without;
  EXPECT_NE(without.find(" then, not there now"), std::string::npos) << without;
}

}  // namespace
}  // namespace solion::md
