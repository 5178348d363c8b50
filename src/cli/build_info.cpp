// CMake hands over what it knew; commit.hpp is written at every build and changes only with the commit.
#include "cli/build_info.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/commit.hpp"
#include "solion/base/version.hpp"
#include "solion/nn/instruction_set.hpp"

namespace solion::cli {

Json build_info() {
  return {{"version", version()},         {"commit", commit},          {"build_type", SOLION_BUILD_TYPE},
          {"compiler", SOLION_COMPILER},  {"runs_on", SOLION_RUNS_ON}, {"kernels", nn::instruction_set()},
          {"libraries", SOLION_LIBRARIES}};
}

std::string build_text() {
  return fmt::format(
      "solion {}\ncommit     {}\nbuild      {}, {}, for {}\nkernels    {} (of {})\nlibraries  {}", version(),
      commit, SOLION_BUILD_TYPE, SOLION_COMPILER, SOLION_RUNS_ON, nn::instruction_set(),
      fmt::join(nn::instruction_sets(), ", "), SOLION_LIBRARIES);
}

}  // namespace solion::cli
