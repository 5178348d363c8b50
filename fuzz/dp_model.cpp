// Fuzzes the reader of Deep Potential models: HDF5 by its signature, YAML otherwise.
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dp/model_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // The HDF5 library reads files; the temporary folder is usually memory.
  static const std::filesystem::path base =
      std::filesystem::temp_directory_path() / ("fuzz_dp_model_" + std::to_string(::getpid()));
  std::filesystem::path path = base;
  path += bytes.starts_with("\x89HDF") ? ".dp" : ".yaml";
  solion::write_file(path, bytes);
  try {
    solion::dp::read_model(path);
  } catch (const solion::InputError&) {  // the expected end
  }
  std::filesystem::remove(path);
  return 0;
}
