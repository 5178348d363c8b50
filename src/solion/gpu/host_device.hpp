// The device that is no device: every kernel as a loop on the host. The tests' own, always built.
#pragma once

#include "solion/gpu/device.hpp"

namespace solion::gpu {

struct HostOptions {
  int threads = 1;
  /// Splits products in single precision as tensor cores need them, with their rounding: shows what 3×TF32
  /// costs in accuracy.
  bool split_products = false;
};

/// Results do not depend on the number of threads, nor, row by row, on how many rows a product has.
std::unique_ptr<Device> make_host_device(const HostOptions& options = {});

}  // namespace solion::gpu
