// Fuzzes the readers of XDATCAR ('x' first) and OUTCAR (anything else first).
#include "solion/io/vasp.hpp"

#include "reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  solion::io::ReadOptions options;
  options.accept_any_density = size % 2 == 0;
  return solion::io::fuzz_reader(data + 1, size - 1, options,
                                 *data == 'x' ? solion::io::read_xdatcar : solion::io::read_outcar);
}
