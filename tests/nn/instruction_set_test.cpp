// What there is, what is chosen, and names that do not exist.
#include "solion/nn/instruction_set.hpp"

#include <gmock/gmock.h>

#include "solion/base/errors.hpp"
#include "support/instruction_sets.hpp"

namespace solion::nn {
namespace {

using ::testing::HasSubstr;

TEST(InstructionSet, TheBestIsInUse) {
  ASSERT_FALSE(instruction_sets().empty());
  EXPECT_EQ(instruction_set(), instruction_sets().front());
}

TEST(InstructionSet, AnyThatThereIsCanBeAskedFor) {
  const std::vector<std::string> all = instruction_sets();
  std::vector<std::string> used;
  testing::with_every_instruction_set([&] { used.push_back(instruction_set()); });
  EXPECT_EQ(used, all);
  EXPECT_EQ(instruction_set(), all.front());
  EXPECT_EQ(instruction_sets(), all);
}

TEST(InstructionSet, AnUnknownOneIsRefusedWithThoseThereAre) {
  const std::string before = instruction_set();
  try {
    use_instruction_set("altivec");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"altivec\""));
    EXPECT_THAT(error.what(), HasSubstr(before));
  }
  EXPECT_EQ(instruction_set(), before);
}

}  // namespace
}  // namespace solion::nn
