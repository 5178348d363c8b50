// Nearest sites by bins of the fractional cell; a hop is the arrival in another site's core.
#include "solion/transport/hops.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/row_major.hpp"
#include "solion/transport/site_edges.hpp"

namespace solion::transport {

HopAccumulator::HopAccumulator(HopOptions options, const Frame& sites, double frame_interval_fs)
    : options_(std::move(options)),
      interval_fs_(frame_interval_fs),
      view_(options_.species, options_.framework) {
  if (!(frame_interval_fs > 0)) throw InputError("hops: a frame interval of {} fs", frame_interval_fs);
  if (!(options_.core_share > 0 && options_.core_share < 0.5))
    throw InputError("hops: cores of {} of the site distance; expected 0 to 0.5", options_.core_share);
  sites_ = sites_of(sites, options_.species, "hops");
  sites_cell_ = sites.cell;
  const Cell& cell = *sites.cell;
  site_distance_A_ = cell.widths().minCoeff();
  for (std::size_t i = 0; i < sites_.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      site_distance_A_ =
          std::min(site_distance_A_, cell.minimum_image(cell.to_cartesian(sites_[j] - sites_[i])).norm());
  core_A_ = options_.core_share * site_distance_A_;
  // Bins at least as wide as the core with a margin for a cell that breathes: a core lies in 27 of them.
  for (int k = 0; k < 3; ++k) n_bins_[k] = std::max(1, static_cast<int>(cell.widths()[k] / (1.25 * core_A_)));
  bins_.resize(static_cast<std::size_t>(n_bins_.prod()));
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    Int3 bin;
    for (int k = 0; k < 3; ++k)
      bin[k] =
          std::min(n_bins_[k] - 1, static_cast<int>((sites_[i][k] - std::floor(sites_[i][k])) * n_bins_[k]));
    bins_[bin_index(bin)].push_back(static_cast<int>(i));
  }
  occupied_.resize(sites_.size());
  here_.resize(sites_.size());
}

std::size_t HopAccumulator::bin_index(const Int3& bin) const {
  return row_major(row_major(bin[0], bin[1], n_bins_[1]), bin[2], n_bins_[2]);
}

long HopAccumulator::nearest_site(const Vec3& fractional, const Mat3& cell, Vec3& site,
                                  double& distance) const {
  long best = -1;
  distance = core_A_;
  Int3 home;
  for (int k = 0; k < 3; ++k)
    home[k] =
        std::min(n_bins_[k] - 1, static_cast<int>((fractional[k] - std::floor(fractional[k])) * n_bins_[k]));
  const auto reach = [&](int k) { return n_bins_[k] > 2 ? 1 : 0; };  // one or two bins: all of them below
  for (int a = -reach(0); a <= (n_bins_[0] == 2 ? 1 : reach(0)); ++a)
    for (int b = -reach(1); b <= (n_bins_[1] == 2 ? 1 : reach(1)); ++b)
      for (int c = -reach(2); c <= (n_bins_[2] == 2 ? 1 : reach(2)); ++c) {
        const Int3 bin((home[0] + a + n_bins_[0]) % n_bins_[0], (home[1] + b + n_bins_[1]) % n_bins_[1],
                       (home[2] + c + n_bins_[2]) % n_bins_[2]);
        for (const int i : bins_[bin_index(bin)]) {
          const Vec3 to = fractional - sites_[static_cast<std::size_t>(i)];
          const Vec3 off = to - to.array().round().matrix();
          const double d = (cell.transpose() * off).norm();
          if (!(d < distance)) continue;
          distance = d;
          best = i;
          site = fractional - off;  // the image of the site that the ion is at
        }
      }
  return best;
}

void HopAccumulator::add(const Frame& frame, const std::string& where) {
  view_.add(frame, where);
  check_cell(*sites_cell_, view_.cell(), where);
  const std::size_t now = view_.n_frames() - 1;
  if (now == 0) ions_.resize(view_.n_ions());
  std::fill(here_.begin(), here_.end(), 0);
  std::size_t outside = 0;
  for (std::size_t k = 0; k < ions_.size(); ++k) {
    Ion& ion = ions_[k];
    Vec3 site;
    double distance = 0;
    const long at = nearest_site(view_.fractional()[k], view_.cell(), site, distance);
    if (at < 0) ++outside;
    if (at >= 0 && ion.site < 0) {  // the first site it was ever seen at
      ion.site = at;
      ion.arrived_at = site;
    } else if (at >= 0 && (at != ion.site || (site - ion.arrived_at).cwiseAbs().maxCoeff() > 0.5)) {
      hop(k, at, site, view_.cell());
    }
    if (ion.site >= 0) ++here_[static_cast<std::size_t>(ion.site)];
  }
  if (now == 0 && 2 * outside > ions_.size() && !options_.maybe_molten) {
    throw InputError(
        "{}: {} of {} {} are farther than {:.2f} Å from every site: the sites are of another crystal, cell "
        "or origin",
        where, outside, ions_.size(), options_.species, core_A_);
  }
  between_ += static_cast<double>(outside) / static_cast<double>(ions_.size());
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    occupied_[i] += static_cast<std::size_t>(here_[i]);
    empty_ += here_[i] == 0 ? 1 : 0;
    shared_ += here_[i] > 1 ? 1 : 0;
  }
}

void HopAccumulator::hop(std::size_t k, long to, const Vec3& site, const Mat3& cell) {
  Ion& ion = ions_[k];
  const std::size_t now = view_.n_frames() - 1;
  const Vec3 step = cell.transpose() * (site - ion.arrived_at);
  const double length = step.norm();
  ++n_hops_;
  if (options_.on_hop) options_.on_hop(now, k);
  squares_ += length * length;
  ++lengths_[static_cast<int>(std::lround(10 * length))];
  if (ion.hops > 0) {
    ++n_turns_;
    cosines_ += step.dot(ion.last_hop) / (length * ion.last_hop.norm());
    if (to == ion.previous && (step + ion.last_hop).norm() < core_A_) ++n_returned_;
    ++n_stays_;
    stays_ += static_cast<double>(now - ion.since);
  }
  note_concert({now, k, ion.site, to, false});
  ion.previous = ion.site;
  ion.site = to;
  ion.arrived_at = site;
  ion.last_hop = step;
  ion.since = now;
  ++ion.hops;
}

void HopAccumulator::note_concert(const Recent& next) {
  const double window = options_.concert_fs / interval_fs_;
  while (!recent_.empty() && static_cast<double>(next.frame - recent_.front().frame) > window)
    recent_.pop_front();
  Recent added = next;
  for (Recent& other : recent_) {
    if (other.ion == added.ion) continue;
    if (other.from != added.to && other.to != added.from && other.to != added.to && other.from != added.from)
      continue;
    for (Recent* one : {&other, &added}) {
      if (!one->in_concert) ++n_concerted_;
      one->in_concert = true;
    }
  }
  recent_.push_back(added);
}

std::vector<long> HopAccumulator::sites() const {
  std::vector<long> result(ions_.size());
  std::transform(ions_.begin(), ions_.end(), result.begin(), [](const Ion& ion) { return ion.site; });
  return result;
}

HopStatistics HopAccumulator::statistics() const {
  if (view_.n_frames() < 2) throw InputError("hops: {} frames; at least 2 are needed", view_.n_frames());
  HopStatistics s;
  const auto frames = static_cast<double>(view_.n_frames());
  const auto ions = static_cast<double>(ions_.size());
  s.n_ions = ions_.size();
  s.n_sites = sites_.size();
  s.n_frames = view_.n_frames();
  s.n_hops = n_hops_;
  s.time_fs = (frames - 1) * interval_fs_;
  s.site_distance_A = site_distance_A_;
  const double time_ps = s.time_fs * 1e-3;
  const double mean = static_cast<double>(n_hops_) / ions;
  double square = 0;
  for (const Ion& ion : ions_) square += std::pow(static_cast<double>(ion.hops) - mean, 2);
  const double spread = ions > 1 ? square / (ions - 1) : 0;
  s.rate_per_ps = mean / time_ps;
  s.rate_std_per_ps = std::sqrt(std::max(spread, mean) / ions) / time_ps;
  if (n_hops_ == 0) {
    s.rate_std_per_ps = std::numeric_limits<double>::quiet_NaN();
    s.rate_bound_per_ps = -std::log(0.05) / (ions * time_ps);
  }
  if (n_stays_ > 0) s.residence_ps = stays_ / static_cast<double>(n_stays_) * interval_fs_ * 1e-3;
  if (n_turns_ > 0) {
    s.returned = static_cast<double>(n_returned_) / static_cast<double>(n_turns_);
    s.mean_cosine = cosines_ / static_cast<double>(n_turns_);
    s.correlation_factor = (1 + s.mean_cosine) / (1 - s.mean_cosine);
  }
  if (n_hops_ > 0) s.concerted = static_cast<double>(n_concerted_) / static_cast<double>(n_hops_);
  s.D_uncorrelated_cm2_per_s = squares_ / (6 * ions * s.time_fs) * constants::A2_per_fs_in_cm2_per_s;
  s.empty_sites = empty_ / frames;
  s.shared_sites = shared_ / frames;
  s.between_sites = between_ / frames;
  for (const std::size_t n : occupied_) s.occupancy.push_back(static_cast<double>(n) / frames);
  s.hops_by_length_dA = lengths_;
  return s;
}

}  // namespace solion::transport
