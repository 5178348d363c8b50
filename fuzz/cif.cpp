// Fuzzes the reader of CIF.
#include "solion/io/cif.hpp"

#include <cstdint>
#include <string>

#include "solion/base/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto reader =
        solion::io::read_cif(std::string(reinterpret_cast<const char*>(data), size), "fuzz", {});
    solion::Frame frame;
    while (reader->next(frame)) {
    }
  } catch (const solion::InputError&) {  // the expected end
  }
  return 0;
}
