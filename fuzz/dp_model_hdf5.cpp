// Fuzzes the reader of Deep Potential models in HDF5. The library itself (1.10) overruns its buffers on
// damaged files: look at the stack of a find before blaming this program.
#include "memory_file.hpp"
#include "solion/base/errors.hpp"
#include "solion/dp/model_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const solion::MemoryFile file({reinterpret_cast<const char*>(data), size}, "model.dp");
  try {
    solion::dp::read_model(file.path());
  } catch (const solion::InputError&) {  // the expected end
  }
  return 0;
}
