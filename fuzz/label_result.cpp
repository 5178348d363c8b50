// Fuzzes the reader of the results that reference codes leave.
#include <cstdint>

#include "solion/base/errors.hpp"
#include "solion/reference/calculator.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    solion::reference::parse_result({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const solion::InputError&) {  // the expected end
  }
  return 0;
}
