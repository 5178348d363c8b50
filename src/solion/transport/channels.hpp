// Diffusion channels of the mobile ion between the anions: bottlenecks of site edges and what spans the
// crystal.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "solion/structure/neighborhood.hpp"
#include "solion/transport/crystal_shift.hpp"
#include "solion/transport/percolation.hpp"
#include "solion/transport/site_edges.hpp"

namespace solion::transport {

struct ChannelOptions {
  std::string species;                    ///< mobile: its own ions do not block
  std::map<std::string, double> radii_A;  ///< of every other species
  double spacing_A = 0.2;
  double edge_share = 1.3;  ///< sites nearer than this times the least distance are joined by an edge
};

struct ChannelStatistics {
  std::size_t n_frames = 0, n_edges = 0;
  /// Radius at which what is wider spans the cell in 1, 2 and 3 dimensions, mean over frames and its
  /// deviation between frames; NaN if it never does.
  double critical_A[3], critical_std_A[3];
  double mean_A = 0;             ///< of the bottleneck radii of edges
  std::vector<double> sorted_A;  ///< bottleneck radii: 1,001 quantiles from least to largest
};

/// Free radius of a point: distance to the nearest anion less its radius. The bottleneck of an edge is the
/// largest, over paths within a ball about its middle, of the smallest free radius. Section 9 of
/// docs/theory/transport.md.
class ChannelAccumulator {
 public:
  /// `sites` as in HopAccumulator. InputError without sites, radii, or with lengths that are not positive.
  ChannelAccumulator(ChannelOptions options, const Frame& sites);
  /// The sites go with the framework (CrystalShift). InputError for a species without a radius, without a
  /// cell, and as check_cell and CrystalShift.
  void add(const Frame& frame, const std::string& where);
  /// Of the last frame, for each site in the order of `sites`: the widest bottleneck (Å) of the edges that
  /// end there, NaN where none is open. InputError without frames.
  [[nodiscard]] std::vector<double> widest_of_sites() const;
  /// InputError without frames.
  [[nodiscard]] ChannelStatistics statistics() const;

 private:
  [[nodiscard]] Grid free_radius(const Frame& frame, const std::string& where) const;

  ChannelOptions options_;
  std::vector<SiteEdge> edges_;
  std::optional<Cell> sites_cell_;
  CrystalShift shift_;
  std::size_t n_sites_ = 0;
  std::vector<float> widths_;
  std::vector<double> critical_[3];
};

}  // namespace solion::transport
