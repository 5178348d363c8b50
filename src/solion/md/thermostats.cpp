// The three thermostats. Theory: docs/theory/md.md.
#include "solion/md/thermostats.hpp"

#include <array>
#include <cmath>

#include "solion/base/constants.hpp"

namespace solion::md {
namespace {

double mass(const ChainCoupling& c, std::size_t link) {
  return (link == 0 ? c.dof : 1.0) * c.mass_kT * c.time_fs * c.time_fs;
}

/// Suzuki–Yoshida weights of third order: w, 1 − 2w, w with w = 1/(2 − 2^(1/3)).
std::array<double, 3> suzuki_yoshida() {
  const double w = 1.0 / (2.0 - std::cbrt(2.0));
  return {w, 1.0 - 2.0 * w, w};
}

/// η̈ of one link, 1/fs².
double acceleration(const NoseHooverChain& chain, const ChainCoupling& c, std::size_t link,
                    double twice_kinetic) {
  if (link == 0) return (twice_kinetic - c.dof * c.kT) / mass(c, 0);
  const double before = chain.velocity[link - 1];
  return (mass(c, link - 1) * before * before - c.kT) / mass(c, link);
}

}  // namespace

double propagate(NoseHooverChain& chain, const ChainCoupling& c, double twice_kinetic, double dt) {
  auto& v = chain.velocity;
  const std::size_t last = v.size() - 1;
  double scale = 1.0;
  for (const double weight : suzuki_yoshida()) {
    const double h = weight * dt;  // this slice moves the chain by h/2
    const auto kick = [&](std::size_t k) {
      const double drag = k == last ? 1.0 : std::exp(-h / 8 * v[k + 1]);
      v[k] = v[k] * drag * drag + h / 4 * acceleration(chain, c, k, twice_kinetic) * drag;
    };
    for (std::size_t k = last + 1; k-- > 0;) kick(k);
    const double factor = std::exp(-h / 2 * v[0]);
    scale *= factor;
    twice_kinetic *= factor * factor;
    for (std::size_t k = 0; k <= last; ++k) chain.work_eV += (k == 0 ? c.dof : 1.0) * c.kT * h / 2 * v[k];
    for (std::size_t k = 0; k <= last; ++k) kick(k);
  }
  return scale;
}

double energy(const NoseHooverChain& chain, const ChainCoupling& c) {
  double sum = chain.work_eV;
  for (std::size_t k = 0; k < chain.velocity.size(); ++k)
    sum += 0.5 * mass(c, k) * chain.velocity[k] * chain.velocity[k];
  return sum;
}

double csvr_factor(double kinetic, double dof, double kT, double dt_over_time, RandomStream& random) {
  const double c = std::exp(-dt_over_time);
  const double ratio = (1.0 - c) * 0.5 * kT / kinetic;  // (1 − c)·K̄/(N_f·K)
  const double first = random.normal();
  // The sum of N_f − 1 squared normals is twice a gamma variate of shape (N_f − 1)/2.
  const double others = dof > 1 ? 2.0 * random.gamma(0.5 * (dof - 1.0)) : 0.0;
  const double squared = c + ratio * (first * first + others) + 2.0 * first * std::sqrt(c * ratio);
  const double sign = first + std::sqrt(c / ratio) >= 0 ? 1.0 : -1.0;
  return sign * std::sqrt(squared);
}

void ornstein_uhlenbeck(const std::vector<double>& masses, double kT, double dt_over_time,
                        RandomStream& random, std::vector<Vec3>& velocities) {
  const double c = std::exp(-dt_over_time);
  for (std::size_t i = 0; i < masses.size(); ++i) {
    const double width = std::sqrt((1.0 - c * c) * kT / (masses[i] * constants::amu_A2_per_fs2_in_eV));
    for (int k = 0; k < 3; ++k) velocities[i][k] = c * velocities[i][k] + width * random.normal();
  }
}

}  // namespace solion::md
