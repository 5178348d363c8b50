// Molecular dynamics and ion transport: the runs, D with its errors, D(T) and its law, MSD.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/study/cells.hpp"
#include "solion/study/report_parts.hpp"

namespace solion::study {
namespace {

/// The reason without the numbers, which the table has: what follows its last colon.
std::string kind_of_reason(const std::string& reason) {
  const std::size_t colon = reason.rfind(": ");
  return colon == std::string::npos ? reason : reason.substr(colon + 2);
}

/// D of this run in units of the published one, or the bound in them.
std::string over_published(const Json& d, const Json& published) {
  const bool resolved = d["resolved"];
  const Json& own = d[resolved ? "D_cm2_per_s" : "D_bound_cm2_per_s"];
  if (!published.is_number() || !own.is_number()) return "–";
  return fmt::format("{}{:.2g}", resolved ? "" : "< ", own.get<double>() / published.get<double>());
}

/// What to mind about D of a sound run, in a word.
std::string remark_on(const Json& point) {
  if (molten(point)) return "molten";
  if (!point["diffusion"]["resolved"].get<bool>()) return "not resolved";
  return steady(point) ? "" : "not stationary";
}

Table diffusion_table(const Config& config, const Json& points, const Published& published) {
  Table table{"diffusion",
              "Tracer diffusion of the mobile ion",
              {"structure", "T (K)", "D (cm²/s)", "standard error", "σ (mS/cm)", "MSD at window end (Å²)",
               "framework MSD (Å²)", "D published (cm²/s)", "this / published", "remark"},
              {},
              {}};
  SharedNotes shared;
  for (const auto& p : points) {
    if (p.contains("failed")) continue;
    const Json& d = p["diffusion"];
    const bool resolved = d["resolved"];
    const Json other = published.D(p["structure"], p["temperature_K"]);
    if (const std::string why = p["unsound"]; !why.empty()) {
      table.rows.push_back({p["structure"], number(p["temperature_K"], "{:g}"), "–", "–", "–", "–", "–",
                            number(other, "{:.2e}"), "–", "not sound: " + why});
      continue;
    }
    table.rows.push_back(
        {p["structure"], number(p["temperature_K"], "{:g}"),
         resolved ? number(d["D_cm2_per_s"], "{:.2e}") : "< " + number(d["D_bound_cm2_per_s"], "{:.1e}"),
         resolved ? number(d["D_std_cm2_per_s"], "{:.1e}") : "–",
         resolved ? number(p["conductivity_mS_per_cm"], "{:.3g}") : "–", number(d["window_msd_A2"], "{:.2f}"),
         number(p["framework_msd_A2"], "{:.2f}"), number(other, "{:.2e}"), over_published(d, other),
         remark_on(p)});
    if (molten(p))
      shared.add(
          "Molten: the framework moves as far as a jump, so that D is that of a liquid and belongs to no "
          "activation energy",
          p["structure"], p["temperature_K"]);
    add_without_defects(shared, p);
    if (!resolved)
      shared.add("Not resolved, " + kind_of_reason(d["reason"]), p["structure"], p["temperature_K"]);
    if (const std::string note = p["not_steady"]; !note.empty())
      table.notes.push_back(fmt::format("{} at {} K, not stationary: {}", p["structure"].get<std::string>(),
                                        number(p["temperature_K"], "{:g}"), note));
  }
  shared.write(table.notes);
  table.notes.push_back(fmt::format(
      "“<” is a one-sided 95 % upper bound; vibration is an MSD below half the square of a jump. σ is the "
      "Nernst–Einstein conductivity of the tracer D for {} of charge {:+g} e{}.",
      config.transport.species, charge_of(config),
      charge_is_known(config) ? "" : ", which is a guess: the crystal has no oxidation state of it"));
  if (published.source.empty()) {
    drop_columns(table, 7, 2);
  } else {
    table.notes.push_back("Published: " + published.source);
  }
  return table;
}

/// The law taken, with its band.
void add_law(Figure& figure, const std::string& name, const Json& law) {
  const auto line = [&](const char* key, const std::string& label) {
    figure.series.push_back({label,
                             doubles(law["curve"]["x"]),
                             doubles(law["curve"][key]),
                             {},
                             name,
                             Mark::line,
                             std::string_view(key) != "D",
                             false,
                             std::string_view(key) == "D"});
  };
  line("D", fmt::format("{}: {}", name, law["best"].get<std::string>()));
  line("low", name + ", −1 σ");
  line("high", name + ", +1 σ");
}

Figure arrhenius_figure(const Json& numbers) {
  Figure figure{"arrhenius",
                "Diffusion against inverse temperature",
                "D from the slope of the MSD, error bars of one standard error. Open triangles are upper "
                "bounds; other open points are D of molten runs, which no line is drawn through, and of "
                "runs that were not stationary. Full lines are the law taken (Arrhenius unless it is ruled "
                "out, then the law of the highest evidence), dashed lines one standard error of it.",
                "1000/T (1/K)",
                "D (cm²/s)",
                false,
                true,
                false,
                {}};
  figure.definition += states_of(numbers["points"]);
  // By structure and, in this order, by what kind of D it is.
  std::map<std::string, std::map<std::string, Series>> by_structure;
  for (const auto& p : numbers["points"]) {
    if (p.contains("failed") || !sound(p)) continue;
    const Json& d = p["diffusion"];
    const bool resolved = d["resolved"];
    const Json& value = d[resolved ? "D_cm2_per_s" : "D_bound_cm2_per_s"];
    if (!value.is_number()) continue;
    const std::string remark = resolved ? remark_on(p) : "upper bound";
    Series& s = by_structure[p["structure"]][remark];
    s.x.push_back(1000 / p["temperature_K"].get<double>());
    s.y.push_back(value);
    if (resolved) s.y_error.push_back(d["D_std_cm2_per_s"]);
    s.bounds = !resolved;
    s.open_points = !remark.empty();
  }
  for (auto& [name, kinds] : by_structure) {
    for (auto& [remark, s] : kinds) {
      s.name = remark.empty() ? name : fmt::format("{} ({})", name, remark);
      s.structure = name;
      s.mark = Mark::points;
      figure.series.push_back(std::move(s));
    }
    const Json& fit = numbers["arrhenius"][name];
    if (fit.is_object() && fit.contains("law")) add_law(figure, name, fit["law"]);
  }
  return figure;
}

/// What the line says of room temperature, unless D is known to follow none.
std::string at_room_temperature(const Json& fit) {
  if (fit["law"]["arrhenius_excluded"]) return "–";
  return fmt::format("{} ({} to {})", number(fit["D_300K_cm2_per_s"], "{:.1e}"),
                     number(fit["D_300K_low_cm2_per_s"], "{:.1e}"),
                     number(fit["D_300K_high_cm2_per_s"], "{:.1e}"));
}

/// Which D behind an activation energy are of runs that were not stationary.
void note_unsteady(SharedNotes& shared, const Json& points, const Json& fits) {
  for (const Json& p : points) {
    if (p.contains("failed") || !sound(p) || molten(p) || steady(p)) continue;
    const Json fit = fits.value(p["structure"].get<std::string>(), Json::object());
    if (p["diffusion"]["resolved"].get<bool>() && fit.contains("Ea_eV"))
      shared.add("Not stationary, but counted: a few in a hundred stationary runs look so", p["structure"],
                 p["temperature_K"]);
  }
}

Table activation_table(const Json& fits, const Json& points) {
  Table table{"activation",
              "Activation energies, of a single line",
              {"structure", "E_a (eV)", "standard error", "points", "R²",
               "D at 300 K (cm²/s), extrapolated (68 % interval)"},
              {},
              {}};
  SharedNotes shared;
  for (const auto& [name, fit] : fits.items()) {
    if (!fit.contains("Ea_eV")) {
      shared.add(fit["reason"], name);
      continue;
    }
    table.rows.push_back({name, number(fit["Ea_eV"], "{:.3f}"), number(fit["Ea_std_eV"], "{:.3f}"),
                          std::to_string(fit["points"].get<std::size_t>()), number(fit["r2"], "{:.4f}"),
                          at_room_temperature(fit)});
    if (fit["law"]["arrhenius_excluded"])
      shared.add("A single line is ruled out, so that E_a is a mean slope and says nothing of 300 K", name);
    for (const auto& note : fit["notes"])
      table.notes.push_back(fmt::format("{}: {}", name, note.get<std::string>()));
  }
  note_unsteady(shared, points, fits);
  shared.write(table.notes);
  return table;
}

Table law_table(const Json& fits) {
  Table table{"laws",
              "Which law D(T) follows",
              {"structure", "law taken", "decidable", "Arrhenius", "kink", "two states", "VTF", "T_s (K)",
               "next T to run (K)"},
              {},
              {"Probabilities of the laws by Bayesian evidence, all alike beforehand; a dash: too few "
               "temperatures for that law. Law taken: Arrhenius unless it is ruled out, then the most "
               "probable. T_s: temperature of the kink or transition."}};
  for (const auto& [name, fit] : fits.items()) {
    if (!fit.contains("law")) continue;
    const Json& law = fit["law"];
    const auto p = [&](const char* key) {
      return law["probability"].contains(key) ? number(law["probability"][key], "{:.3f}") : std::string("–");
    };
    table.rows.push_back({name, law["best"], law["decidable"].get<bool>() ? "yes" : "no", p("arrhenius"),
                          p("kink"), p("two_state"), p("vtf"),
                          law["T_s_K"].is_number() ? fmt::format("{} ± {}", number(law["T_s_K"], "{:.0f}"),
                                                                 number(law["T_s_std_K"], "{:.0f}"))
                                                   : std::string("–"),
                          number(law["next_T_K"], "{:.0f}")});
    table.notes.push_back(fmt::format("{}: {}", name, law["verdict"].get<std::string>()));
  }
  return table;
}

/// E_a(T) of the law taken where D is resolved.
Figure local_activation(const Json& fits) {
  Figure figure{
      "activation-of-T",
      "Apparent activation energy against temperature",
      "−d ln D/d(1/k_B T) of the law taken (Arrhenius unless it is ruled out, then the law of the highest "
      "evidence), with its posterior standard deviation.",
      "T (K)",
      "E_a (eV)",
      false,
      false,
      false,
      {}};
  for (const auto& [name, fit] : fits.items()) {
    if (!fit.contains("law")) continue;
    Series s;
    s.name = name;
    s.structure = name;
    s.mark = Mark::line_and_points;
    for (const Json& point : fit["law"]["Ea_of_T"]) {
      s.x.push_back(point["T_K"]);
      s.y.push_back(point["Ea_eV"]);
      s.y_error.push_back(point["Ea_std_eV"]);
    }
    sort_by_x(s);
    figure.series.push_back(std::move(s));
  }
  return figure;
}

std::vector<Item> msd_figures(const std::string& species, const Json& points) {
  std::map<std::string, Figure> figures;
  std::map<std::string, Json> runs;
  for (const auto& p : points) {
    if (p.contains("failed")) continue;
    const std::string name = p["structure"];
    runs[name].push_back(p);
    if (!sound(p)) continue;
    Figure& figure = figures[name];
    figure.id = "msd-" + name;
    figure.caption = fmt::format("Mean square displacement of {}, {}", species, name);
    figure.definition =
        "Mean over ions and time origins of the squared unwrapped displacement, the framework's mean "
        "displacement removed.";
    figure.x_label = "time (ps)";
    figure.y_label = "MSD (Å²)";
    figure.log_x = figure.log_y = true;
    figure.series.push_back({number(p["temperature_K"], "{:g} K"),
                             doubles(p["msd"]["time_ps"]),
                             doubles(p["msd"]["msd_A2"]),
                             {},
                             "",
                             Mark::line,
                             false,
                             false});
  }
  std::vector<Item> items;
  items.reserve(figures.size());
  for (auto& [name, figure] : figures) {
    figure.definition += states_of(runs[name]);
    items.emplace_back(std::move(figure));
  }
  return items;
}

/// Lengths and angles where the shape of the cell was free.
Table cells_table(const Config& config, const Json& points) {
  Table table{
      "cells",
      "Cell of the crystal",
      {"structure", "T (K)", "a (Å)", "b (Å)", "c (Å)", "α (°)", "β (°)", "γ (°)", "volume (Å³)"},
      {},
      {"Mean cell of NPT, divided by the repeats of the supercell: of the cell that was given, which may "
       "be a primitive one."}};
  note_states(table.notes, points);
  for (const Json& p : points) {
    if (p.contains("failed") || !sound(p) || !p.contains("cell_matrix_A")) continue;
    Mat3 cell = matrix_of(p["cell_matrix_A"]);
    const auto repeats = repeats_of(config.md, p["structure"]);
    for (int k = 0; k < 3; ++k) cell.row(k) /= repeats[static_cast<std::size_t>(k)];
    std::vector<std::string> row{p["structure"], number(p["temperature_K"], "{:g}")};
    const auto shape = lengths_and_angles(cell);
    for (std::size_t k = 0; k < 6; ++k) row.push_back(number(shape[k], k < 3 ? "{:.4f}" : "{:.2f}"));
    row.push_back(number(cell.determinant(), "{:.3f}"));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// D along each Cartesian axis, where the crystal is not cubic.
Table axes_table(const Json& points) {
  Table table{
      "diffusion-axes",
      "Tracer diffusion along each axis",
      {"structure", "T (K)", "D along x (cm²/s)", "along y", "along z"},
      {},
      {"x, y, z are those of the crystal's cell as it was given (x along a, z along c of a hexagonal or "
       "orthorhombic one in the usual setting). Each by the slope of its own ⟨Δx²⟩ = 2Dt, with its "
       "standard error or a 95 % bound; D in space is their mean."}};
  note_states(table.notes, points);
  for (const Json& p : points) {
    if (p.contains("failed") || !sound(p) || !p.contains("diffusion_axes")) continue;
    std::vector<std::string> row{p["structure"], number(p["temperature_K"], "{:g}")};
    for (const Json& d : p["diffusion_axes"])
      row.push_back(d["resolved"].get<bool>() ? fmt::format("{} ± {}", number(d["D_cm2_per_s"], "{:.2e}"),
                                                            number(d["D_std_cm2_per_s"], "{:.1e}"))
                                              : "< " + number(d["D_bound_cm2_per_s"], "{:.1e}"));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

Section md_section(const Config& config, const Json& numbers) {
  Table table{"md",
              "Molecular dynamics",
              {"structure", "T (K)", "cell", "production (ps)", "∛V (Å)", "mean T (K)", "mean p (bar)",
               "drift (meV/atom/ps)"},
              {},
              {}};
  std::map<std::string, Series> lattice;
  for (const auto& p : numbers["points"]) {
    const std::string structure = p["structure"];
    if (p.contains("failed")) {
      note_failure(table, p);
      continue;
    }
    table.rows.push_back({structure, number(p["temperature_K"], "{:g}"), p["formula"],
                          number(p["production_ps"], "{:.1f}"), number(p["lattice_A"], "{:.4f}"),
                          number(p["mean_temperature_K"], "{:.1f}"), number(p["mean_pressure_bar"], "{:.0f}"),
                          number(p["drift_meV_per_atom_per_ps"], "{:.2g}")});
    if (!sound(p)) continue;
    Series& s = lattice[structure];
    s.name = structure;
    s.structure = structure;
    s.mark = Mark::line_and_points;
    s.x.push_back(p["temperature_K"]);
    s.y.push_back(p["lattice_A"]);
  }
  note_states(table.notes, numbers["points"]);
  Figure figure{"lattice",
                "Size of the cell",
                "Cube root of the mean NPT volume per cell of the crystal as it was given: the lattice "
                "constant where that cell is a cube." +
                    states_of(numbers["points"]),
                "T (K)",
                "∛V (Å)",
                false,
                false,
                false,
                {}};
  for (auto& [name, s] : lattice) {
    sort_by_x(s);
    figure.series.push_back(std::move(s));
  }
  Section section{
      "Molecular dynamics",
      {fmt::format("Length of the runs: {}.", numbers["plan"]["reason"].get<std::string>()), table}};
  if (Table cells = cells_table(config, numbers["points"]); !cells.rows.empty())
    section.items.emplace_back(std::move(cells));
  section.items.emplace_back(std::move(figure));
  return section;
}

Section transport_section(const Config& config, const Json& numbers, const Published& published) {
  const Json& fits = numbers["arrhenius"];
  Section section{"Ion transport", {diffusion_table(config, numbers["points"], published)}};
  if (Table axes = axes_table(numbers["points"]); !axes.rows.empty())
    section.items.emplace_back(std::move(axes));
  section.items.emplace_back(arrhenius_figure(numbers));
  section.items.emplace_back(activation_table(fits, numbers["points"]));
  if (std::any_of(fits.begin(), fits.end(), [](const Json& fit) { return fit.contains("law"); })) {
    section.items.emplace_back(law_table(fits));
    section.items.emplace_back(local_activation(fits));
  }
  for (auto& item : msd_figures(config.transport.species, numbers["points"]))
    section.items.push_back(std::move(item));
  return section;
}

}  // namespace solion::study
