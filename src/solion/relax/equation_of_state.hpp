// Energy against volume: the cell at rest and how stiff it is.
#pragma once

#include <span>

namespace solion::relax {

struct EquationOfState {
  double volume_A3 = 0;  ///< at rest
  double energy_eV = 0;  ///< there
  double bulk_modulus_GPa = 0;
  double bulk_derivative = 0;  ///< dB/dP
  double rms_eV = 0;           ///< of the energies about the fit
  /// E(V) of the fit, eV.
  [[nodiscard]] double at(double volume_A3) const;
  double coefficients_eV[4] = {};  ///< of (V/V_ref)^(−2k/3)
  double reference_A3 = 1;
};

/// Birch and Murnaghan's equation of third order (Birch, Phys. Rev. 71, 809 (1947), eq 17): E is a polynomial
/// of degree 3 in V^(−2/3), fitted by least squares. Volumes in Å³, energies in eV, of one cell. InputError
/// for lists of different length, fewer than five volumes, numbers that are not finite, or energies whose
/// minimum is not between the smallest and the largest volume.
EquationOfState fit_birch_murnaghan(std::span<const double> volumes_A3, std::span<const double> energies_eV);

}  // namespace solion::relax
