// The table of ions: energy, coordination, channel and hop of every ion in every frame that was looked at.
#pragma once

#include "solion/potential/potential.hpp"
#include "solion/study/stages.hpp"

namespace solion::study {

/// Everything by frame of the sample; ions are the atoms of the mobile species in the order of the frame.
struct IonTableInput {
  const std::vector<Frame>& relaxed;
  std::size_t n_frames;                               ///< of the trajectory
  std::size_t every;                                  ///< frames of the trajectory between two of the sample
  const std::vector<std::vector<long>>& sites;        ///< of each ion, -1 before its first
  const std::vector<std::vector<std::size_t>>& hops;  ///< frames of the trajectory at which each ion hopped
  std::vector<std::vector<double>> widest;            ///< bottleneck (Å) by site; empty: not known
  double cutoff_A;                                    ///< of the polyhedra; NaN: not known
};

/// Writes the table as CSV, without the frames whose window ends after the trajectory; returns how ions that
/// hop within the window differ: [{"property", "hopping", "staying", "p_value", "n_hopping", "n_staying"}].
Json ion_table(const Config& config, const IonTableInput& input, Potential& model,
               const std::filesystem::path& csv);

}  // namespace solion::study
