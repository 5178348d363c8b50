// Timed matrix products, and the name of the processor.
#include "solion/bench/machine.hpp"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "solion/base/row_major.hpp"
#include "solion/base/threads.hpp"
#include "solion/base/version.hpp"
#include "solion/nn/products.hpp"

namespace solion::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// Large enough that packing is a small part, small enough for a fifth of a second on a slow core.
constexpr std::ptrdiff_t size = 768;
constexpr double seconds_each = 0.25;

template <typename T>
double gemm_gflops() {
  const auto n = row_major(size, 0, size);
  const std::vector<T> a(n, T(0.5)), b(n, T(0.25));
  std::vector<T> c(n);
  const auto begin = Clock::now();
  double shortest = std::numeric_limits<double>::infinity();
  do {
    const double start = thread_seconds();
    nn::product(size, size, size, a.data(), size, b.data(), size, T(0), c.data(), size);
    shortest = std::min(shortest, thread_seconds() - start);
  } while (std::chrono::duration<double>(Clock::now() - begin).count() < seconds_each);
  return 2e-9 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size) / shortest;
}

}  // namespace

double thread_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

MachineRates measure_machine() { return {gemm_gflops<float>(), gemm_gflops<double>()}; }

MachineRates best_of(const MachineRates& a, const MachineRates& b) {
  return {std::max(a.sgemm_gflops, b.sgemm_gflops), std::max(a.dgemm_gflops, b.dgemm_gflops)};
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

Json machine_json() {
  return {{"processor", processor_name()},
          {"cores", available_threads()},
          {"compiler", __VERSION__},
          {"program", std::string("solion ") + version()}};
}

}  // namespace solion::bench
