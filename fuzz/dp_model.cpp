// Fuzzes the reader of Deep Potential models in YAML; a model in HDF5 is the same tree (dp_model_hdf5.cpp).
#include "memory_file.hpp"
#include "solion/base/errors.hpp"
#include "solion/dp/model_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const solion::MemoryFile file({reinterpret_cast<const char*>(data), size}, "model.yaml");
  try {
    solion::dp::read_model(file.path());
  } catch (const solion::InputError&) {  // the expected end
  }
  return 0;
}
