// Thermostats: Nosé–Hoover chain, stochastic velocity rescaling (CSVR), the Ornstein–Uhlenbeck part of
// Langevin.
#pragma once

#include <vector>

#include "solion/base/random.hpp"
#include "solion/structure/types.hpp"

namespace solion::md {

/// Chain variables. Energies in eV, velocities η̇ in 1/fs; `work_eV` = ∫ (N_f·kT·dη₁ + kT·Σ dη_k), which for a
/// constant temperature is the potential part of the extended Hamiltonian.
struct NoseHooverChain {
  std::vector<double> velocity;
  double work_eV = 0;
};

/// What a chain is coupled to: `dof` degrees of freedom at kT (eV); Q₁ = dof·mass_kT·τ², Q_k = mass_kT·τ².
/// `mass_kT` stays fixed during a temperature ramp, so that the masses do.
struct ChainCoupling {
  double dof;
  double kT;
  double mass_kT;
  double time_fs;
};

/// Moves the chain by dt/2 and returns the factor for the velocities it is coupled to, whose 2K (eV) is
/// given. Martyna, Tuckerman, Tobias, Klein, Mol. Phys. 87 (1996) 1117, eq. 27–33; third-order Suzuki–Yoshida
/// weights.
double propagate(NoseHooverChain& chain, const ChainCoupling& coupling, double twice_kinetic, double dt);

/// ½ Σ Q_k η̇_k² + work, eV.
double energy(const NoseHooverChain& chain, const ChainCoupling& coupling);

/// Factor α for all velocities that moves the kinetic energy by dt along the exact solution of the CSVR
/// equation. Bussi, Donadio, Parrinello, J. Chem. Phys. 126 (2007) 014101, eq. A7 and A8 (sign of α).
double csvr_factor(double kinetic, double dof, double kT, double dt_over_time, RandomStream& random);

/// The O step of BAOAB: v ← c·v + √((1−c²)kT/m)·R with c = exp(−dt/τ).
/// Leimkuhler and Matthews, Appl. Math. Res. Express (2013) 34.
void ornstein_uhlenbeck(const std::vector<double>& masses, double kT, double dt_over_time,
                        RandomStream& random, std::vector<Vec3>& velocities);

}  // namespace solion::md
