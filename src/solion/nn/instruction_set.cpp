// Highway's choice among the compiled targets, and how it is overruled.
#include "solion/nn/instruction_set.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "solion/base/errors.hpp"
#include "solion/base/instruction_sets.hpp"

// Comes after the one above.
#include <fmt/ranges.h>
#include <hwy/highway.h>

namespace solion::nn {
namespace {

/// Compiled and there, the best (the lowest bit) first; asked before any of them is switched off.
const std::vector<std::int64_t>& targets() {
  static const std::vector<std::int64_t> all = [] {
    std::vector<std::int64_t> list;
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) list.push_back(target);
    return list;
  }();
  return all;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c); });
  return out == "AVX512" ? "AVX3" : out;
}

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const std::int64_t target : targets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

std::string instruction_set() {
  (void)targets();
  const std::int64_t in_use = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(in_use & -in_use);
}

void use_instruction_set(std::string_view name) {
  std::int64_t better = 0;
  for (const std::int64_t target : targets()) {
    if (upper(name) == hwy::TargetName(target)) {
      hwy::DisableTargets(better);
      hwy::GetChosenTarget().Update(hwy::SupportedTargets());
      return;
    }
    better |= target;
  }
  throw InputError(fmt::format("no instruction set \"{}\" here; kernels and processor have: {}", name,
                               fmt::join(instruction_sets(), ", ")));
}

void use_instruction_set_of_environment() {
  const char* name = std::getenv("SOLION_INSTRUCTION_SET");
  if (name == nullptr || *name == '\0') return;
  try {
    use_instruction_set(name);
  } catch (const InputError& error) {
    throw InputError(fmt::format("SOLION_INSTRUCTION_SET: {}", error.what()));
  }
}

}  // namespace solion::nn
