// Molecular dynamics and ion transport: the runs, D with its errors, D(T) and its law, MSD.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

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

Table diffusion_table(const Json& points, const Published& published) {
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
         p["molten"].get<bool>() ? "molten"
         : resolved              ? ""
                                 : "not resolved"});
    if (p["molten"])
      shared.add(
          "Molten: the framework moves as far as a jump, so that D is that of a liquid and belongs to no "
          "activation energy",
          p["structure"], p["temperature_K"]);
    if (!resolved)
      shared.add("Not resolved, " + kind_of_reason(d["reason"]), p["structure"], p["temperature_K"]);
    if (const std::string note = p["not_steady"]; !note.empty())
      table.notes.push_back(fmt::format("{} at {} K, not stationary: {}", p["structure"].get<std::string>(),
                                        number(p["temperature_K"], "{:g}"), note));
  }
  shared.write(table.notes);
  table.notes.emplace_back(
      "“<” is a one-sided 95 % upper bound; vibration is an MSD below half the square of a jump. σ is the "
      "Nernst–Einstein conductivity of the tracer D.");
  if (!published.source.empty()) table.notes.push_back("Published: " + published.source);
  return table;
}

/// The best law with its band.
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
                "D from the slope of the MSD, error bars of one standard error; open triangles are upper "
                "bounds; lines are the law of the highest evidence, thin lines one standard error of it.",
                "1000/T (1/K)",
                "D (cm²/s)",
                false,
                true,
                false,
                {}};
  std::map<std::string, std::pair<Series, Series>> by_structure;
  for (const auto& p : numbers["points"]) {
    if (p.contains("failed")) continue;
    const std::string name = p["structure"];
    if (p["unsound"] != "") continue;
    auto& [values, bounds] = by_structure[name];
    const Json& d = p["diffusion"];
    const double x = 1000 / p["temperature_K"].get<double>();
    if (d["resolved"].get<bool>()) {
      values.x.push_back(x);
      values.y.push_back(d["D_cm2_per_s"]);
      values.y_error.push_back(d["D_std_cm2_per_s"]);
    } else if (d["D_bound_cm2_per_s"].is_number()) {
      bounds.x.push_back(x);
      bounds.y.push_back(d["D_bound_cm2_per_s"]);
    }
  }
  for (auto& [name, pair] : by_structure) {
    auto& [values, bounds] = pair;
    values.name = name;
    bounds.name = name + " (upper bound)";
    values.colour = bounds.structure = name;
    values.mark = bounds.mark = Mark::points;
    bounds.open_points = true;
    if (!values.x.empty()) figure.series.push_back(values);
    if (!bounds.x.empty()) figure.series.push_back(bounds);
    const Json& fit = numbers["arrhenius"][name];
    if (fit.is_object() && fit.contains("law")) add_law(figure, name, fit["law"]);
  }
  return figure;
}

Table activation_table(const Json& fits) {
  Table table{"activation",
              "Activation energies",
              {"structure", "E_a (eV)", "standard error", "points", "R²", "D at 300 K (cm²/s), extrapolated"},
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
                          number(fit["D_300K_cm2_per_s"], "{:.1e}")});
    for (const auto& note : fit["notes"])
      table.notes.push_back(fmt::format("{}: {}", name, note.get<std::string>()));
  }
  shared.write(table.notes);
  return table;
}

Table law_table(const Json& fits) {
  Table table{"laws",
              "Which law D(T) follows",
              {"structure", "best law", "decidable", "Arrhenius", "kink", "two states", "VTF", "T_s (K)",
               "next T to run (K)"},
              {},
              {"Probabilities of the laws by Bayesian evidence, all alike beforehand; a dash: too few "
               "temperatures for "
               "that law. T_s: temperature of the kink or transition."}};
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

/// E_a(T) of the best law where D is resolved.
Figure local_activation(const Json& fits) {
  Figure figure{
      "activation-of-T",
      "Apparent activation energy against temperature",
      "−d ln D/d(1/k_B T) of the law of the highest evidence, with its posterior standard deviation.",
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
    figure.series.push_back(std::move(s));
  }
  return figure;
}

std::vector<Item> msd_figures(const std::string& species, const Json& points) {
  std::map<std::string, Figure> figures;
  for (const auto& p : points) {
    if (p.contains("failed")) continue;
    const std::string name = p["structure"];
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
  for (auto& [name, figure] : figures) items.emplace_back(std::move(figure));
  return items;
}

}  // namespace

Section md_section(const Json& numbers) {
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
    Series& s = lattice[structure];
    s.name = structure;
    s.structure = structure;
    s.mark = Mark::line_and_points;
    s.x.push_back(p["temperature_K"]);
    s.y.push_back(p["lattice_A"]);
  }
  Figure figure{"lattice",
                "Size of the cell",
                "Cube root of the mean NPT volume per conventional cell of the perfect crystal: the lattice "
                "constant of a cubic one.",
                "T (K)",
                "∛V (Å)",
                false,
                false,
                false,
                {}};
  for (auto& [name, s] : lattice) figure.series.push_back(std::move(s));
  return {
      "Molecular dynamics",
      {fmt::format("Length of the runs: {}.", numbers["plan"]["reason"].get<std::string>()), table, figure}};
}

Section transport_section(const Config& config, const Json& numbers, const Published& published) {
  const Json& fits = numbers["arrhenius"];
  Section section{
      "Ion transport",
      {diffusion_table(numbers["points"], published), arrhenius_figure(numbers), activation_table(fits)}};
  if (std::any_of(fits.begin(), fits.end(), [](const Json& fit) { return fit.contains("law"); })) {
    section.items.emplace_back(law_table(fits));
    section.items.emplace_back(local_activation(fits));
  }
  for (auto& item : msd_figures(config.transport.species, numbers["points"]))
    section.items.push_back(std::move(item));
  return section;
}

}  // namespace solion::study
