// Whether ions moved at the same pace all through a run.
#pragma once

#include <limits>
#include <string>

#include "solion/transport/msd.hpp"

namespace solion::transport {

/// The pace is MSD/(2·d·t) over 8 to 15 stretches of the run that follow each other; it holds vibration and,
/// in short stretches, hops that are taken back, so that it is no estimate of D.
struct Steadiness {
  std::size_t n_stretches = 0;
  double stretch_fs = 0;
  double early_cm2_per_s = std::numeric_limits<double>::quiet_NaN();  ///< mean over the first half
  double late_cm2_per_s = std::numeric_limits<double>::quiet_NaN();   ///< over the second
  /// Two-sided, Welch's test of the logarithms of the halves' stretches; NaN for less than 8 stretches.
  double p_value = std::numeric_limits<double>::quiet_NaN();

  /// Below 0.01: the run is not stationary (a crystal that melted, a defect that came or went).
  [[nodiscard]] bool changed() const { return p_value < 0.01; }
  /// "the pace of the ions changed: … in the first half, … in the second (p = …)"; empty if not.
  [[nodiscard]] std::string verdict() const;
};

/// Section 3 of docs/theory/transport.md. Replicas together are not judged.
Steadiness steadiness(const MsdCurve& curve);

}  // namespace solion::transport
