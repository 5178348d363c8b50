// Formation and binding energies, by reaction and placement; migration barriers.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "solion/study/report_parts.hpp"

namespace solion::study {
namespace {

/// Whether a placement has an energy that counts.
bool counts(const Json& placement) {
  return !placement.contains("failed") && !placement.value("recombined", false);
}

/// Whether the placements with an energy are all distinct ones, but for those whose defects met.
bool complete(const Json& structure) {
  const Json& placements = structure["placements"];
  return structure["all_distinct"].get<bool>() &&
         std::none_of(placements.begin(), placements.end(),
                      [](const Json& p) { return p.contains("failed"); });
}

Table energies_table(const Json& defects, const Published& published) {
  Table table{"defect-energies",
              "Relaxed defect cells",
              {"structure", "placements", "formation, lowest (eV)", "highest (eV)", "mean (eV)",
               "binding, far − near (eV)", "binding published (eV)"},
              {},
              {}};
  for (const Json& s : defects["structures"]) {
    std::size_t left_out = 0;
    for (const Json& p : s["placements"]) {
      left_out += counts(p) ? 0 : 1;
      if (p.value("recombined", false))
        table.notes.push_back(
            fmt::format("{}: defects of a placement at {} Å have met and gone; it is left out",
                        s["name"].get<std::string>(), number(p["distance_A"], "{:.2f}")));
      if (p.contains("moved_atoms"))
        table.notes.push_back(fmt::format(
            "{}: {} atoms of a placement at {} Å moved by more than 1 Å: the crystal itself gave way, "
            "so that it is no minimum of this model, and these energies say nothing of defects",
            s["name"].get<std::string>(), p["moved_atoms"].get<int>(), number(p["distance_A"], "{:.2f}")));
      if (!p.contains("failed")) continue;
      table.notes.push_back(
          fmt::format("{}: {}", s["name"].get<std::string>(), p["failed"].get<std::string>()));
    }
    table.rows.push_back(
        {s["name"], fmt::format("{}{}", s["placements"].size() - left_out, complete(s) ? " (all)" : ""),
         number(s.value("lowest_eV", Json()), "{:.3f}"), number(s.value("highest_eV", Json()), "{:.3f}"),
         complete(s) ? number(s.value("mean_eV", Json()), "{:.3f}") : "–",
         number(s.value("binding_eV", Json()), "{:.3f}"), number(published.binding_eV(s["name"]), "{:.3f}")});
  }
  if (published.source.empty()) drop_columns(table, 6, 1);
  for (const Json& s : defects["structures"])
    if (const Json lowest = s.value("lowest_eV", Json()); lowest.is_number() && lowest.get<double>() < -0.01)
      table.notes.push_back(fmt::format(
          "{}: a formation energy below 0: at these chemical potentials the crystal would fill with such "
          "defects; it is not the stable phase of this model, or not in balance with the compounds given",
          s["name"].get<std::string>()));
  if (defects["compounds"].empty())
    table.notes.emplace_back(
        "No compounds were given to set the chemical potentials, so that only reactions that keep the "
        "composition have formation energies; binding compares cells of one composition and needs none.");
  table.notes.push_back(
      fmt::format("Mean: over all distinct placements with their degeneracies at {} K; a dash unless all "
                  "have an energy. Binding: energy with the defects farthest apart less that with them "
                  "nearest, in one neutral cell; positive: bound.",
                  number(defects["temperature_K"], "{:g}")));
  return table;
}

Figure placements_figure(const Json& defects) {
  Figure figure{
      "defect-placements",
      "Energy of each placement against the distance between its defects",
      "Relaxed energy of the cell above the lowest placement of the same reaction; distance: sum of the "
      "minimum-image distances between the defects.",
      "sum of distances (Å)",
      "energy above the lowest (eV)",
      false,
      false,
      false,
      {}};
  for (const Json& s : defects["structures"]) {
    Series series;
    series.name = s["name"];
    series.structure = series.name;
    series.mark = Mark::points;
    double lowest = 1e300;
    for (const Json& p : s["placements"]) {
      if (counts(p)) lowest = std::min(lowest, p["excess_eV"].get<double>());
    }
    for (const Json& p : s["placements"]) {
      if (!counts(p)) continue;
      series.x.push_back(p["distance_A"]);
      series.y.push_back(p["excess_eV"].get<double>() - lowest);
    }
    if (!series.x.empty()) figure.series.push_back(std::move(series));
  }
  return figure;
}

Figure formation_figure(const Json& defects) {
  Figure figure{"formation",
                "Formation energies of all placements, and their mean",
                "E_defect − E_perfect − Σ n_i μ_i with the chemical potentials of the compounds, relaxed "
                "with the same model; without the last term where the composition is kept.",
                "reaction, in the order of the legend",
                "formation energy (eV)",
                false,
                false,
                false,
                {}};
  double at = 0;
  for (const Json& s : defects["structures"]) {
    ++at;
    Series series;
    series.name = s["name"];
    series.structure = series.name;
    series.mark = Mark::points;
    for (const Json& p : s["placements"]) {
      if (!counts(p) || !p["formation_eV"].is_number()) continue;
      series.x.push_back(at);
      series.y.push_back(p["formation_eV"]);
    }
    if (!series.x.empty()) figure.series.push_back(std::move(series));
  }
  return figure;
}

}  // namespace

Section defects_section(const Json& numbers, const Published& published) {
  const Json& defects = numbers["defects"];
  std::string compounds, shape;
  const Json& perfect = defects["perfect"];
  if (perfect.contains("cell_matrix_A")) {
    const auto s = lengths_and_angles(matrix_of(perfect["cell_matrix_A"]));
    shape = fmt::format(" (a {:.4f}, b {:.4f}, c {:.4f} Å, α {:.2f}, β {:.2f}, γ {:.2f}°)", s[0], s[1], s[2],
                        s[3], s[4], s[5]);
  }
  for (const Json& c : defects["compounds"])
    compounds += fmt::format("; {} {} eV a formula unit", c["formula"].get<std::string>(),
                             number(c["eV_per_formula_unit"], "{:.4f}"));
  Section section{
      "Defect energies",
      {fmt::format(
           "Perfect crystal at 0 K: {} eV a formula unit, cube root of the volume of its cell {} Å{}{}.",
           number(perfect["eV_per_formula_unit"], "{:.4f}"), number(perfect["a_A"], "{:.4f}"), shape,
           compounds),
       energies_table(defects, published), placements_figure(defects)}};
  if (Figure figure = formation_figure(defects); !figure.series.empty())
    section.items.emplace_back(std::move(figure));
  return section;
}

namespace {

/// What holds for all hops.
void note_conditions(const Json& b, Table& table) {
  if (const int dimensions = b.value("dimensions", 3); dimensions < 3)
    table.notes.push_back(fmt::format(
        "These hops connect the sites in {} dimension{} only, so that none of these barriers is that "
        "of a path through the crystal in all directions; with barriers.within_A = {:.2f} the hops "
        "connect them in 3.",
        dimensions, dimensions == 1 ? "" : "s", b["within_for_three_A"].get<double>()));
  if (b.contains("net_charge_e"))
    table.notes.push_back(
        fmt::format("The cells have a net charge of {:+g} e, which a uniform background makes neutral.",
                    b["net_charge_e"].get<double>()));
}

void note_hop(const std::string& name, const Json& hop, Table& table) {
  if (!hop["converged"].get<bool>()) table.notes.push_back(name + ": the band did not converge");
  if (hop.contains("moved_at_ends"))
    table.notes.push_back(fmt::format(
        "{}: {} atoms moved by more than 1 Å as an end relaxed: the crystal itself gave way, so that "
        "it is no minimum of this model",
        name, hop["moved_at_ends"].get<int>()));
  if (hop["intermediate_minima"].get<int>() > 0)
    table.notes.push_back(name + ": a minimum lies between the ends, so that it is several hops");
}

void draw_hop(const std::string& name, std::size_t n, const Json& profile, Figure& figure) {
  Series line{name, doubles(profile["s_A"]), doubles(profile["energy_eV"]), {}, "", Mark::line};
  Series images{name + ", images", doubles(profile["images_A"]), doubles(profile["images_eV"]), {}, "",
                Mark::points};
  line.colour = images.colour = report::palette_colour(n - 1);
  figure.series.push_back(std::move(line));
  figure.series.push_back(std::move(images));
}

}  // namespace

Section barriers_section(const Config& config, const Json& numbers) {
  const Json& b = numbers["barriers"];
  Table table{"barriers",
              fmt::format("Hops of {} into a vacancy of the crystal at rest, up to {} Å",
                          config.transport.species, number(b["within_A"], "{:.2f}")),
              {"hop", "length (Å)", "per vacancy", "forward (eV)", "backward (eV)"},
              {},
              {"Climbing-image nudged elastic band at fixed cell; ends relaxed."}};
  Figure figure{"barrier-profiles",
                "Energy along each hop",
                "Cubics through energies and forces of the images (points), against the path length in all "
                "coordinates.",
                "path (Å)",
                "energy (eV)",
                false,
                false,
                false,
                {}};
  note_conditions(b, table);
  std::size_t n = 0;
  for (const Json& hop : b["hops"]) {
    const std::string name = fmt::format("{}: {} Å", ++n, number(hop["distance_A"], "{:.3f}"));
    if (hop.contains("failed")) {
      table.notes.push_back(fmt::format("{}: {}", name, hop["failed"].get<std::string>()));
      continue;
    }
    table.rows.push_back({std::to_string(n), number(hop["distance_A"], "{:.3f}"),
                          number(hop["per_vacancy"], "{:g}"), number(hop["forward_eV"], "{:.3f}"),
                          number(hop["backward_eV"], "{:.3f}")});
    note_hop(name, hop, table);
    draw_hop(name, n, hop["profile"], figure);
  }
  Section section{"Migration barriers", {table}};
  if (!figure.series.empty()) section.items.emplace_back(figure);
  return section;
}

}  // namespace solion::study
