// What surrounds each ion and whether it hops soon: one table, and how surely the two go together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace solion::transport {

/// One ion in one frame. A property that is not known is NaN.
struct IonRow {
  std::size_t frame = 0;    ///< of the trajectory
  std::size_t ion = 0;      ///< 0 … n_ions−1
  double energy_eV = 0;     ///< atomic energy on the relaxed frame, relative to the mean of its ions
  double coordination = 0;  ///< ligands of the least coordinated centre that the ion belongs to
  double channel_A = 0;     ///< widest bottleneck at its site
  bool hops = false;        ///< within the window that begins at this frame
};

/// How a property differs between ions that are about to hop and those that are not.
struct HopCorrelation {
  std::string property;
  std::size_t n_hopping = 0, n_staying = 0;  ///< rows
  double mean_hopping = 0, mean_staying = 0;
  /// Two-sided, by permutation: the hop series of whole ions are dealt out to other ions, which keeps what
  /// is correlated in time. NaN where all rows hop or none does.
  double p_value = 0;
};

/// Rows: every ion in every frame, frames in order and ions in order within each. A property with unknown
/// values is judged on the other rows. InputError if the rows are no whole table. Section 10 of
/// docs/theory/transport.md.
std::vector<HopCorrelation> correlate_with_hops(const std::vector<IonRow>& rows, std::size_t n_ions,
                                                std::size_t permutations = 1999, std::uint64_t seed = 1);

}  // namespace solion::transport
