// What VASP leaves behind, read: vasprun.xml, and the rules that it shares with OUTCAR.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>

#include "solion/base/constants.hpp"
#include "solion/reference/calculator.hpp"

namespace solion::reference {

/// The last ionic step of vasprun.xml; forces in the order of its POSCAR, which has `n_atoms` atoms.
/// InputError if the file is missing, no whole XML, or lacks something.
RawResult read_vasprun(const std::filesystem::path& file, std::size_t n_atoms);

/// VASP prints the pressure tensor in kbar.
inline Mat3 vasp_stress_eV_per_A3(const Mat3& kbar) { return -kbar * 0.1 / constants::eV_per_A3_in_GPa; }

/// "EDIFF is reached" stands in OUTCAR when NELM is used up as well: what counts is that fewer steps were
/// taken, or that the last change of the energy is below EDIFF.
inline bool vasp_converged(std::int64_t steps, std::int64_t most, double last_change_eV, double ediff_eV) {
  return steps < most || std::abs(last_change_eV) < ediff_eV;
}

}  // namespace solion::reference
