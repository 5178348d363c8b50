// Fuzzes the reader of npy arrays.
#include "solion/io/npy.hpp"

#include <cstdint>

#include "solion/base/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    solion::io::parse_npy({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const solion::InputError&) {  // the expected end
  }
  return 0;
}
