// Ions in tubes about the edges, counted by small cells that know which tubes reach into them.
#include "solion/transport/hop_profile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/row_major.hpp"
#include "solion/structure/elements.hpp"

namespace solion::transport {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_blocks = 32;
constexpr double breathing = 1 + largest_strain;  // tubes stay in the cells that were prepared for them

/// Standard error of f over the sums that leave one block out.
template <typename F>
double jackknife(const std::vector<std::vector<std::size_t>>& blocks, const std::vector<std::size_t>& all,
                 const F& f) {
  const auto n = static_cast<double>(blocks.size());
  if (blocks.size() < 2) return nan;
  std::vector<double> values;
  for (const auto& block : blocks) {
    std::vector<std::size_t> rest = all;
    for (std::size_t b = 0; b < rest.size(); ++b) rest[b] -= block[b];
    values.push_back(f(rest));
  }
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double square = 0;
  for (const double v : values) square += (v - mean) * (v - mean);
  return std::sqrt(square * (n - 1) / n);
}

}  // namespace

HopProfileAccumulator::HopProfileAccumulator(HopProfileOptions options, const Frame& sites)
    : options_(std::move(options)), view_(options_.species, options_.framework) {
  if (!(options_.radius_share > 0 && options_.radius_share <= 0.5))
    throw InputError("paths: tubes with a radius of {} of the edge; expected 0 to 0.5",
                     options_.radius_share);
  if (options_.bins < 3) throw InputError("paths: {} bins; expected 3 or more", options_.bins);
  const std::vector<Vec3> positions = sites_of(sites, options_.species, "paths");
  sites_cell_ = sites.cell;
  edges_ = site_edges(positions, *sites.cell, options_.edge_share, "paths");
  classify();
  fill_cells(sites.cell->widths());
}

void HopProfileAccumulator::classify() {
  constexpr double alike_A = 0.05;
  std::vector<std::size_t> order(edges_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return edges_[a].length_A < edges_[b].length_A; });
  class_of_.resize(edges_.size());
  double last = 0;
  for (const std::size_t e : order) {
    if (classes_.empty() || edges_[e].length_A - last > alike_A) classes_.emplace_back();
    last = edges_[e].length_A;
    class_of_[e] = classes_.size() - 1;
    Class& c = classes_.back();
    c.length_A += (last - c.length_A) / static_cast<double>(++c.n_edges);
  }
}

void HopProfileAccumulator::fill_cells(const Vec3& widths_A) {
  constexpr double width_A = 1;
  for (int k = 0; k < 3; ++k) n_cells_[k] = std::max(1, static_cast<int>(std::lround(widths_A[k] / width_A)));
  nearby_.resize(static_cast<std::size_t>(n_cells_.prod()));
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    const SiteEdge& edge = edges_[e];
    const double reach = breathing * options_.radius_share * edge.length_A;
    for (int k = 0; k < 3; ++k)
      if (0.5 * std::abs(edge.to[k] - edge.from[k]) + reach / widths_A[k] >= 0.5)
        throw InputError(
            "paths: a tube of {:.2f} Å about an edge of {:.2f} Å meets its own image in a cell {:.2f} Å wide",
            reach, edge.length_A, widths_A[k]);
    const int steps = static_cast<int>(std::ceil(edge.length_A / width_A)) + 1;
    for (int t = 0; t <= steps; ++t) {
      const Vec3 at = edge.from + (edge.to - edge.from) * (static_cast<double>(t) / steps);
      Int3 low, high;
      for (int k = 0; k < 3; ++k) {
        const double margin = (reach + width_A) / widths_A[k];
        low[k] = static_cast<int>(std::floor((at[k] - margin) * n_cells_[k]));
        high[k] =
            std::min(static_cast<int>(std::floor((at[k] + margin) * n_cells_[k])), low[k] + n_cells_[k] - 1);
      }
      for (int x = low[0]; x <= high[0]; ++x)
        for (int y = low[1]; y <= high[1]; ++y)
          for (int z = low[2]; z <= high[2]; ++z) {
            const Vec3 middle((x + 0.5) / n_cells_[0], (y + 0.5) / n_cells_[1], (z + 0.5) / n_cells_[2]);
            auto& list = nearby_[cell_of(middle)];
            if (list.empty() || list.back() != e) list.push_back(static_cast<std::uint32_t>(e));
          }
    }
  }
}

std::size_t HopProfileAccumulator::cell_of(const Vec3& fractional) const {
  Int3 at;
  for (int k = 0; k < 3; ++k)
    at[k] = std::min(n_cells_[k] - 1,
                     static_cast<int>((fractional[k] - std::floor(fractional[k])) * n_cells_[k]));
  return row_major(row_major(at[0], at[1], n_cells_[1]), at[2], n_cells_[2]);
}

/// Blocks grow twofold when there would be too many.
void HopProfileAccumulator::next_block() {
  const auto bins = static_cast<std::size_t>(options_.bins);
  if (classes_.front().blocks.size() == most_blocks) {
    for (Class& c : classes_) {
      for (std::size_t k = 0; k < most_blocks / 2; ++k) {
        c.blocks[k] = c.blocks[2 * k];
        for (std::size_t b = 0; b < bins; ++b) c.blocks[k][b] += c.blocks[2 * k + 1][b];
      }
      c.blocks.resize(most_blocks / 2);
    }
    block_frames_ *= 2;
  }
  for (Class& c : classes_) c.blocks.emplace_back(bins, std::size_t{0});
  frames_in_block_ = 0;
}

void HopProfileAccumulator::add(const Frame& frame, const std::string& where) {
  view_.add(frame, where);
  if (classes_.front().blocks.empty() || frames_in_block_ == block_frames_) next_block();
  ++frames_in_block_;
  check_cell(*sites_cell_, view_.cell(), where);
  const Mat3 to_cartesian = view_.cell().transpose();
  std::size_t on_no_edge = 0;
  for (const Vec3& ion : view_.fractional()) {
    bool on_edge = false;
    for (const std::uint32_t e : nearby_[cell_of(ion)]) {
      const SiteEdge& edge = edges_[e];
      const Vec3 off = ion - 0.5 * (edge.from + edge.to);
      const Vec3 r = to_cartesian * (off - off.array().round().matrix());
      const Vec3 axis = to_cartesian * (edge.to - edge.from);
      const double length = axis.norm();
      const double along = r.dot(axis) / (length * length);  // from the middle
      const double across = std::sqrt(std::max(0.0, r.squaredNorm() - along * along * length * length));
      if (!(std::abs(along) < 0.5 + 1e-9) || across >= options_.radius_share * length) continue;
      on_edge = true;
      const auto bin = static_cast<std::size_t>((0.5 - std::abs(along)) * 2 * options_.bins);
      ++classes_[class_of_[e]].blocks.back()[std::min(bin, static_cast<std::size_t>(options_.bins - 1))];
    }
    on_no_edge += on_edge ? 0 : 1;
  }
  if (view_.n_frames() == 1 && 2 * on_no_edge > view_.n_ions())
    throw InputError(
        "{}: {} of {} {} are far from every site and the lines between them: the sites are of another "
        "crystal or origin",
        where, on_no_edge, view_.n_ions(), options_.species);
}

HopProfile HopProfileAccumulator::profile(const Class& of, double temperature_K) const {
  const double kT = constants::boltzmann_eV_per_K * temperature_K;
  const auto bins = static_cast<std::size_t>(options_.bins);
  HopProfile p;
  p.length_A = of.length_A;
  p.n_edges = of.n_edges;
  p.radius_A = options_.radius_share * of.length_A;
  p.seen.assign(bins, 0);
  for (const auto& block : of.blocks)
    for (std::size_t b = 0; b < bins; ++b) p.seen[b] += block[b];
  const auto most = static_cast<std::size_t>(std::max_element(p.seen.begin(), p.seen.end()) - p.seen.begin());
  const auto least =
      static_cast<std::size_t>(std::min_element(p.seen.begin(), p.seen.end()) - p.seen.begin());
  const auto energy = [&](const std::vector<std::size_t>& seen, std::size_t b) {
    if (seen[b] == 0 || seen[most] == 0) return nan;
    return kT * std::log(static_cast<double>(seen[most]) / static_cast<double>(seen[b]));
  };
  for (std::size_t b = 0; b < bins; ++b) {
    p.s.push_back((static_cast<double>(b) + 0.5) / (2 * static_cast<double>(bins)));
    p.free_energy_eV.push_back(energy(p.seen, b));
    p.std_eV.push_back(jackknife(of.blocks, p.seen, [&](const auto& rest) { return energy(rest, b); }));
  }
  p.barrier_eV = p.free_energy_eV[least];
  p.barrier_std_eV = p.std_eV[least];
  constexpr double poisson_95_of_none = 3.0;
  p.barrier_bound_eV = p.seen[least] > 0 || p.seen[most] == 0
                           ? nan
                           : kT * std::log(static_cast<double>(p.seen[most]) / poisson_95_of_none);
  // One-way flux ρ√(k_B T/2πm), twice; ρ from the two bins that meet in the middle, an ion and frame.
  const double width_A = of.length_A / (2 * static_cast<double>(bins));
  const double density = static_cast<double>(p.seen.back()) / (2 * width_A) /
                         (static_cast<double>(view_.n_frames()) * static_cast<double>(view_.n_ions()));
  const double mass = atomic_mass_amu(options_.species) * constants::amu_A2_per_fs2_in_eV;
  constexpr double fs_in_ps = 1000;
  p.rate_per_ps = 2 * density * std::sqrt(kT / (2 * std::numbers::pi * mass)) * fs_in_ps;
  return p;
}

std::vector<HopProfile> HopProfileAccumulator::profiles(double temperature_K) const {
  if (!(temperature_K > 0)) throw InputError("paths: a temperature of {} K", temperature_K);
  if (view_.n_frames() == 0) throw InputError("paths: no frames");
  std::vector<HopProfile> result;
  for (const Class& c : classes_) result.push_back(profile(c, temperature_K));
  return result;
}

}  // namespace solion::transport
