// Takes the name apart.
#include "solion/gpu/open_device.hpp"

#include <charconv>
#include <string>

#include "solion/base/errors.hpp"
#include "solion/gpu/cuda_device.hpp"
#include "solion/gpu/host_device.hpp"

namespace solion::gpu {

std::unique_ptr<Device> open_device(std::string_view name) {
  if (name == "host") return make_host_device();
  const auto refuse = [&] { return InputError("device '{}' is unknown; known: {}", name, device_names); };
  if (!name.starts_with("gpu")) throw refuse();
  CudaOptions options;
  std::string_view rest = name.substr(3);
  if (rest.ends_with(":fp32")) {
    options.split_products = false;
    rest.remove_suffix(5);
  }
  if (!rest.empty()) {
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), options.number);
    if (rest.front() != ':' || error != std::errc() || end != rest.data() + rest.size() || options.number < 0)
      throw refuse();
  }
  return open_cuda_device(options);
}

}  // namespace solion::gpu
