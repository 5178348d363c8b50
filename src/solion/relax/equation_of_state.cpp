// Linear least squares in x = (V/V_ref)^(−2/3), and the minimum of the cubic.
#include "solion/relax/equation_of_state.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::relax {
namespace {

/// The root of E′(x) where E″(x) > 0; NaN if there is none.
double minimum_of(const double* c) {
  const double a = 3 * c[3], b = 2 * c[2];
  if (std::abs(a) < 1e-12 * std::abs(b)) return b > 0 ? -c[1] / b : std::nan("");
  const double discriminant = b * b - 4 * a * c[1];
  // E″ = 2ax + b is +√discriminant at this root.
  return discriminant > 0 ? (-b + std::sqrt(discriminant)) / (2 * a) : std::nan("");
}

}  // namespace

double EquationOfState::at(double volume) const {
  const double x = std::pow(volume / reference_A3, -2.0 / 3);
  const double* c = coefficients_eV;
  return c[0] + x * (c[1] + x * (c[2] + x * c[3]));
}

EquationOfState fit_birch_murnaghan(std::span<const double> volumes, std::span<const double> energies) {
  const auto n = static_cast<Eigen::Index>(volumes.size());
  if (volumes.size() != energies.size() || n < 5)
    throw InputError("equation of state: {} volumes and {} energies; expected at least five of each",
                     volumes.size(), energies.size());
  EquationOfState fit;
  const auto [low, high] = std::ranges::minmax(volumes);
  fit.reference_A3 = 0.5 * (low + high);
  Eigen::MatrixXd powers(n, 4);
  Eigen::VectorXd e(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (!(volumes[k] > 0) || !std::isfinite(volumes[k]) || !std::isfinite(energies[k]))
      throw InputError("equation of state: volume {} Å³ with energy {} eV; expected finite numbers",
                       volumes[k], energies[k]);
    const double x = std::pow(volumes[k] / fit.reference_A3, -2.0 / 3);
    powers.row(i) << 1, x, x * x, x * x * x;
    e[i] = energies[k];
  }
  const double offset = e.mean();
  const Eigen::Vector4d c = powers.colPivHouseholderQr().solve((e.array() - offset).matrix());
  for (int k = 0; k < 4; ++k) fit.coefficients_eV[k] = c[k];
  fit.coefficients_eV[0] += offset;
  const double x = minimum_of(fit.coefficients_eV);
  const double v = std::pow(x, -1.5);  // V/V_ref
  fit.volume_A3 = v * fit.reference_A3;
  if (!(fit.volume_A3 > low && fit.volume_A3 < high))
    throw InputError("equation of state: no minimum of the energy between {:.3f} and {:.3f} Å³", low, high);
  fit.energy_eV = fit.at(fit.volume_A3);
  // dE/dx is zero here; x′, x″ by V/V_ref.
  const double second = 2 * c[2] + 6 * c[3] * x, third = 6 * c[3];
  const double x1 = -2.0 / 3 * std::pow(v, -5.0 / 3), x2 = 10.0 / 9 * std::pow(v, -8.0 / 3);
  const double e2 = second * x1 * x1, e3 = third * x1 * x1 * x1 + 3 * second * x1 * x2;
  fit.bulk_modulus_GPa = v * e2 / fit.reference_A3 * constants::eV_per_A3_in_GPa;
  fit.bulk_derivative = -(1 + v * e3 / e2);
  fit.rms_eV = std::sqrt((powers * c - (e.array() - offset).matrix()).squaredNorm() / static_cast<double>(n));
  return fit;
}

}  // namespace solion::relax
