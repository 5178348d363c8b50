// Fuzzes the reader of extxyz.
#include "solion/io/extxyz.hpp"

#include "reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  solion::io::ReadOptions options;
  options.accept_any_density = size % 2 == 0;
  return solion::io::fuzz_reader(data, size, options, solion::io::read_extxyz);
}
