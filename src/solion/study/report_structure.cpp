// The inside of the frames: distances, polyhedra, atomic energies, channels, hops, paths in space, annealing.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/study/report_parts.hpp"

namespace solion::study {
namespace {

/// The highest temperature of those that did not fail.
double hottest(const Json& points) {
  double T = 0;
  for (const Json& p : points) {
    if (!p.contains("failed")) T = std::max(T, p["temperature_K"].get<double>());
  }
  return T;
}

std::vector<Item> rdf_figures(const Json& points) {
  std::map<std::string, Figure> figures;
  const double T = hottest(points);
  for (const auto& p : points) {
    if (p.contains("failed") || p["temperature_K"].get<double>() != T) continue;
    const std::string name = p["structure"];
    for (const auto& [pair, g] : p["rdf"].items()) {
      Figure& figure = figures[pair];
      figure.id = "rdf-" + pair;
      figure.caption = fmt::format("Radial distribution function {} at {:g} K", pair, T);
      figure.definition =
          "Density of the second species at distance r from the first, over its mean density.";
      figure.x_label = "r (Å)";
      figure.y_label = "g(r)";
      figure.series.push_back(
          {name, doubles(g["r_A"]), doubles(g["g"]), {}, report::colour_of(name), Mark::line, false, false});
    }
  }
  std::vector<Item> items;
  items.reserve(figures.size());
  for (auto& [pair, figure] : figures) items.emplace_back(std::move(figure));
  return items;
}

/// Frames of one structure at one temperature that were looked at.
bool looked_at(const Json& point) { return !point.contains("failed") && point.contains("hops"); }

std::string with_error(const Json& value, const Json& error, const char* format) {
  return value.is_number() ? number(value, format) + " ± " + number(error, format) : std::string("–");
}

Table polyhedra_table(const Config& config, const Json& structures) {
  const std::string name = config.structure.ligand + "–" + config.structure.centre;
  Table table{"polyhedra",
              name + " polyhedra, on relaxed frames",
              {"structure", "T (K)", "mean coordination", "six-fold (%)", "fewer (%)", "distortion index",
               "angle variance (deg²)"},
              {},
              {"Ligands within the first minimum of g(r). Distortion index (1/6)Σ((d−d̄)/d̄)² and variance of "
               "the twelve "
               "angles about 90°, of six-fold centres, with standard errors by blocks of frames."}};
  for (const Json& p : structures) {
    if (!looked_at(p)) continue;
    const Json& c = p["polyhedra"];
    if (!c.is_object()) {
      table.notes.push_back(fmt::format("{} at {} K: g(r) has no first minimum",
                                        p["structure"].get<std::string>(),
                                        number(p["temperature_K"], "{:g}")));
      continue;
    }
    table.rows.push_back({p["structure"], number(p["temperature_K"], "{:g}"),
                          number(c["mean_coordination"], "{:.3f}"),
                          number(100 * c["share"].value("6", 0.0), "{:.1f}"),
                          number(100 * c["under_coordinated"].get<double>(), "{:.1f}"),
                          with_error(c["distortion_index"], c["distortion_index_std"], "{:.2g}"),
                          with_error(c["angle_variance_deg2"], c["angle_variance_std_deg2"], "{:.3g}")});
  }
  return table;
}

/// One curve a structure against temperature.
template <typename Value>
Figure against_temperature(const Json& structures, Figure figure, const Value& value) {
  std::map<std::string, Series> by_structure;
  for (const Json& p : structures) {
    if (!looked_at(p)) continue;
    const Json y = value(p);
    if (!y.is_number()) continue;
    const std::string name = p["structure"];
    Series& s = by_structure[name];
    s.name = name;
    s.colour = report::colour_of(name);
    s.mark = Mark::line_and_points;
    s.x.push_back(p["temperature_K"]);
    s.y.push_back(y);
  }
  figure.x_label = "T (K)";
  for (auto& [name, s] : by_structure) figure.series.push_back(std::move(s));
  return figure;
}

/// One curve a structure at the highest temperature.
template <typename Curve>
Figure at_hottest(const Json& structures, Figure figure, const Curve& curve) {
  const double T = hottest(structures);
  for (const Json& p : structures) {
    if (!looked_at(p) || p["temperature_K"].get<double>() != T) continue;
    Series s = curve(p);
    s.name = p["structure"];
    s.colour = report::colour_of(s.name);
    figure.series.push_back(std::move(s));
  }
  return figure;
}

Figure energies_figure(const Json& structures, const std::string& species) {
  Figure figure;
  figure.id = "doas";
  figure.caption = fmt::format("Density of atomistic states of {} at {:g} K", species, hottest(structures));
  figure.definition =
      "Distribution of the model's atomic energies of the mobile ion in frames relaxed at fixed cell, about "
      "their mean. "
      "Atomic energies are a gauge of the model: compare within this one only.";
  figure.x_label = "atomic energy − mean (eV)";
  figure.y_label = "density (1/eV)";
  return at_hottest(structures, figure, [](const Json& p) {
    Series s;
    s.x = doubles(p["doas"]["energy_eV"]);
    s.y = doubles(p["doas"]["density_per_eV"]);
    return s;
  });
}

Figure channels_figure(const Json& structures) {
  Figure figure;
  figure.id = "channels";
  figure.caption = fmt::format(
      "Cumulative distribution of the bottleneck radii of diffusion channels at {:g} K", hottest(structures));
  figure.definition =
      "Bottleneck of an edge between neighbouring sites: the largest, over paths, of the smallest distance "
      "to an anion "
      "less its radius. Over all edges and the chosen frames.";
  figure.x_label = "bottleneck radius (Å)";
  figure.y_label = "share of edges with less";
  return at_hottest(structures, figure, [](const Json& p) {
    Series s;
    if (!p.contains("channels")) return s;
    s.x = doubles(p["channels"]["quantiles_A"]);
    for (std::size_t k = 0; k < s.x.size(); ++k)
      s.y.push_back(static_cast<double>(k) / static_cast<double>(s.x.size() - 1));
    return s;
  });
}

/// Of the shortest lines between sites; nullptr without one.
const Json* shortest_profile(const Json& point) {
  const auto found = point.find("profiles");
  return found == point.end() || found->empty() ? nullptr : &found->front();
}

std::string free_energy_to_pass(const Json& profile) {
  if (profile["barrier_eV"].is_number())
    return with_error(profile["barrier_eV"], profile["barrier_std_eV"], "{:.3f}");
  return profile["barrier_above_eV"].is_number() ? "> " + number(profile["barrier_above_eV"], "{:.2f}")
                                                 : std::string("–");
}

Figure profiles_figure(const Json& structures, const std::string& species) {
  Figure figure;
  figure.id = "hop-profiles";
  figure.caption =
      fmt::format("Free energy of {} from a site to the middle of the line to the next, at {:g} K", species,
                  hottest(structures));
  figure.definition =
      "−k_B T ln of the number of ions a length in a tube about the line, over all of the shortest lines "
      "between "
      "sites; from its least. Bars: a jackknife over blocks of time.";
  figure.x_label = "distance from the site (Å)";
  figure.y_label = "F (eV)";
  return at_hottest(structures, figure, [](const Json& p) {
    Series s;
    const Json* profile = shortest_profile(p);
    if (profile == nullptr) return s;
    const auto& energy = (*profile)["free_energy_eV"];
    const auto& error = (*profile)["free_energy_std_eV"];
    s.mark = Mark::line_and_points;
    for (std::size_t k = 0; k < energy.size(); ++k) {
      if (!energy[k].is_number()) continue;
      s.x.push_back((*profile)["s"][k].get<double>() * (*profile)["length_A"].get<double>());
      s.y.push_back(energy[k]);
      s.y_error.push_back(error[k].is_number() ? error[k].get<double>() : std::nan(""));
    }
    return s;
  });
}

Table profiles_table(const Json& structures) {
  Table table{
      "free-energy",
      "Free energy to pass from a site to the next, and what it makes of the rate",
      {"structure", "T (K)", "free energy to pass (eV)", "middle passed (1/ps an ion)", "hops (1/ps an ion)"},
      {},
      {"From the least to the highest along the shortest lines between sites; passages of their middle by "
       "transition state theory, in either direction and with those that turn back, beside the hops that "
       "were counted."}};
  for (const Json& p : structures) {
    const Json* profile = looked_at(p) ? shortest_profile(p) : nullptr;
    if (profile == nullptr) continue;
    table.rows.push_back({p["structure"], number(p["temperature_K"], "{:g}"), free_energy_to_pass(*profile),
                          number((*profile)["rate_per_ps"], "{:.2g}"),
                          with_error(p["hops"]["rate_per_ps"], p["hops"]["rate_std_per_ps"], "{:.2g}")});
  }
  return table;
}

Table motion_table(const Json& structures) {
  Table table{
      "hops",
      "Hops between sites, and the channels they use",
      {"structure", "T (K)", "hops", "rate (1/ps an ion)", "residence (ps)", "returned (%)",
       "correlation factor", "in concert (%)", "mean bottleneck (Å)", "critical radius, 3D (Å)"},
      {},
      {"A hop is counted when an ion comes within 0.4 of the least distance between sites of another site. "
       "Critical radius: what is wider spans the cell in three dimensions; ± is its deviation between "
       "frames."}};
  const auto percent = [](const Json& value) {
    return value.is_number() ? fmt::format("{:.0f}", 100 * value.get<double>()) : std::string("–");
  };
  for (const Json& p : structures) {
    if (p.contains("failed")) {
      note_failure(table, p);
      continue;
    }
    if (!looked_at(p)) continue;
    const Json& h = p["hops"];
    const Json channels = p.value("channels", Json());
    const bool open = channels.is_object();
    table.rows.push_back(
        {p["structure"], number(p["temperature_K"], "{:g}"), number(h["hops"], "{:g}"),
         with_error(h["rate_per_ps"], h["rate_std_per_ps"], "{:.2g}"), number(h["residence_ps"]),
         percent(h["returned"]), number(h["correlation_factor"], "{:.2f}"), percent(h["concerted"]),
         open ? number(channels["mean_A"], "{:.3f}") : std::string("–"),
         open ? with_error(channels["critical_A"][2], channels["critical_std_A"][2], "{:.3f}")
              : std::string("–")});
  }
  return table;
}

/// Does what surrounds an ion go with its hops?
Table before_hops_table(const Config& config, const Json& structures) {
  Table table{"before-hops",
              fmt::format("Ions that hop within {:g} ps, and the others", config.structure.hop_window_ps),
              {"structure", "T (K)", "ions × frames that hop", "energy, hopping (eV)", "staying", "p",
               "coordination, hopping", "staying", "p", "channel, hopping (Å)", "staying", "p"},
              {},
              {"Means over ions and frames: atomic energy on the relaxed frame about the mean of the frame's "
               "ions, ligands of the "
               "least coordinated centre that the ion belongs to, widest bottleneck at its site. p: "
               "two-sided, by dealing the "
               "hop series of whole ions out to other ions. With many p values a twentieth of them are below "
               "0.05 by chance."}};
  SharedNotes too_short;
  for (const Json& p : structures) {
    if (!looked_at(p) || !p.contains("before_hops")) continue;
    const Json& c = p["before_hops"];
    if (c.empty()) {
      too_short.add(
          fmt::format("Shorter than the {:g} ps of structure.hop_window_ps, so that nothing is known",
                      config.structure.hop_window_ps),
          p["structure"], p["temperature_K"]);
      continue;
    }
    std::vector<std::string> row{
        p["structure"], number(p["temperature_K"], "{:g}"),
        fmt::format("{} of {}", c[0]["n_hopping"].get<std::size_t>(),
                    c[0]["n_hopping"].get<std::size_t>() + c[0]["n_staying"].get<std::size_t>())};
    for (const Json& property : c) {
      row.push_back(number(property["hopping"], "{:.3f}"));
      row.push_back(number(property["staying"], "{:.3f}"));
      row.push_back(number(property["p_value"], "{:.4f}"));
    }
    table.rows.push_back(std::move(row));
  }
  too_short.write(table.notes);
  return table;
}

/// Paths of the ions that went farthest, and the surface that holds the densest nine tenths.
report::Scene scene_of(const Json& point, const std::string& species) {
  const std::string name = point["structure"];
  const Json& d = point["density"];
  report::Scene scene;
  scene.id = "paths-" + name;
  scene.caption = fmt::format("Paths of {} in {} at {} K, and where it is nine tenths of the time", species,
                              name, number(point["temperature_K"], "{:g}"));
  scene.definition =
      "Unwrapped positions with the framework's mean displacement taken off, of the ions that went farthest; "
      "the surface encloses the densest voxels that hold 90 % of the ions.";
  scene.cell = Vec3(d["cell_A"][0], d["cell_A"][1], d["cell_A"][2]).asDiagonal();
  if (!d["orthogonal"].get<bool>()) scene.cell.setZero();
  for (const Json& path : point["paths"]) {
    report::Path line{fmt::format("{} {}", species, path["ion"].get<int>()), {}, "", Mark::line};
    for (const Json& r : path["points_A"]) line.points.emplace_back(r[0], r[1], r[2]);
    scene.paths.push_back(std::move(line));
  }
  if (d["orthogonal"].get<bool>()) {
    report::Isosurface surface;
    surface.name = "density of " + species;
    surface.n = Int3(d["n"][0], d["n"][1], d["n"][2]);
    surface.values = doubles(d["per_A3"]);
    std::vector<double> sorted = surface.values;
    std::sort(sorted.rbegin(), sorted.rend());
    double total = 0, held = 0;
    for (const double v : sorted) total += v;
    for (const double v : sorted) {
      surface.level = v;
      if ((held += v) >= 0.9 * total) break;
    }
    surface.colour = report::colour_of(name);
    scene.surfaces.push_back(std::move(surface));
  }
  return scene;
}

std::vector<Item> annealing_items(const Config& config, const Json& annealing) {
  const AnnealingConfig& a = config.annealing;
  std::vector<Item> items;
  Table table{"annealing",
              fmt::format("Annealing: {:g} ps at {:g} K, between ramps of {:g} ps from and to {:g} K",
                          a.hold_ps, a.high_K, a.ramp_ps, a.low_K),
              {"structure", "mean coordination before", "after", "under-coordinated before (%)", "after (%)"},
              {},
              {}};
  std::map<std::string, Figure> figures;
  for (const auto& [name, of_name] : annealing.items()) {
    const Json& r = of_name;  // clang 14 lets no lambda capture a structured binding
    if (r.contains("failed")) {
      table.notes.push_back(fmt::format("{}: {}", name, r["failed"].get<std::string>()));
      continue;
    }
    const auto value = [&](const char* when, const char* key, double factor, const char* format) {
      return r[when].contains(key) ? number(factor * r[when][key].get<double>(), format) : std::string("–");
    };
    table.rows.push_back({name, value("before", "mean_coordination", 1, "{:.3f}"),
                          value("after", "mean_coordination", 1, "{:.3f}"),
                          value("before", "under_coordinated", 100, "{:.1f}"),
                          value("after", "under_coordinated", 100, "{:.1f}")});
    for (const char* when : {"before", "after"}) {
      for (const auto& [pair, g] : r[when]["rdf"].items()) {
        Figure& figure = figures[pair];
        figure.id = "annealing-" + pair;
        figure.caption = fmt::format("g(r) of {} at {:g} K before and after annealing", pair, a.low_K);
        figure.definition = "Over the frames of the hold before heating and of the one after cooling.";
        figure.x_label = "r (Å)";
        figure.y_label = "g(r)";
        figure.series.push_back({name + " " + when,
                                 doubles(g["r_A"]),
                                 doubles(g["g"]),
                                 {},
                                 report::colour_of(name),
                                 Mark::line,
                                 std::string_view(when) == "before",
                                 false});
      }
    }
  }
  items.emplace_back(std::move(table));
  for (auto& [pair, figure] : figures) items.emplace_back(std::move(figure));
  return items;
}

}  // namespace

Section structure_section(const Config& config, const Json& numbers) {
  Section section{"Structure", rdf_figures(numbers["points"])};
  if (numbers.contains("structures")) {
    const Json& s = numbers["structures"];
    section.items.emplace_back(polyhedra_table(config, s));
    Figure six;
    six.id = "six-fold";
    six.caption =
        fmt::format("{}{}₆ octahedra against temperature", config.structure.centre, config.structure.ligand);
    six.definition =
        "Share of centres with six ligands within the first minimum of g(r), on frames relaxed at fixed "
        "cell.";
    six.y_label = "share of centres";
    section.items.emplace_back(against_temperature(s, six, [](const Json& p) {
      return p["polyhedra"].is_object() ? Json(p["polyhedra"]["share"].value("6", 0.0)) : Json();
    }));
    section.items.emplace_back(energies_figure(s, config.transport.species));
    if (!config.structure.channel_radii_A.empty()) section.items.emplace_back(channels_figure(s));
    section.items.emplace_back(motion_table(s));
    section.items.emplace_back(profiles_figure(s, config.transport.species));
    section.items.emplace_back(profiles_table(s));
    section.items.emplace_back(before_hops_table(config, s));
    for (const Json& p : s) {
      if (looked_at(p) && p.contains("paths"))
        section.items.emplace_back(scene_of(p, config.transport.species));
    }
  }
  if (numbers.contains("annealing")) {
    for (auto& item : annealing_items(config, numbers["annealing"])) section.items.push_back(std::move(item));
  }
  return section;
}

}  // namespace solion::study
