// VASP's trajectories and results as frames: XDATCAR, OUTCAR and vasprun.xml, and the rules that these share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "solion/io/frames.hpp"

namespace solion::io {

/// XDATCAR (https://www.vasp.at/wiki/XDATCAR): positions of every ionic step; the cell stands once or before
/// every step. The number of a configuration is kept as `vasp_configuration`; where runs stand one behind the
/// other it goes on. A last step that is not whole is left out with a warning if there are others.
std::unique_ptr<FrameReader> read_xdatcar(LineReader lines, const ReadOptions& options);

/// OUTCAR (https://www.vasp.at/wiki/OUTCAR): every ionic step with its free energy (whose derivatives the
/// forces are), its forces, and its virial where the stress was computed. Steps whose SCF did not converge
/// are left out, as are a last step that is not whole and those without forces; one warning counts each.
/// Several runs may stand one behind the other; steps of a machine-learned force field are read over.
std::unique_ptr<FrameReader> read_outcar(LineReader lines, const ReadOptions& options);

/// The same of vasprun.xml, which is held in memory. One that is cut off gives its whole steps.
std::unique_ptr<FrameReader> read_vasprun(const std::filesystem::path& file, const ReadOptions& options);

/// VASP prints the pressure tensor in kbar, positive when the cell wants to expand; here tension is positive.
Mat3 vasp_stress_eV_per_A3(const Mat3& kbar);

/// "EDIFF is reached" stands in OUTCAR when NELM is used up as well: what counts is that fewer steps were
/// taken, or that the last change of the energy is below EDIFF.
bool vasp_converged(std::int64_t steps, std::int64_t most, double last_change_eV, double ediff_eV);

}  // namespace solion::io
