// Step numbers out of the texts of frames.
#include "solion/transport/step_order.hpp"

#include <charconv>
#include <cmath>

#include "solion/base/errors.hpp"

namespace solion::transport {

std::optional<double> StepOrder::number(const Frame& frame) {
  for (const char* key : {"step", "Step", "timestep", "Timestep", "vasp_configuration"}) {
    const auto found = frame.info.find(key);
    if (found == frame.info.end()) continue;
    double value = 0;
    const char* end = found->second.data() + found->second.size();
    const auto [stop, error] = std::from_chars(found->second.data(), end, value);
    if (error == std::errc() && stop == end) return value;
  }
  return std::nullopt;
}

void StepOrder::next(const Frame& frame, const std::string& where) {
  const std::optional<double> step = number(frame);
  if (begun_ && step.has_value() != last_.has_value())
    throw InputError("{}: {} a step number, unlike the frame before", where, step ? "has" : "lacks");
  begun_ = true;
  if (!step) return;
  if (last_) {
    const double interval = *step - *last_;
    if (!(interval > 0)) {
      throw InputError("{}: step {} comes after step {}: frames are repeated or out of order", where, *step,
                       *last_);
    }
    if (interval_ && std::abs(interval - *interval_) > 1e-9 * *interval_) {
      throw InputError(
          "{}: {} steps after the frame before, but {} between the frames so far: frames are missing "
          "or were written at another interval",
          where, interval, *interval_);
    }
    interval_ = interval;
  }
  last_ = step;
}

}  // namespace solion::transport
