// The inside of the frames: distances, polyhedra, atomic energies, channels, hops, paths in space, annealing.
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/study/report_parts.hpp"

namespace solion::study {
namespace {

bool has_run(const Json& point) { return !point.contains("failed") && sound(point); }

/// Frames of one structure at one temperature that were looked at, and are worth it.
bool looked_at(const Json& point) { return has_run(point) && point.contains("doas"); }

/// Where ions sat at sites: not in a melt.
bool has_sites(const Json& point) { return looked_at(point) && point.contains("hops"); }

/// The highest temperature of those that there is something of.
double hottest(const Json& points, bool (*there)(const Json&) = looked_at) {
  double T = 0;
  for (const Json& p : points) {
    if (there(p)) T = std::max(T, p["temperature_K"].get<double>());
  }
  return T;
}

std::vector<Item> rdf_figures(const Json& points) {
  std::map<std::string, Figure> figures;
  const double T = hottest(points, has_run);
  for (const auto& p : points) {
    if (!has_run(p) || p["temperature_K"].get<double>() != T) continue;
    const std::string name = p["structure"];
    for (const auto& [pair, g] : p["rdf"].items()) {
      Figure& figure = figures[pair];
      figure.id = "rdf-" + pair;
      figure.caption = fmt::format("Radial distribution function {} at {:g} K", pair, T);
      figure.definition =
          "Density of the second species at distance r from the first, over its mean density." +
          states_of(points, T);
      figure.x_label = "r (Å)";
      figure.y_label = "g(r)";
      figure.series.push_back({name, doubles(g["r_A"]), doubles(g["g"]), {}, name, Mark::line, false, false});
    }
  }
  std::vector<Item> items;
  items.reserve(figures.size());
  for (auto& [pair, figure] : figures) items.emplace_back(std::move(figure));
  return items;
}

std::string with_error(const Json& value, const Json& error, const char* format) {
  return value.is_number() ? number(value, format) + " ± " + number(error, format) : std::string("–");
}

/// "six-fold", "4-fold".
std::string fold(int ligands) {
  return ligands == 6 ? std::string("six-fold") : fmt::format("{}-fold", ligands);
}

/// "LiO₄ tetrahedra".
std::string polyhedra_name(const StructureConfig& s) {
  static constexpr const char* small[] = {"₀", "₁", "₂", "₃", "₄", "₅", "₆", "₇", "₈", "₉"};
  std::string text = s.centre + s.ligand;
  for (const char digit : std::to_string(s.full)) text += small[digit - '0'];
  return text + (s.full == 6 ? " octahedra" : s.full == 4 ? " tetrahedra" : " polyhedra");
}

std::string angles_of(int full) {
  if (full == 6) return " and variance of the twelve angles about 90°,";
  return full == 4 ? " and variance of the six angles about 109.47°," : "";
}

/// Which frames, called relaxed, still had a force.
void note_unrelaxed(std::vector<std::string>& notes, const Json& structures) {
  SharedNotes shared;
  for (const Json& p : structures) {
    if (const auto n = looked_at(p) ? p.value("n_unrelaxed", std::size_t{0}) : 0; n > 0)
      shared.add(fmt::format("{} of the frames did not relax to the end and count as they were then", n),
                 p["structure"], p["temperature_K"]);
  }
  shared.write(notes);
}

/// For definitions that speak of relaxed frames.
std::string hint_of_unrelaxed(const Json& structures) {
  std::vector<std::string> notes;
  note_unrelaxed(notes, structures);
  return notes.empty() ? "" : " Not all of them relaxed to the end: see the notes of the table of polyhedra.";
}

/// A share in per cent, with its error where that is known.
std::string percent(const Json& share, const Json& error) {
  if (!share.is_number()) return "–";
  const std::string text = fmt::format("{:.1f}", 100 * share.get<double>());
  return error.is_number() ? fmt::format("{} ± {:.1f}", text, 100 * error.get<double>()) : text;
}

Json share_of_whole(const StructureConfig& s, const Json& polyhedra) {
  return polyhedra["share"].value(std::to_string(s.full), 0.0);
}

Table polyhedra_table(const Config& config, const Json& structures) {
  const StructureConfig& s = config.structure;
  Table table{
      "polyhedra",
      fmt::format("{}–{} polyhedra, on relaxed frames", s.ligand, s.centre),
      {"structure", "T (K)", "mean coordination", fold(s.full) + " (%)", "fewer (%)", "distortion index",
       "angle variance (deg²)"},
      {},
      {fmt::format("Ligands within the first minimum of g(r). Distortion index (1/{})Σ((d−d̄)/d̄)²{} of "
                   "{} centres, with standard errors by blocks of frames.",
                   s.full, angles_of(s.full), fold(s.full))}};
  note_unrelaxed(table.notes, structures);
  note_states(table.notes, structures);
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
                          percent(share_of_whole(s, c), c.value("six_fold_std", Json())),
                          percent(c["under_coordinated"], c.value("under_coordinated_std", Json())),
                          with_error(c["distortion_index"], c["distortion_index_std"], "{:.2g}"),
                          with_error(c["angle_variance_deg2"], c["angle_variance_std_deg2"], "{:.3g}")});
  }
  return table;
}

/// One curve a structure against temperature; `value` and `error` may be null.
template <typename Value, typename Error>
Figure against_temperature(const Json& structures, Figure figure, const Value& value, const Error& error) {
  std::map<std::string, Series> by_structure;
  for (const Json& p : structures) {
    if (!looked_at(p)) continue;
    const Json y = value(p), dy = error(p);
    if (!y.is_number()) continue;
    const std::string name = p["structure"];
    Series& s = by_structure[name];
    s.name = name;
    s.structure = name;
    s.mark = Mark::line_and_points;
    s.x.push_back(p["temperature_K"]);
    s.y.push_back(y);
    s.y_error.push_back(dy.is_number() ? dy.get<double>() : std::nan(""));
  }
  figure.x_label = "T (K)";
  figure.definition += states_of(structures);
  for (auto& [name, s] : by_structure) {
    sort_by_x(s);
    // Nothing rather than bars without a length.
    if (std::none_of(s.y_error.begin(), s.y_error.end(), [](double e) { return std::isfinite(e); }))
      s.y_error.clear();
    figure.series.push_back(std::move(s));
  }
  return figure;
}

Figure whole_figure(const StructureConfig& of, const Json& structures) {
  Figure figure;
  figure.id = fold(of.full);
  figure.caption = polyhedra_name(of) + " against temperature";
  figure.definition = fmt::format(
      "Share of centres with {} ligands within the first minimum of g(r), on frames relaxed at fixed cell.",
      of.full == 6 ? std::string("six") : std::to_string(of.full));
  figure.definition += hint_of_unrelaxed(structures);
  figure.y_label = "share of centres";
  const auto known = [](const Json& p) { return p["polyhedra"].is_object(); };
  return against_temperature(
      structures, figure,
      [&](const Json& p) { return known(p) ? share_of_whole(of, p["polyhedra"]) : Json(); },
      [&](const Json& p) { return known(p) ? p["polyhedra"].value("six_fold_std", Json()) : Json(); });
}

/// One curve a structure at the highest temperature of those that are there.
template <typename Curve>
Figure at_hottest(const Json& structures, Figure figure, const Curve& curve,
                  bool (*there)(const Json&) = looked_at) {
  const double T = hottest(structures, there);
  figure.definition += states_of(structures, T);
  for (const Json& p : structures) {
    if (!there(p) || p["temperature_K"].get<double>() != T) continue;
    Series s = curve(p);
    s.name = p["structure"];
    s.structure = s.name;
    figure.series.push_back(std::move(s));
  }
  return figure;
}

Figure energies_figure(const Json& structures, const std::string& species) {
  Figure figure;
  figure.id = "doas";
  figure.caption = fmt::format("Density of atomistic states of {} at {:g} K", species, hottest(structures));
  figure.definition =
      "Distribution of the model's atomic energies of the mobile ion in frames relaxed at fixed cell, each "
      "curve about its own mean: differences between the means do not show. Atomic energies are a gauge of "
      "the model: compare within this one only. Without a committee of models it is not known how small a "
      "difference means something: one below the committee's spread does not." +
      hint_of_unrelaxed(structures);
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
  figure.caption =
      fmt::format("Cumulative distribution of the bottleneck radii of diffusion channels at {:g} K",
                  hottest(structures, has_sites));
  figure.definition =
      "Bottleneck of an edge between neighbouring sites: the largest, over paths, of the smallest distance "
      "to an ion that blocks, less its radius. Over all edges and the chosen frames.";
  figure.x_label = "bottleneck radius (Å)";
  figure.y_label = "share of edges with less";
  return at_hottest(
      structures, figure,
      [](const Json& p) {
        Series s;
        if (!p.contains("channels")) return s;
        s.x = doubles(p["channels"]["quantiles_A"]);
        for (std::size_t k = 0; k < s.x.size(); ++k)
          s.y.push_back(static_cast<double>(k) / static_cast<double>(s.x.size() - 1));
        return s;
      },
      has_sites);
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
                  hottest(structures, has_sites));
  figure.definition =
      "−k_B T ln of the number of ions a length in a tube about the line, over all of the shortest lines "
      "between sites; from its least. Bars: a jackknife over blocks of time.";
  figure.x_label = "distance from the site (Å)";
  figure.y_label = "F (eV)";
  return at_hottest(
      structures, figure,
      [](const Json& p) {
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
      },
      has_sites);
}

/// With its error, or without a hop the bound on it.
std::string rate_of(const Json& hops) {
  const Json bound = hops.value("rate_bound_per_ps", Json());
  if (bound.is_number()) return "< " + number(bound, "{:.2g}");
  if (hops["hops"] == 0) return "0";  // ledgers from before there was a bound
  return with_error(hops["rate_per_ps"], hops["rate_std_per_ps"], "{:.2g}");
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
  note_states(table.notes, structures);
  for (const Json& p : structures) {
    const Json* profile = looked_at(p) ? shortest_profile(p) : nullptr;
    if (profile == nullptr) continue;
    table.rows.push_back({p["structure"], number(p["temperature_K"], "{:g}"), free_energy_to_pass(*profile),
                          number((*profile)["rate_per_ps"], "{:.2g}"), rate_of(p["hops"])});
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
  note_states(table.notes, structures);
  const auto whole = [](const Json& value) {
    return value.is_number() ? fmt::format("{:.0f}", 100 * value.get<double>()) : std::string("–");
  };
  for (const Json& p : structures) {
    if (p.contains("failed")) {
      note_failure(table, p);
      continue;
    }
    if (!looked_at(p)) continue;
    if (!has_sites(p)) {
      std::vector<std::string> row(table.header.size(), "–");
      row[0] = p["structure"];
      row[1] = number(p["temperature_K"], "{:g}");
      table.rows.push_back(std::move(row));
      continue;
    }
    const Json& h = p["hops"];
    const Json channels = p.value("channels", Json());
    const bool open = channels.is_object();
    table.rows.push_back(
        {p["structure"], number(p["temperature_K"], "{:g}"), number(h["hops"], "{:g}"), rate_of(h),
         number(h["residence_ps"]), whole(h["returned"]), number(h["correlation_factor"], "{:.2f}"),
         whole(h["concerted"]), open ? number(channels["mean_A"], "{:.3f}") : std::string("–"),
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
  note_unrelaxed(table.notes, structures);
  note_states(table.notes, structures);
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

/// The box that is drawn; zero, and none, of an oblique cell whose density was stored without it.
Mat3 cell_of(const Json& density) {
  Mat3 cell = Mat3::Zero();
  if (const auto rows = density.find("cell_matrix_A"); rows != density.end()) {
    cell = matrix_of(*rows);
  } else if (density["orthogonal"].get<bool>()) {
    for (int k = 0; k < 3; ++k) cell(k, k) = density["cell_A"][static_cast<std::size_t>(k)].get<double>();
  }
  return cell;
}

/// Paths of the ions that went farthest, and in an orthogonal cell the surface that holds the densest nine
/// tenths.
report::Scene scene_of(const Json& point, const std::string& species) {
  const std::string name = point["structure"];
  const Json& d = point["density"];
  report::Scene scene;
  scene.id = "paths-" + name;
  const bool surface_too = d["orthogonal"].get<bool>();
  scene.caption =
      fmt::format("Paths of {} in {} at {} K{}", species, name, number(point["temperature_K"], "{:g}"),
                  surface_too ? ", and where it is nine tenths of the time" : "");
  scene.definition = fmt::format(
      "Unwrapped positions with the framework's mean displacement taken off, of the ions that went "
      "farthest{}.",
      surface_too ? "; the surface encloses the densest voxels that hold 90 % of the ions"
                  : "; the cell is not orthogonal, so that the density is not drawn");
  scene.definition += states_of(Json::array({point}));
  scene.cell = cell_of(d);
  for (const Json& path : point["paths"]) {
    report::Path line{fmt::format("{} {}", species, path["ion"].get<int>()), {}, "", Mark::line};
    for (const Json& r : path["points_A"]) line.points.emplace_back(r[0], r[1], r[2]);
    scene.paths.push_back(std::move(line));
  }
  if (surface_too) {
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
    surface.structure = name;
    scene.surfaces.push_back(std::move(surface));
  }
  return scene;
}

/// Up to where ligands were counted, by structure, and on which frames.
void note_counting(std::vector<std::string>& notes, const Json& annealing, double low_K) {
  std::string same;
  for (const auto& [name, r] : annealing.items()) {
    const Json cutoff = r.value("cutoff_A", Json());
    if (cutoff.is_number())
      same += fmt::format("{}{} Å ({})", same.empty() ? "" : ", ", number(cutoff, "{:.2f}"), name);
  }
  const std::string within = same.empty() ? "Ligands within the first minimum of g(r) of each hold."
                                          : fmt::format(
                                                "Ligands within the first minimum of g(r) of the hold before "
                                                "heating, in both holds: {}.",
                                                same);
  notes.push_back(
      fmt::format("{} Counted on frames as they are at {:g} K, not on relaxed ones as in the table of "
                  "polyhedra.",
                  within, low_K));
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
    const auto fewer = [&](const char* when) {
      return percent(r[when].value("under_coordinated", Json()),
                     r[when].value("under_coordinated_std", Json()));
    };
    const auto mean = [&](const char* when) {
      return number(r[when].value("mean_coordination", Json()), "{:.3f}");
    };
    table.rows.push_back({name, mean("before"), mean("after"), fewer("before"), fewer("after")});
    for (const char* when : {"before", "after"}) {
      const Json curves = r[when].value("rdf", Json::object());
      for (const auto& [pair, g] : curves.items()) {
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
                                 name,
                                 Mark::line,
                                 std::string_view(when) == "before",
                                 false});
      }
    }
  }
  note_counting(table.notes, annealing, a.low_K);
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
    section.items.emplace_back(whole_figure(config.structure, s));
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
    if (!computed(numbers, "annealing")) {
      section.items.emplace_back("Annealing. " + why_failed(numbers["annealing"]));
      return section;
    }
    for (auto& item : annealing_items(config, numbers["annealing"])) section.items.push_back(std::move(item));
  }
  return section;
}

}  // namespace solion::study
