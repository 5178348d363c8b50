// Two labels and one comparison.
#include "solion/reference/stress_check.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"

namespace solion::reference {
namespace {

Frame scaled(const Frame& frame, double factor) {
  Frame result = frame;
  result.cell = Cell(Mat3(frame.cell->matrix() * factor));
  for (Vec3& r : result.positions) r *= factor;
  return result;
}

/// The limits without those on sizes: they are for frames that are trained on, and not for cells compressed
/// by a sixth.
AuditLimits without_sizes(AuditLimits limits) {
  limits.force_eV_per_A = limits.stress_GPa = std::numeric_limits<double>::infinity();
  limits.energy_needs = std::numeric_limits<std::size_t>::max();
  return limits;
}

/// The two pressures of one frame; nothing, and the reason, if a calculation gives no result.
std::optional<StressCheck> compare(const Calculator& code, const Settings& settings, const Frame& frame,
                                   const LabelOptions& options, std::string& reason) {
  const std::array<Frame, 2> frames{scaled(frame, 0.945), scaled(frame, 0.955)};
  std::array<std::optional<RawResult>, 2> raw;
  Receiver receiver;
  receiver.accept = [&](const Label& label) -> std::optional<std::string> {
    raw.at(label.index) = label.raw;
    return std::nullopt;
  };
  receiver.fail = [&](const Failure& f) { reason = f.reason + "\n" + f.log_tail; };
  LabelOptions again = options;
  again.retry_failed = true;  // nothing else can be done before these two have succeeded
  again.known.clear();
  again.audit = without_sizes(options.audit);
  Settings any_width = settings;
  any_width.kpoints.widths_A = {0, std::numeric_limits<double>::infinity()};
  (void)label(code, any_width, frames, again, receiver);
  if (!raw[0] || !raw[1]) return std::nullopt;
  StressCheck result;
  const double dV = frames[1].cell->volume() - frames[0].cell->volume();
  result.pressure_of_energy_GPa =
      -(*raw[1]->energy_eV - *raw[0]->energy_eV) / dV * constants::eV_per_A3_in_GPa;
  result.pressure_of_stress_GPa = -(raw[0]->stress_eV_per_A3->trace() + raw[1]->stress_eV_per_A3->trace()) /
                                  6 * constants::eV_per_A3_in_GPa;
  const double ratio = result.pressure_of_stress_GPa / result.pressure_of_energy_GPa;
  result.passed = ratio >= 0.6 && ratio <= 1.6;
  return result;
}

}  // namespace

std::string StressCheck::text() const {
  return fmt::format(
      "pressure {:.2f} GPa from the stress, {:.2f} GPa from the change of the energy with the volume",
      pressure_of_stress_GPa, pressure_of_energy_GPa);
}

StressCheck check_stress(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
                         const LabelOptions& options) {
  std::string key = settings_key(code.name(), settings);
  if (const std::string data = code.data_identity(frames.front(), settings); !data.empty())
    key = sha256(key + data).substr(0, 32);
  const auto file = options.work / ("stress-check-" + key + ".json");
  if (std::filesystem::exists(file)) {
    const Json known = read_json(file);
    return {known.at("pressure_of_stress_GPa").get<double>(),
            known.at("pressure_of_energy_GPa").get<double>(), known.at("passed").get<bool>()};
  }
  std::string failure;
  const std::size_t tries = std::min<std::size_t>(3, frames.size());
  for (std::size_t k = 0; k < tries; ++k) {  // the first, one from the middle, the last
    const Frame& frame = frames[k * (frames.size() - 1) / std::max<std::size_t>(1, tries - 1)];
    std::string reason;
    if (const auto result = compare(code, settings, frame, options, reason)) {
      write_json(file, {{"pressure_of_stress_GPa", result->pressure_of_stress_GPa},
                        {"pressure_of_energy_GPa", result->pressure_of_energy_GPa},
                        {"passed", result->passed}});
      return *result;
    }
    if (failure.empty()) failure = reason;
  }
  throw WorkError("the stress of {} could not be checked against a volume change: {}", code.name(), failure);
}

void require_stress_check(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
                          const LabelOptions& options) {
  const StressCheck check = check_stress(code, settings, frames, options);
  if (check.passed) return;
  throw WorkError(
      "{} with {}: the stress does not belong to the energies (sign, unit, or a basis far from converged): "
      "{}",
      code.name(), settings.template_name, check.text());
}

}  // namespace solion::reference
