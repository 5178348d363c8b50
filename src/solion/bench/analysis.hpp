// How fast are the analyses of a trajectory, and how fast is a trajectory read?
#pragma once

#include <cstddef>

namespace solion::bench {

/// Of Li3OCl whose atoms are displaced at random in every frame. One thread, the time that it had a core.
struct AnalysisTiming {
  std::size_t msd_ions = 0;
  std::size_t msd_frames = 0;
  double msd_s = 0;  ///< all species, at all lags of the accumulator
  std::size_t rdf_atoms = 0;
  double rdf_frames_per_s = 0;  ///< three pairs, to 8 Å by 0.02 Å
  double extxyz_MB_per_s = 0;   ///< positions and image flags, from a file that the system has in memory
  double dump_MB_per_s = 0;     ///< LAMMPS, the same
};
/// About half a minute and 150 MB below the system's temporary folder, which are removed. WorkError where
/// they cannot be written.
AnalysisTiming time_analysis();

}  // namespace solion::bench
