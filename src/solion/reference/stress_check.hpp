// Does a code's stress mean what its energies say? Sign and unit, once per settings.
#pragma once

#include <span>
#include <string>

#include "solion/reference/label.hpp"

namespace solion::reference {

struct StressCheck {
  double pressure_of_stress_GPa = 0;  ///< −tr σ/3, mean over the two volumes
  double pressure_of_energy_GPa = 0;  ///< −ΔE/ΔV between them
  bool passed = false;
  [[nodiscard]] std::string text() const;
};

/// Computes the first frame with its cell and positions scaled to 0.945 and 0.955 of their lengths, where a
/// solid pushes back with gigapascals, and compares the two pressures. They may differ by the basis that a
/// strain carries along (docs/theory/ reference.md), which is 1 to 2 GPa, but not by a sign or a unit: 0.6 ≤
/// ratio ≤ 1.6. The result is kept in `options.work`/stress-check-<settings>.json, and a second call with the
/// same settings computes nothing. A frame that gives no result there (a hot cell whose SCF does not
/// converge) makes way for another, three in all. WorkError with the reason of the first if none of them
/// gives one.
StressCheck check_stress(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
                         const LabelOptions& options);

/// The same; WorkError that says both numbers if it did not pass.
void require_stress_check(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
                          const LabelOptions& options);

}  // namespace solion::reference
