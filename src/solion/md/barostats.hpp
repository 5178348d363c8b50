// The Martyna–Tobias–Klein barostat: how cell, positions and velocities move together.
#pragma once

#include "solion/base/random.hpp"
#include "solion/md/settings.hpp"
#include "solion/structure/types.hpp"

namespace solion::md {

/// Constants of the barostat during one step. `mass` is W_g (eV·fs²) = (N_f + 3)·kT·τ²/3, so that isotropic
/// motion v_g = v_ε·1 has the usual W = 3·W_g. Martyna, Tobias, Klein, J. Chem. Phys. 101 (1994) 4177;
/// Tuckerman, Alejandre, López-Rendón, Jochim, Martyna, J. Phys. A 39 (2006) 5629. v_g is kept symmetric: no
/// rotation.
struct CellCoupling {
  Barostat kind;
  double mass;
  double pressure;  ///< eV/Å³
  double dof_atoms;
  [[nodiscard]] double dof() const { return kind == Barostat::full ? 6.0 : 1.0; }
};

/// v̇_g (1/fs²): [Σ m v⊗v + W − P·V + (1/N_f) Σ m v²·1]/W_g, its isotropic part where the cell is isotropic.
Mat3 strain_acceleration(const CellCoupling& coupling, const Mat3& kinetic, const Mat3& virial,
                         double volume);

/// ½·W_g·Tr(v_g²), eV.
double kinetic_energy(const CellCoupling& coupling, const Mat3& strain_rate);

/// The cell's own O step under Langevin dynamics (see thermostats.hpp): each free component of v_g gets its
/// Maxwell distribution at kT.
void ornstein_uhlenbeck_cell(const CellCoupling& coupling, double kT, double dt_over_time,
                             RandomStream& random, Mat3& strain_rate);

/// Two matrices for x ← first·x + second·y, the exact solution of ẋ = ±A·x + y over a time h for symmetric A.
struct LinearFlow {
  Mat3 first;
  Mat3 second;
};
/// Velocities over h: v̇ = −(v_g + Tr(v_g)/N_f)·v + F/m.
LinearFlow velocity_flow(const CellCoupling& coupling, const Mat3& strain_rate, double h);
/// Positions over h: ṙ = v_g·r + v. The cell's rows go with `first` alone.
LinearFlow position_flow(const Mat3& strain_rate, double h);

}  // namespace solion::md
