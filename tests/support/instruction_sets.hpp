// Runs a check with every instruction set that the kernels are compiled for and this processor has.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "solion/nn/instruction_set.hpp"

namespace solion::testing {

template <typename Check>
void with_every_instruction_set(const Check& check) {
  struct Restore {
    std::string before = nn::instruction_set();
    ~Restore() { nn::use_instruction_set(before); }
  } restore;
  for (const std::string& name : nn::instruction_sets()) {
    SCOPED_TRACE(name);
    nn::use_instruction_set(name);
    ASSERT_EQ(nn::instruction_set(), name);
    check();
  }
}

}  // namespace solion::testing
