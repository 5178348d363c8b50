// A device by the name that the user typed.
#pragma once

#include <memory>
#include <string_view>

#include "solion/gpu/device.hpp"

namespace solion::gpu {

/// "gpu": the first CUDA device; "gpu:1": another one; "gpu:fp32", "gpu:1:fp32": products of single precision
/// without tensor cores; "host": a device's kernels as loops on the processor, for tests. InputError that
/// lists these, or names what is missing (cuda_device.hpp).
std::unique_ptr<Device> open_device(std::string_view name);

/// What `--device` and the key `device` accept, for their help.
constexpr const char* device_names =
    "cpu, gpu, gpu:1 (another one), gpu:fp32 (no tensor cores) or host (tests)";

}  // namespace solion::gpu
