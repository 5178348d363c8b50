// Pair histograms over the exact neighbour list, and the first shell of a g(r).
#include "solion/transport/rdf.hpp"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <tuple>

#include "solion/base/archive.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

double sphere(double r) { return 4.0 / 3.0 * constants::pi * r * r * r; }

/// g smeared by a Gaussian of 0.05 Å, so that the noise of single bins makes no shells.
std::vector<double> smooth(const std::vector<double>& g, double bin) {
  constexpr double width = 0.05;
  const int reach = static_cast<int>(3 * width / bin) + 1;
  const int n = static_cast<int>(g.size());
  std::vector<double> result(g.size());
  for (int i = 0; i < n; ++i) {
    double sum = 0, weight = 0;
    for (int j = std::max(0, i - reach); j <= std::min(n - 1, i + reach); ++j) {
      const double x = (j - i) * bin / width;
      const double w = std::exp(-0.5 * x * x);
      sum += w * g[static_cast<std::size_t>(j)];
      weight += w;
    }
    result[static_cast<std::size_t>(i)] = sum / weight;
  }
  return result;
}

/// So improbable that no stretch of a g(r) holds so many pairs by chance.
constexpr double by_chance = 1e-3;
/// Neighbours of a centre in a stretch that is too few to be a shell, however near it is.
constexpr double stray = 0.1;

/// Finds the first shell: the first stretch with g > 1 that rises above 1.2 and holds more pairs than chance
/// would put there (`count` against `expected`, by bin; Poisson), then the least g before the next. A few
/// stray pairs in front of it are passed over; a stretch that may be a shell, and may be chance, ends the
/// search.
void find_shell(RdfCurve& curve, double bin, const std::vector<double>& count,
                const std::vector<double>& expected) {
  const std::vector<double> g = smooth(curve.g, bin);
  std::size_t begin = 0, end = 0, peak = 0;
  for (;;) {
    begin = end;
    while (begin < g.size() && !(g[begin] > 1)) ++begin;
    end = begin;
    while (end < g.size() && g[end] > 1) ++end;
    if (begin == g.size()) return;
    peak = static_cast<std::size_t>(std::max_element(g.begin() + static_cast<std::ptrdiff_t>(begin),
                                                     g.begin() + static_cast<std::ptrdiff_t>(end)) -
                                    g.begin());
    double found = 0, chance = 0;
    for (std::size_t k = begin; k < end; ++k) {
      found += count[k];
      chance += expected[k];
    }
    if (!(g[peak] > 1.2)) continue;
    if (found > 0 && boost::math::gamma_p(found, chance) < by_chance) break;
    if (curve.coordination[end - 1] - (begin > 0 ? curve.coordination[begin - 1] : 0) > stray) return;
  }
  if (peak + 1 == g.size()) return;  // still rising at r_max
  curve.first_peak_A = curve.r_A[peak];
  curve.first_peak_g = curve.g[peak];
  std::size_t next = end;
  while (next < g.size() && !(g[next] > 1)) ++next;
  if (next == g.size()) return;  // the next shell lies beyond r_max
  const double least = *std::min_element(g.begin() + static_cast<std::ptrdiff_t>(end),
                                         g.begin() + static_cast<std::ptrdiff_t>(next));
  if (!(least < 0.9)) return;
  // The middle of the bottom, which in a cold crystal is an empty stretch.
  std::size_t low = end, high = next;
  while (!(g[low] <= least + 1e-3)) ++low;
  while (!(g[high - 1] <= least + 1e-3)) --high;
  const std::size_t minimum = (low + high - 1) / 2;
  curve.first_minimum_A = curve.r_A[minimum];
  curve.first_coordination = curve.coordination[minimum];
}

std::string present(const TypeMap& types, const std::vector<std::int64_t>& atoms) {
  std::vector<std::string> species;
  for (int t = 0; t < types.size(); ++t) {
    const std::int64_t n = atoms[static_cast<std::size_t>(t)];
    if (n > 0) species.push_back(fmt::format("{}{}", types.name(t), n));
  }
  return fmt::format("{}", fmt::join(species, " "));
}

}  // namespace

ElementPair parse_pair(const std::string& text) {
  const auto dash = text.find('-');
  if (dash == std::string::npos || dash == 0 || dash + 1 == text.size() ||
      text.find('-', dash + 1) != std::string::npos)
    throw InputError("'{}' is no pair of elements; expected for example Li-O", text);
  return {text.substr(0, dash), text.substr(dash + 1)};
}

RdfAccumulator::RdfAccumulator(RdfOptions options) : options_(std::move(options)) {
  if (options_.pairs.empty()) throw InputError("rdf: no pairs given");
  if (!(options_.r_max_A > 0) || !(options_.bin_A > 0) || !(options_.r_max_A / options_.bin_A < 1e6)) {
    throw InputError(
        "rdf: r_max {} Å with bins of {} Å; expected positive lengths and at most a million bins",
        options_.r_max_A, options_.bin_A);
  }
  constexpr double least_A = 0.5, least_bins = 10;  // nearer no two atoms are, and fewer bins show no shell
  if (!(options_.r_max_A >= least_A) || !(options_.r_max_A / options_.bin_A >= least_bins * (1 - 1e-9))) {
    throw InputError("rdf: r_max {} Å with bins of {} Å; expected at least {} Å and {} bins",
                     options_.r_max_A, options_.bin_A, least_A, least_bins);
  }
  const auto bins = static_cast<std::size_t>(std::ceil(options_.r_max_A / options_.bin_A - 1e-9));
  options_.r_max_A = static_cast<double>(bins) * options_.bin_A;
  sums_.resize(options_.pairs.size());
  for (Sums& s : sums_) s.count.resize(bins);
}

void RdfAccumulator::add(const Frame& frame, const std::string& where) {
  if (!frame.cell) throw InputError("{}: no cell; a g(r) needs a density", where);
  std::vector<std::int64_t> atoms(static_cast<std::size_t>(frame.type_map.size()));
  for (const int t : frame.types) atoms[static_cast<std::size_t>(t)] += 1;
  add_composition(frame.type_map, atoms, frame.cell->volume(), where);
  const auto n_types = static_cast<std::size_t>(frame.type_map.size());
  std::vector<std::vector<std::size_t>> wanted(n_types * n_types);  // pairs of the options by (type, type)
  for (std::size_t p = 0; p < sums_.size(); ++p) {
    const Sums& s = sums_[p];
    wanted[static_cast<std::size_t>(s.a) * n_types + static_cast<std::size_t>(s.b)].push_back(p);
  }
  constexpr double no_skin = 0;  // frames are too far apart for a list of one to hold in the next
  near_.update(frame, options_.r_max_A, no_skin);
  for (int i = 0; i < near_.n_local(); ++i) {
    const std::size_t row = static_cast<std::size_t>(frame.types[static_cast<std::size_t>(i)]) * n_types;
    const Vec3 centre = near_.position(i);
    for (const int j : near_.neighbors(i)) {
      const int type = frame.types[static_cast<std::size_t>(near_.owner(j))];
      const auto& pairs = wanted[row + static_cast<std::size_t>(type)];
      if (pairs.empty()) continue;
      const auto bin = static_cast<std::size_t>((near_.position(j) - centre).norm() / options_.bin_A);
      for (const std::size_t p : pairs)
        if (bin < sums_[p].count.size()) sums_[p].count[bin] += 1;
    }
  }
}

void RdfAccumulator::add(const PairCounts& counts, const std::string& where) {
  if (counts.bins != n_bins() || counts.bin_A != options_.bin_A)
    throw InputError("{}: {} bins of {} Å were counted; expected {} of {} Å", where, counts.bins,
                     counts.bin_A, n_bins(), options_.bin_A);
  add_composition(counts.type_map, counts.atoms, counts.volume_A3, where);
  for (Sums& s : sums_) {
    for (int k = 0; k < counts.bins; ++k)
      s.count[static_cast<std::size_t>(k)] += static_cast<double>(counts.at(s.a, s.b, k));
  }
}

/// One more frame of so many atoms of each type.
void RdfAccumulator::add_composition(const TypeMap& types, const std::vector<std::int64_t>& atoms,
                                     double volume_A3, const std::string& where) {
  const auto type_of = [&](const std::string& name) {
    const int t = types.find(name);
    if (t < 0 || atoms[static_cast<std::size_t>(t)] == 0)
      throw InputError("{}: no atom is of species '{}'; found {}", where, name, present(types, atoms));
    return t;
  };
  std::vector<std::pair<int, int>> found;
  for (const auto& [a, b] : options_.pairs) found.emplace_back(type_of(a), type_of(b));
  for (std::size_t p = 0; p < sums_.size(); ++p) {
    Sums& s = sums_[p];
    std::tie(s.a, s.b) = found[p];
    const auto n_a = static_cast<double>(atoms[static_cast<std::size_t>(s.a)]),
               n_b = static_cast<double>(atoms[static_cast<std::size_t>(s.b)]);
    s.centres += n_a;
    s.density += n_a * n_b / volume_A3;
  }
  ++n_frames_;
}

std::string RdfAccumulator::save() const { return save_state(*this); }

void RdfAccumulator::load(std::string_view bytes) {
  near_.clear();
  load_state(bytes, *this);
}

std::vector<RdfCurve> RdfAccumulator::curves() const {
  if (n_frames_ == 0) throw InputError("rdf: no frames");
  std::vector<RdfCurve> curves;
  for (std::size_t p = 0; p < sums_.size(); ++p) {
    const Sums& s = sums_[p];
    RdfCurve curve;
    curve.pair = options_.pairs[p];
    curve.n_frames = n_frames_;
    double inside = 0;
    std::vector<double> expected;
    for (std::size_t k = 0; k < s.count.size(); ++k) {
      const double low = static_cast<double>(k) * options_.bin_A, high = low + options_.bin_A;
      inside += s.count[k];
      curve.r_A.push_back(0.5 * (low + high));
      expected.push_back(s.density * (sphere(high) - sphere(low)));
      curve.g.push_back(s.count[k] / expected.back());
      curve.coordination.push_back(inside / s.centres);
    }
    find_shell(curve, options_.bin_A, s.count, expected);
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace solion::transport
