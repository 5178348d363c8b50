// Fuzzes the reader of lammps_dump.
#include "solion/io/lammps_dump.hpp"

#include "reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Odd lengths are read with a type map, even ones without.
  solion::io::ReadOptions options;
  if (size % 2 == 1) {
    options.type_names = {"Li", "O", "Cl"};
    options.atom_style = "charge";
  }
  return solion::io::fuzz_reader(data, size, options, solion::io::read_lammps_dump);
}
