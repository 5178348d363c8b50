// Physical constants (CODATA 2018) and the conversions between the units of this project and of files.
//
// Inside: length Å, energy eV, force eV/Å, mass amu, charge e, temperature K, pressure GPa, time fs,
// velocity Å/fs. User files: pressure bar, time fs; tables: time ps, D cm²/s, conductivity mS/cm.
#pragma once

namespace solion::constants {

// Exact by definition of the SI (2019).
inline constexpr double elementary_charge_C = 1.602176634e-19;
inline constexpr double boltzmann_J_per_K = 1.380649e-23;
inline constexpr double avogadro_per_mol = 6.02214076e23;
inline constexpr double planck_J_s = 6.62607015e-34;

// CODATA 2018, https://physics.nist.gov/cuu/Constants (measured).
inline constexpr double atomic_mass_kg = 1.66053906660e-27;
inline constexpr double vacuum_permittivity_F_per_m = 8.8541878128e-12;
inline constexpr double bohr_A = 0.529177210903;
inline constexpr double hartree_eV = 27.211386245988;

inline constexpr double pi = 3.14159265358979323846;

/// Boltzmann constant, eV/K.
inline constexpr double boltzmann_eV_per_K = boltzmann_J_per_K / elementary_charge_C;
/// e²/(4πε₀), eV·Å: the Coulomb energy of two elementary charges 1 Å apart.
inline constexpr double coulomb_eV_A = elementary_charge_C / (4.0 * pi * vacuum_permittivity_F_per_m) * 1e10;
/// 1 amu·(Å/fs)² in eV.
inline constexpr double amu_A2_per_fs2_in_eV = atomic_mass_kg * 1e10 / elementary_charge_C;
/// Acceleration in Å/fs² of 1 amu under 1 eV/Å.
inline constexpr double eV_per_A_per_amu_in_A_per_fs2 = 1.0 / amu_A2_per_fs2_in_eV;
/// 1 eV/Å³ in GPa.
inline constexpr double eV_per_A3_in_GPa = elementary_charge_C * 1e21;
inline constexpr double bar_in_GPa = 1e-4;
/// 1 Å²/fs in cm²/s.
inline constexpr double A2_per_fs_in_cm2_per_s = 1e-1;
/// 1 Å²/ps in cm²/s.
inline constexpr double A2_per_ps_in_cm2_per_s = 1e-4;

}  // namespace solion::constants
