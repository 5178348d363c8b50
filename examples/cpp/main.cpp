// outside POTENTIAL: energy and pressure of 2×2×2 Li3OCl with any potential of solion.
#include <cstdio>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/catalog/open.hpp"
#include "solion/transport/msd.hpp"

int main(int argc, char** argv) {
  try {
    const solion::Frame frame = solion::repeat(solion::open_crystal("li3ocl").frame, {2, 2, 2});
    const auto potential = solion::open_potential(argc > 1 ? argv[1] : "model.dp");
    const solion::Evaluation result = potential->evaluate(frame);
    const double pressure =
        result.virial.trace() / (3 * frame.cell->volume()) * solion::constants::eV_per_A3_in_GPa;
    std::printf("%s: %.6f eV, %.4f GPa\n", frame.formula().c_str(), result.energy, pressure);

    // Memory that the library allocates is freed here, and the reverse.
    solion::transport::MsdAccumulator msd({.framework = {}, .mobile = {"Li"}, .unwrap = {}});
    solion::Frame moved = frame;
    for (int f = 0; f < 4; ++f) {
      moved.positions[static_cast<std::size_t>(f)] += solion::Vec3(0.1, 0, 0);
      msd.add(moved, "frame");
    }
    std::printf("MSD after one frame: %.3e Å²\n", msd.curve("Li", 1.0).msd_A2.front());
  } catch (const solion::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
