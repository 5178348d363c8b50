// Keys and columns of `solion analyze rdf|vanhove|density|paths`.
#include "solion/transport/reports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace solion::transport {
namespace {

std::string name_of(const RdfCurve& curve) { return curve.pair.first + "-" + curve.pair.second; }

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double v : values) list.push_back(json_number(v));
  return list;
}

double largest(const Grid& grid) { return *std::max_element(grid.values.begin(), grid.values.end()); }

double visited_share(const Grid& grid) {
  const auto visited =
      std::count_if(grid.values.begin(), grid.values.end(), [](double value) { return value > 0; });
  return static_cast<double>(visited) / static_cast<double>(grid.values.size());
}

}  // namespace

Json rdf_json(const std::vector<RdfCurve>& curves, double bin_A) {
  Json json = {{"n_frames", curves.front().n_frames},
               {"bin_A", bin_A},
               {"r_A", curves.front().r_A},
               {"pairs", Json::array()}};
  for (const RdfCurve& curve : curves) {
    json["pairs"].push_back({{"pair", name_of(curve)},
                             {"g", curve.g},
                             {"running_coordination", curve.coordination},
                             {"first_peak_A", json_number(curve.first_peak_A)},
                             {"first_peak_g", json_number(curve.first_peak_g)},
                             {"first_minimum_A", json_number(curve.first_minimum_A)},
                             {"coordination_number", json_number(curve.first_coordination)}});
  }
  return json;
}

Columns rdf_columns(const std::vector<RdfCurve>& curves) {
  Columns table;
  table.add("r_A", curves.front().r_A);
  for (const RdfCurve& curve : curves) {
    table.add(name_of(curve) + "_g", curve.g);
    table.add(name_of(curve) + "_n", curve.coordination);
  }
  return table;
}

std::string rdf_text(const std::vector<RdfCurve>& curves) {
  std::string lines = fmt::format("{:>8} {:>12} {:>10} {:>16} {:>14}\n", "pair", "first peak Å", "height",
                                  "first minimum Å", "coordination");
  const auto shown = [](double value, const char* none) {
    return std::isfinite(value) ? fmt::format("{:.3f}", value) : std::string(none);
  };
  for (const RdfCurve& curve : curves) {
    lines += fmt::format("{:>8} {:>12} {:>10} {:>16} {:>14}\n", name_of(curve),
                         shown(curve.first_peak_A, "none"), shown(curve.first_peak_g, "-"),
                         shown(curve.first_minimum_A, "none"), shown(curve.first_coordination, "-"));
  }
  return lines;
}

Json van_hove_json(const std::vector<VanHoveCurve>& curves, const VanHoveOptions& options) {
  Json json = {{"species", options.species}, {"times", Json::array()}};
  for (const VanHoveCurve& c : curves) {
    json["r_A"] = c.r_A;
    Json one = {{"time_ps", c.time_fs * 1e-3},
                {"self_per_A", c.self},
                {"msd_A2", c.msd_A2},
                {"n_origins", c.n_origins},
                {"non_gaussian", c.non_gaussian}};
    if (options.distinct) one["distinct"] = c.distinct;
    json["times"].push_back(std::move(one));
  }
  return json;
}

Columns van_hove_columns(const std::vector<VanHoveCurve>& curves, const VanHoveOptions& options) {
  Columns table;
  table.add("r_A", curves.front().r_A);
  for (const VanHoveCurve& c : curves) {
    const std::string name = fmt::format("{:g}ps", c.time_fs * 1e-3);
    table.add("self_" + name, c.self);
    if (options.distinct) table.add("distinct_" + name, c.distinct);
  }
  return table;
}

std::string van_hove_text(const std::vector<VanHoveCurve>& curves) {
  std::string lines = fmt::format("{:>10} {:>12} {:>10} {:>8}\n", "time ps", "MSD Å²", "alpha_2", "origins");
  for (const VanHoveCurve& c : curves)
    lines += fmt::format("{:>10.4g} {:>12.4g} {:>10.3f} {:>8}\n", c.time_fs * 1e-3, c.msd_A2, c.non_gaussian,
                         c.n_origins);
  return lines;
}

DensityReport report(const DensityAccumulator& density, double temperature_K) {
  DensityReport r;
  r.species = density.species();
  r.n_frames = density.n_frames();
  r.grid = density.density();
  r.temperature_K = temperature_K;
  if (temperature_K > 0) r.barrier_eV = density.barrier_eV(temperature_K);
  return r;
}

Json to_json(const DensityReport& r) {
  Json json = {{"species", r.species},
               {"n_frames", r.n_frames},
               {"grid", {r.grid.n[0], r.grid.n[1], r.grid.n[2]}},
               {"largest_per_A3", largest(r.grid)},
               {"visited_share", visited_share(r.grid)}};
  if (!(r.temperature_K > 0)) return json;
  json["temperature_K"] = r.temperature_K;
  const double(&level)[3] = r.barrier_eV.level;
  json["free_energy_barrier_eV"] = {json_number(level[0]), json_number(level[1]), json_number(level[2])};
  return json;
}

Columns columns(const DensityReport& r) {
  std::vector<double> axis[3];
  for (int x = 0; x < r.grid.n[0]; ++x)
    for (int y = 0; y < r.grid.n[1]; ++y)
      for (int z = 0; z < r.grid.n[2]; ++z) {
        axis[0].push_back((x + 0.5) / r.grid.n[0]);
        axis[1].push_back((y + 0.5) / r.grid.n[1]);
        axis[2].push_back((z + 0.5) / r.grid.n[2]);
      }
  Columns table;
  table.add("a", axis[0]);
  table.add("b", axis[1]);
  table.add("c", axis[2]);
  table.add("ions_per_A3", r.grid.values);
  return table;
}

std::string text(const DensityReport& r) {
  std::string lines = fmt::format(
      "{} on {}×{}×{} voxels over {} frames: {:.1f} % visited, at most {:.4g} ions/Å³\n", r.species,
      r.grid.n[0], r.grid.n[1], r.grid.n[2], r.n_frames, 100 * visited_share(r.grid), largest(r.grid));
  if (!(r.temperature_K > 0)) return lines;
  for (int k = 0; k < 3; ++k) {
    const double level = r.barrier_eV.level[k];
    lines += fmt::format("free energy to cross the cell in {} dimension{}: {}\n", k + 1, k > 0 ? "s" : "",
                         std::isfinite(level) ? fmt::format("{:.4f} eV", level) : "never seen");
  }
  return lines;
}

Json to_json(const std::vector<HopProfile>& profiles) {
  Json list = Json::array();
  for (const HopProfile& p : profiles) {
    list.push_back({{"length_A", p.length_A},
                    {"n_edges", p.n_edges},
                    {"radius_A", p.radius_A},
                    {"s", p.s},
                    {"free_energy_eV", numbers(p.free_energy_eV)},
                    {"free_energy_std_eV", numbers(p.std_eV)},
                    {"seen", p.seen},
                    {"barrier_eV", json_number(p.barrier_eV)},
                    {"barrier_std_eV", json_number(p.barrier_std_eV)},
                    {"barrier_above_eV", json_number(p.barrier_bound_eV)},
                    {"rate_per_ps", p.rate_per_ps}});
  }
  return list;
}

Columns columns(const std::vector<HopProfile>& profiles) {
  std::vector<double> length, s, energy, error;
  for (const HopProfile& p : profiles) {
    length.insert(length.end(), p.s.size(), p.length_A);
    s.insert(s.end(), p.s.begin(), p.s.end());
    energy.insert(energy.end(), p.free_energy_eV.begin(), p.free_energy_eV.end());
    error.insert(error.end(), p.std_eV.begin(), p.std_eV.end());
  }
  Columns table;
  table.add("length_A", length);
  table.add("s", s);
  table.add("free_energy_eV", energy);
  table.add("free_energy_std_eV", error);
  return table;
}

std::string text(const std::vector<HopProfile>& profiles) {
  std::string lines;
  for (const HopProfile& p : profiles) {
    lines += fmt::format("{} lines of {:.3f} Å: ", p.n_edges, p.length_A);
    if (std::isfinite(p.barrier_eV)) {
      lines += fmt::format("{:.3f} ± {:.3f} eV, {:.3g} passages of the middle an ion and ps\n", p.barrier_eV,
                           p.barrier_std_eV, p.rate_per_ps);
    } else if (std::isfinite(p.barrier_bound_eV)) {
      lines += fmt::format("not passed; above {:.3f} eV\n", p.barrier_bound_eV);
    } else {
      lines += "no ion was seen there\n";
    }
  }
  return lines;
}

}  // namespace solion::transport
