// MTK barostat. Theory: docs/theory/md.md.
#include "solion/md/barostats.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>

namespace solion::md {
namespace {

/// sinh(x)/x, by its series where the quotient loses digits.
double sinhc(double x) {
  if (std::abs(x) > 0.1) return std::sinh(x) / x;
  const double x2 = x * x;
  return 1 + x2 / 6 * (1 + x2 / 20 * (1 + x2 / 42 * (1 + x2 / 72)));
}

/// exp(A·h) and ∫₀ʰ exp(A·s) ds for symmetric A.
LinearFlow flow(const Mat3& a, double h) {
  Vec3 rate = a.diagonal();
  Mat3 axes = Mat3::Identity();
  // A diagonal A (isotropic, orthorhombic) needs no decomposition and leaves zeros exactly zero.
  if (a(0, 1) != 0 || a(0, 2) != 0 || a(1, 2) != 0) {
    const Eigen::SelfAdjointEigenSolver<Mat3> solver(a);
    rate = solver.eigenvalues();
    axes = solver.eigenvectors();
  }
  Vec3 first, second;
  for (int k = 0; k < 3; ++k) {
    first[k] = std::exp(rate[k] * h);
    second[k] = h * std::exp(rate[k] * h / 2) * sinhc(rate[k] * h / 2);
  }
  return {axes * first.asDiagonal() * axes.transpose(), axes * second.asDiagonal() * axes.transpose()};
}

}  // namespace

Mat3 strain_acceleration(const CellCoupling& c, const Mat3& kinetic, const Mat3& virial, double volume) {
  const Mat3 sum = kinetic + virial;
  const double diagonal = kinetic.trace() / c.dof_atoms - c.pressure * volume;
  if (c.kind == Barostat::isotropic) return Mat3::Identity() * ((sum.trace() / 3 + diagonal) / c.mass);
  return (0.5 * (sum + sum.transpose()) + Mat3::Identity() * diagonal) / c.mass;
}

double kinetic_energy(const CellCoupling& c, const Mat3& strain_rate) {
  return 0.5 * c.mass * strain_rate.squaredNorm();
}

void ornstein_uhlenbeck_cell(const CellCoupling& c, double kT, double dt_over_time, RandomStream& random,
                             Mat3& strain_rate) {
  const double keep = std::exp(-dt_over_time);
  const double width = std::sqrt((1.0 - keep * keep) * kT / c.mass);
  strain_rate *= keep;
  if (c.kind == Barostat::isotropic) {
    strain_rate += Mat3::Identity() * (width / std::sqrt(3.0) * random.normal());
    return;
  }
  for (int a = 0; a < 3; ++a) {
    strain_rate(a, a) += width * random.normal();
    for (int b = a + 1; b < 3; ++b) {
      // An off-diagonal component stands twice in ½·W_g·Tr(v_g²): half the variance.
      strain_rate(a, b) += width / std::sqrt(2.0) * random.normal();
      strain_rate(b, a) = strain_rate(a, b);
    }
  }
}

LinearFlow velocity_flow(const CellCoupling& c, const Mat3& strain_rate, double h) {
  return flow(-(strain_rate + Mat3::Identity() * (strain_rate.trace() / c.dof_atoms)), h);
}

LinearFlow position_flow(const Mat3& strain_rate, double h) { return flow(strain_rate, h); }

}  // namespace solion::md
