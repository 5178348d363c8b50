// A GPU through CUDA: a module that is loaded when the first device is asked for.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "solion/base/optional_part.hpp"
#include "solion/gpu/device.hpp"

namespace solion::gpu {

/// The module: SOLION_CUDA where it is set, cuda/ beside the program, or lib/solion/cuda of an installed
/// tree. InputError where it is not.
std::filesystem::path find_cuda_module();

struct CudaOptions {
  int number = 0;  ///< of the device
  /// Products in single precision: 3×TF32 on the tensor cores, or plain.
  bool split_products = true;
};

/// InputError that names what is missing: a program built without CUDA, no device (with the driver's words),
/// no such device.
std::unique_ptr<Device> open_cuda_device(const CudaOptions& options = {});

/// What `solion doctor` looks for.
std::vector<OptionalPart> optional_parts();

}  // namespace solion::gpu
