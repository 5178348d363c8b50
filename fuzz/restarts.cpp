// Fuzzes the readers of checkpoints (training) and restarts (MD).
#include <cstdint>
#include <string_view>

#include "memory_file.hpp"
#include "solion/base/errors.hpp"
#include "solion/md/restart.hpp"
#include "solion/train/checkpoint.hpp"

namespace {

template <typename Read>
void expect_input_error_or_nothing(const Read& read) {
  try {
    read();
  } catch (const solion::InputError&) {  // the expected end
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const solion::MemoryFile file({reinterpret_cast<const char*>(data), size}, "state");
  expect_input_error_or_nothing([&] { (void)solion::md::read_restart(file.path()); });
  expect_input_error_or_nothing([&] { (void)solion::train::read_checkpoint_head(file.path()); });
  expect_input_error_or_nothing([&] { (void)solion::train::read_checkpoint<float>(file.path()); });
  expect_input_error_or_nothing([&] { (void)solion::train::read_checkpoint<double>(file.path()); });
  return 0;
}
