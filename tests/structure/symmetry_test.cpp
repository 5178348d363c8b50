// Which setting of a space group a name means.
#include "solion/structure/symmetry.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

#include "solion/base/log.hpp"
#include "solion/structure/crystal.hpp"

namespace solion {
namespace {

using Settings = std::vector<int>;

TEST(FindSettings, SymbolsAsFilesWriteThem) {
  // Numbers of Hall's table (International Tables B, A1.4.2.7): 488 is P 63/m m c, 82 is P 1 21/n 1, 460 and
  // 461 are R -3 c on hexagonal and rhombohedral axes, 525 and 526 are F d -3 m with origins 1 and 2.
  for (const char* name : {"P63/mmc", "P 63/m m c", "P 6_3/m m c", "P 63/m 2/m 2/c", "p63/MMC"})
    EXPECT_EQ(find_settings("", name, ""), Settings{488}) << name;
  EXPECT_EQ(find_settings("", "P 21/c", ""), Settings{81});
  EXPECT_EQ(find_settings("", "P 21/n", "14"), Settings{82});
  EXPECT_EQ(find_settings("", "P 1 21/n 1", ""), Settings{82});
  EXPECT_EQ(find_settings("", "P 21/a", ""), Settings{83});
  EXPECT_EQ(find_settings("", "I 2/m", ""), Settings{65});
  EXPECT_EQ(find_settings("", "P 1 1 21/b", ""), Settings{86});
  EXPECT_EQ(find_settings("", "P 21/b", ""), Settings{86});
  EXPECT_EQ(find_settings("", "Pbnm", "62"), Settings{294});
  for (const char* name : {"R -3 c :H", "R -3 c H", "R-3c:h"})
    EXPECT_EQ(find_settings("", name, ""), Settings{460});
  EXPECT_EQ(find_settings("", "R -3 c :R", "167"), Settings{461});
  for (const char* name : {"F d -3 m :2", "F d -3 m Z", "FD-3M:2"})
    EXPECT_EQ(find_settings("", name, ""), Settings{526});
  EXPECT_EQ(find_settings("", "F d -3 m :1", ""), Settings{525});
  EXPECT_EQ(find_settings("", "F d -3 m", "227"), (Settings{525, 526}));
  EXPECT_EQ(find_settings("", "F M -3 M", ""), Settings{523});
}

TEST(FindSettings, WhatOneNameLeavesOpenAnotherSays) {
  EXPECT_EQ(find_settings("-F 4vw 2vw 3", "F d -3 m", "227"), Settings{526});
  EXPECT_EQ(find_settings("P 32", "", "145"), Settings{432});  // without blanks also Hall's P 3 2
  EXPECT_EQ(find_settings("", "odd name", "194"), Settings{488});
  EXPECT_EQ(find_settings("", "", "221").size(), 1U);
  EXPECT_TRUE(find_settings("", "Qm3", "").empty());
  EXPECT_TRUE(find_settings("", "F d -3 m :3", "").empty());
}

TEST(FindSettings, EveryFullNameIsFound) {
  // With its number and origin every setting but those of equal names is found by its own full symbol.
  EXPECT_EQ(find_settings("", "P 2/n 2/n 2/n :1", "48"), Settings{228});
  EXPECT_EQ(find_settings("", "C 1 2/c 1", "15"), Settings{90});
  EXPECT_EQ(find_settings("", "A 2/a", "15"), Settings{93});
}

TEST(FindSymmetry, SaysOnceWhatRoundedPositionsHide) {
  Frame frame = known_crystal("li3ocl").frame;
  frame.positions[0] += Vec3(0.004, 0, 0);
  std::ostringstream said;
  const auto before = log().sinks();
  log().sinks() = {std::make_shared<spdlog::sinks::ostream_sink_mt>(said)};
  EXPECT_LT(find_symmetry(frame).operations.size(), 48U);
  const std::string text = said.str();
  EXPECT_LT(find_symmetry(frame).operations.size(), 48U);
  EXPECT_EQ(find_symmetry(frame, 0.01).space_group, 221);
  EXPECT_EQ(find_symmetry(known_crystal("li3obr").frame).space_group, 221);
  log().sinks() = before;
  EXPECT_NE(text.find("symmetry of Li3 O1 Cl1: "), std::string::npos) << text;
  EXPECT_NE(text.find("but Pm-3m (221), 48 at 0.01 Å"), std::string::npos) << text;
  EXPECT_EQ(said.str(), text);
}

}  // namespace
}  // namespace solion
