// From an MSD curve to a tracer diffusion coefficient with an honest error bar, or to a bound and the reason.
#pragma once

#include <limits>
#include <string>

#include "solion/transport/msd.hpp"

namespace solion::transport {

struct DiffusionOptions {
  /// Distance a between neighbouring sites of the mobile ion, Å (2.765 for Li in Li3OCl).
  double jump_length_A = 0;
  /// Start of the diffusive window; not finite: found from the data.
  double window_start_fs = std::numeric_limits<double>::quiet_NaN();
  /// End of the window as a fraction of the trajectory: two independent displacements of each ion at least.
  double window_end_fraction = 0.5;
};

/// D in cm²/s. Numbers that do not exist are NaN. Theory: docs/theory/transport.md, section 3.
struct Diffusion {
  bool resolved = false;
  std::string reason;  ///< why not, or how the window was chosen
  double D = std::numeric_limits<double>::quiet_NaN();
  /// One standard error: the statistical ones below joined (section 3 of the theory page), with the
  /// systematic one; its coverage is tested on walks with a known D.
  double std = std::numeric_limits<double>::quiet_NaN();
  double std_ions = std::numeric_limits<double>::quiet_NaN();  ///< from the spread over independent ions
  double std_covariance = std::numeric_limits<double>::quiet_NaN();  ///< from the covariance model of the MSD
  /// n, or fewer where ions move together: both errors above are those of n ions that do not, `std` is wider
  /// by √(n/this).
  double independent_ions = std::numeric_limits<double>::quiet_NaN();
  double std_systematic = 0;  ///< because it is not known how and for how long jumps are taken back
  /// Intervals of equal tails: D is taken for gamma distributed, as a mean of squares is, the systematic
  /// error for normal; the lower limit may be 0.
  double interval_68[2] = {std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::quiet_NaN()};
  double interval_95[2] = {std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::quiet_NaN()};
  /// One-sided 95 % upper bound on D, whether resolved or not; NaN where the frames are in no order of time.
  double bound = std::numeric_limits<double>::quiet_NaN();
  /// The slope as fitted, also where it is no diffusion coefficient.
  double slope_D = std::numeric_limits<double>::quiet_NaN();
  double intercept_A2 = std::numeric_limits<double>::quiet_NaN();
  /// MSD that jumps add which are taken back, and the time in which that is forgotten.
  double memory_A2 = 0;
  double memory_fs = std::numeric_limits<double>::quiet_NaN();
  double window_start_fs = std::numeric_limits<double>::quiet_NaN();
  double window_end_fs = std::numeric_limits<double>::quiet_NaN();
  double window_msd_A2 = std::numeric_limits<double>::quiet_NaN();  ///< MSD at the end of the window
  /// Relative error by the count of effective hops (He, Zhu, Epstein and Mo 2018), for comparison.
  double rsd_events = std::numeric_limits<double>::quiet_NaN();  ///< relative
  double n_effective_hops = std::numeric_limits<double>::quiet_NaN();
  double jump_length_A = 0;
};

/// D = slope/2d of MSD(t) = 2d·D·t + b in the diffusive window, d the curve's dimensions, by generalised
/// least squares with the covariance of the MSD. Resolved only if MSD > a²/2 in the window, the MSD grows
/// like diffusion there (neither a plateau nor a free flight) and D exceeds its error. InputError for a
/// jump length that is not positive and for a curve with fewer than 4 lags.
Diffusion fit_diffusion(const MsdCurve& curve, const DiffusionOptions& options);

/// The collective diffusion coefficient D_σ = lim |Σ_i Δr_i|²/(2d·N·t), cm²/s, and what follows from it.
struct CollectiveDiffusion {
  double D = std::numeric_limits<double>::quiet_NaN();
  double std = std::numeric_limits<double>::quiet_NaN();
  double interval_95[2] = {std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::quiet_NaN()};
  /// Tracer D / D_σ, NaN unless both are positive; its error takes them for independent, which errs upwards.
  double haven_ratio = std::numeric_limits<double>::quiet_NaN();
  double haven_std = std::numeric_limits<double>::quiet_NaN();
};

/// D_σ over the window of a resolved tracer D (all NaN for one that is not). All ions together are one walker
/// a run, so that its relative error does not shrink with their number.
CollectiveDiffusion fit_collective(const MsdCurve& curve, const Diffusion& tracer);

/// Jump length (Å) from how far the displacements are from Gaussian: a² = Δκ/ΔMSD with the fourth cumulant
/// κ = Var(Δr²) − (2/d)·MSD² (section 3). NaN where the ions move too little to tell.
double jump_length_from_displacements(const MsdCurve& curve);

/// Nernst–Einstein conductivity σ = n z² e² D/(k_B T) in mS/cm, n = `n_ions`/`volume_A3`, D in cm²/s. Give
/// the tracer D for the uncorrelated and the collective D for the full conductivity. InputError if T or V is
/// not > 0.
double nernst_einstein_mS_per_cm(double D_cm2_per_s, double n_ions, double charge_e, double volume_A3,
                                 double temperature_K);

}  // namespace solion::transport
