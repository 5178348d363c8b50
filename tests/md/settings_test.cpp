// The input of a run: what is taken with a warning.
#include "solion/md/settings.hpp"

#include <gmock/gmock.h>

#include "io/sample.hpp"

namespace solion::md {
namespace {

using ::testing::HasSubstr;

/// What is logged while an input with this timestep is read.
std::string warning_of(const std::string& timestep_fs) {
  const io::LogCapture messages;
  (void)read_input(
      TomlTable::parse("structure = \"a.xyz\"\npotential = \"p.toml\"\nensemble = \"nve\"\n"
                       "steps = 1e2\ntemperature_K = 300\ntimestep_fs = " +
                           timestep_fs + "\n",
                       "/some/where/md.toml"));
  return messages.text();
}

TEST(Settings, ATimestepInPicosecondsIsAskedAbout) {
  for (const char* usual : {"0.05", "0.1", "2"}) EXPECT_EQ(warning_of(usual), "") << usual;
  const std::string text = warning_of("0.002");
  EXPECT_THAT(text, HasSubstr("md.toml: timestep_fs = 0.002: femtoseconds, not picoseconds?"));
  EXPECT_EQ(text.find("timestep_fs"), text.rfind("timestep_fs"));
}

}  // namespace
}  // namespace solion::md
