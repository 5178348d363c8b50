// Fuzzes the readers of what CP2K, Quantum ESPRESSO, ABINIT and VASP leave; the first byte chooses the code.
#include <array>
#include <cstdint>
#include <string_view>

#include "memory_file.hpp"
#include "solion/base/errors.hpp"
#include "solion/reference/calculator.hpp"

namespace {

struct Output {
  char mark;
  const solion::reference::Calculator& (*code)();
  const char* file;
};

constexpr std::array outputs{
    Output{'c', solion::reference::cp2k, "log"}, Output{'e', solion::reference::espresso, "log"},
    Output{'a', solion::reference::abinit, "calculate.abo"}, Output{'o', solion::reference::vasp, "OUTCAR"},
    Output{'x', solion::reference::vasp, "vasprun.xml"}};

solion::Frame two_atoms() {
  solion::Frame frame;
  frame.type_map = solion::TypeMap({"Li", "Cl"});
  frame.types = {0, 1};
  frame.positions = {{0, 0, 0}, {2.5, 2.5, 2.5}};
  frame.cell = solion::Cell(solion::Mat3::Identity() * 5.1);
  return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const Output& output : outputs) {
    if (bytes.front() != output.mark) continue;
    const solion::MemoryFile file(bytes.substr(1), output.file);
    try {
      (void)output.code().parse(two_atoms(), file.folder());
    } catch (const solion::InputError&) {  // the expected end
    }
  }
  return 0;
}
