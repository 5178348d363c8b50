// What the core can do at best, measured in the same run as everything that is compared with it.
#pragma once

#include <string>

#include "solion/base/input.hpp"

namespace solion::bench {

/// Rates of large square matrix products on one core, through the library of nn/products.hpp.
struct MachineRates {
  double sgemm_gflops = 0;
  double dgemm_gflops = 0;
};

/// The best of several products within about half a second. A core that does other work besides measures too
/// little.
MachineRates measure_machine();
/// The larger of both, by precision: the peak is what was reached once.
MachineRates best_of(const MachineRates& a, const MachineRates& b);

/// Time that this thread had a core, s: what other programs take away does not count.
double thread_seconds();

/// Processor, number of cores, compiler and version of this program, for the record beside every number.
Json machine_json();
std::string processor_name();

}  // namespace solion::bench
