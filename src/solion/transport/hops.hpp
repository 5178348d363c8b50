// Hops of ions between crystal sites: rates, residence, correlation, occupancy, hops in concert.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "solion/transport/mobile_view.hpp"

namespace solion::transport {

struct HopOptions {
  std::string species;
  std::vector<std::string> framework;  ///< empty: all other species
  /// An ion has arrived at a site when it is nearer than this share of the least distance between sites;
  /// between arrivals it belongs to the last one, so that vibration makes no hops.
  double core_share = 0.4;
  /// Two hops of different ions that share a site within this time are in concert.
  double concert_fs = 500;
  /// A first frame with most ions outside every core is no error but, maybe, a melt (`between_sites`).
  bool maybe_molten = false;
  std::function<void(std::size_t frame, std::size_t ion)> on_hop =
      {};  ///< told of every hop as it is counted
};

struct HopStatistics {
  std::size_t n_ions = 0, n_sites = 0, n_frames = 0;
  std::size_t n_hops = 0;
  double time_fs = 0;
  double site_distance_A = 0;  ///< the least between two sites
  double rate_per_ps = 0;      ///< hops an ion
  /// From the spread over ions, at least that of a count; NaN without a hop, where the rate is below
  /// `rate_bound_per_ps` at 95 % (three hops expected).
  double rate_std_per_ps = 0;
  double rate_bound_per_ps = std::numeric_limits<double>::quiet_NaN();
  /// Mean stay at a site that an ion came to and left again, ps; NaN without such a stay.
  double residence_ps = std::numeric_limits<double>::quiet_NaN();
  double returned =
      std::numeric_limits<double>::quiet_NaN();  ///< share of hops that undo the last of that ion
  double mean_cosine = std::numeric_limits<double>::quiet_NaN();  ///< between successive hops of an ion
  /// (1 + ⟨cos⟩)/(1 − ⟨cos⟩): D over the uncorrelated D, where memory is one hop long.
  double correlation_factor = std::numeric_limits<double>::quiet_NaN();
  double D_uncorrelated_cm2_per_s = 0;  ///< Σd²/(6·N·time)
  double concerted =
      std::numeric_limits<double>::quiet_NaN();  ///< share of hops in concert with another ion's
  double empty_sites = 0;                        ///< mean number of sites without an ion
  double shared_sites = 0;                       ///< mean number of sites with two ions or more
  double between_sites = 0;                      ///< mean share of ions outside every core
  std::vector<double> occupancy;                 ///< of each site, mean over frames
  std::map<int, std::size_t> hops_by_length_dA;  ///< tenths of an Å → hops
};

/// Memory: ions and sites. Section 8 of docs/theory/transport.md.
class HopAccumulator {
 public:
  /// `sites`: its atoms of the species are the sites, in fractional coordinates of a cell that repeats like
  /// the trajectory's and has the same origin. InputError if it has none or a cell is missing.
  HopAccumulator(HopOptions options, const Frame& sites, double frame_interval_fs);

  /// InputError as MobileView and check_cell; also where most ions of the first frame are not near any site.
  void add(const Frame& frame, const std::string& where);
  /// The site that each ion last arrived at, -1 before its first: atoms of the species in the order of the
  /// frame.
  [[nodiscard]] std::vector<long> sites() const;
  /// InputError with fewer than two frames.
  [[nodiscard]] HopStatistics statistics() const;

 private:
  struct Ion {
    long site = -1;      // last one it arrived at
    long previous = -1;  // the one before
    Vec3 last_hop = Vec3::Zero();
    Vec3 arrived_at = Vec3::Zero();  // unwrapped fractional position of that site
    std::size_t since = 0;
    std::size_t hops = 0;
  };
  struct Recent {
    std::size_t frame = 0, ion = 0;
    long from = 0, to = 0;
    bool in_concert = false;
  };

  [[nodiscard]] std::size_t bin_index(const Int3& bin) const;
  [[nodiscard]] long nearest_site(const Vec3& fractional, const Mat3& cell, Vec3& site,
                                  double& distance) const;
  void hop(std::size_t ion, long to, const Vec3& site, const Mat3& cell);
  void note_concert(const Recent& hop);

  HopOptions options_;
  double interval_fs_;
  MobileView view_;
  std::vector<Vec3> sites_;  // fractional
  std::optional<Cell> sites_cell_;
  double core_A_ = 0, site_distance_A_ = 0;
  std::vector<std::vector<int>> bins_;  // sites near each bin of the fractional cell
  Int3 n_bins_ = Int3::Ones();
  std::vector<Ion> ions_;
  std::vector<std::size_t> occupied_;
  std::vector<int> here_;
  std::deque<Recent> recent_;
  std::size_t n_hops_ = 0, n_turns_ = 0, n_returned_ = 0, n_concerted_ = 0, n_stays_ = 0;
  double cosines_ = 0, squares_ = 0, stays_ = 0, empty_ = 0, shared_ = 0, between_ = 0;
  std::map<int, std::size_t> lengths_;
};

}  // namespace solion::transport
