// Weighted Arrhenius line of D(T), with what it says at another temperature.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <vector>

namespace solion::transport {

/// One D of a D(T) table; `std` 0 where unknown, `resolved` false where `D` is only an upper bound.
struct DiffusionPoint {
  double T_K = 0;
  double D_cm2_per_s = 0;
  double std_cm2_per_s = 0;
  bool resolved = true;
};

/// A value with its standard error.
struct Estimate {
  double value = 0;
  double error = 0;
};

/// ln D = ln D₀ − E_a/(k_B T).
struct ArrheniusFit {
  Estimate Ea_eV;
  Estimate ln_D0;                                        ///< D₀ in cm²/s
  Eigen::Matrix2d covariance = Eigen::Matrix2d::Zero();  ///< of (E_a, ln D₀)
  double r2 = 0;                                         ///< of ln D, weighted as the fit
  double chi2_per_dof = 0;                               ///< NaN without errors or with two points
  bool weighted = false;                                 ///< by the errors of D, rather than all points alike
  /// The line does not fit within the errors given (odds 1 : 1000): the covariance is χ²/dof times theirs.
  bool errors_too_small = false;
  /// Of the scatter that the covariance comes from; 0 where it comes from the errors of D.
  double degrees_of_freedom = 0;
  std::size_t n_used = 0;
  std::size_t n_temperatures = 0;  ///< that differ, of those used
  /// What was left out and why, and what T or E_a no solid ionic conductor has.
  std::vector<std::string> notes;

  /// D (cm²/s) at another temperature; its error from the covariance, in ln D.
  [[nodiscard]] Estimate ln_D_at(double T_K) const;
  /// Half of the interval about ln D that holds 68 %: the error, by Student's t where it is one of the
  /// scatter of few points (1.84 errors with three).
  [[nodiscard]] double ln_D_half_width_68(double T_K) const;
  [[nodiscard]] double D0_cm2_per_s() const;
};

/// Least squares of ln D against 1/T, weighted by (D/std)² when every resolved point has an error, alike
/// otherwise (the error then comes from the scatter, which needs three points, as it does where the errors
/// given do not explain it). Bounds are left out and noted; bounds that the line breaks are noted too.
/// InputError with fewer than two temperatures.
ArrheniusFit fit_arrhenius(const std::vector<DiffusionPoint>& points);

/// Reads a table with the columns T_K and D_cm2_per_s and, optionally, D_std_cm2_per_s, `resolved` (true or
/// false) and D_bound_cm2_per_s (what to take where not resolved), in any order and case. Commas, semicolons,
/// tabs or spaces part them; the header may begin with #. A row without D that has a bound is not resolved;
/// one with neither (empty or "-") is left out, which `notes` then says, as it does of columns that are not
/// read and look like one that is. InputError naming file, line and column, also for a row that stands twice
/// and for errors that only some D have.
std::vector<DiffusionPoint> read_diffusion_table(const std::filesystem::path& path,
                                                 std::vector<std::string>* notes = nullptr);

}  // namespace solion::transport
