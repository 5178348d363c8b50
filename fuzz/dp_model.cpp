// Fuzzes the reader of Deep Potential models: HDF5 by its signature, YAML otherwise.
#include <cstdint>
#include <string_view>

#include "memory_file.hpp"
#include "solion/base/errors.hpp"
#include "solion/dp/model_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const solion::MemoryFile file(bytes, bytes.starts_with("\x89HDF") ? "model.dp" : "model.yaml");
  try {
    solion::dp::read_model(file.path());
  } catch (const solion::InputError&) {  // the expected end
  }
  return 0;
}
