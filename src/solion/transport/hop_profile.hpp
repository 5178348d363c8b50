// Free energy of ions along the straight lines between neighbouring sites.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "solion/transport/mobile_view.hpp"
#include "solion/transport/site_edges.hpp"

namespace solion::transport {

struct HopProfileOptions {
  std::string species;
  std::vector<std::string> framework = {};  ///< empty: all other species
  double edge_share = 1.3;    ///< sites nearer than this times the least distance are joined by an edge
  double radius_share = 0.3;  ///< radius of the tube about an edge, of the edge's length
  int bins = 20;              ///< from a site to the middle
};

/// Of all edges of one length. A bin that no ion was seen in has NaN.
struct HopProfile {
  double length_A = 0;
  std::size_t n_edges = 0;
  double radius_A = 0;
  std::vector<double> s;  ///< distance from the nearer site over the length: middles of bins, 0 to ½
  std::vector<double> free_energy_eV;  ///< −k_B T ln ρ(s), from the least
  std::vector<double> std_eV;          ///< by a jackknife over blocks of time
  std::vector<std::size_t> seen;       ///< ions × frames in each bin
  /// Highest less lowest; NaN where a bin is empty: then it is above `barrier_bound_eV` (at 95 %, were frames
  /// independent), which is NaN otherwise.
  double barrier_eV = 0, barrier_std_eV = 0, barrier_bound_eV = 0;
  /// Passages of the middle in either direction, an ion and ps, that transition state theory makes of ρ(½):
  /// every one counts as a hop, also those that turn back.
  double rate_per_ps = 0;
};

/// ρ(s) is the number of ions in a tube of constant cross section about each edge, a length, so that F is the
/// potential of mean force of s with the directions across it free. Memory: edges, and at most 32 histograms.
/// Section 9 of docs/theory/transport.md.
class HopProfileAccumulator {
 public:
  /// `sites` as in HopAccumulator. InputError without sites or a cell, for a cell so small that a tube meets
  /// its own image, and for options out of range.
  HopProfileAccumulator(HopProfileOptions options, const Frame& sites);
  /// InputError as MobileView, for another cell than that of the sites (check_cell), and where more than half
  /// of the ions of the first frame are on no edge.
  void add(const Frame& frame, const std::string& where);
  /// Shortest edges first. InputError without frames, or for a temperature that is not positive.
  [[nodiscard]] std::vector<HopProfile> profiles(double temperature_K) const;

 private:
  /// Edges of about the same length, and for each block of time how many ions were in each bin.
  struct Class {
    double length_A = 0;
    std::size_t n_edges = 0;
    std::vector<std::vector<std::size_t>> blocks;
  };
  void classify();
  void fill_cells(const Vec3& widths_A);
  [[nodiscard]] std::size_t cell_of(const Vec3& fractional) const;
  void next_block();
  [[nodiscard]] HopProfile profile(const Class& of, double temperature_K) const;

  HopProfileOptions options_;
  MobileView view_;
  std::optional<Cell> sites_cell_;
  std::vector<SiteEdge> edges_;
  std::vector<std::size_t> class_of_;  // of each edge
  std::vector<Class> classes_;
  Int3 n_cells_ = Int3::Ones();                     // the sites' cell in small ones
  std::vector<std::vector<std::uint32_t>> nearby_;  // edges whose tube may reach into each
  std::size_t block_frames_ = 1, frames_in_block_ = 0;
};

}  // namespace solion::transport
