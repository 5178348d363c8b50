// The study's numbers as a report: what was trained, how good it is, how the ions move.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <sstream>

#include "solion/base/files.hpp"
#include "solion/base/version.hpp"
#include "solion/report/document.hpp"
#include "solion/study/stages.hpp"
#include "solion/transport/arrhenius.hpp"

namespace solion::study {
namespace {

using report::Figure;
using report::Item;
using report::Mark;
using report::Section;
using report::Series;
using report::Table;

std::string number(const Json& value, const char* format = "{:.3g}") {
  if (!value.is_number()) return "–";
  return fmt::format(fmt::runtime(format), value.get<double>());
}

std::string milli(const Json& value) {
  return value.is_number() ? fmt::format("{:.2f}", 1000 * value.get<double>()) : "–";
}

std::vector<double> doubles(const Json& values) {
  std::vector<double> result;
  for (const auto& v : values) result.push_back(v.is_number() ? v.get<double>() : std::nan(""));
  return result;
}

Section data_section(const Json& data) {
  Table table{"data", "Labelled frames by structure", {"structure", "training", "validation"}, {}, {}};
  for (const auto& s : data["structures"]) {
    table.rows.push_back(
        {s["name"], std::to_string(s["training"].get<int>()), std::to_string(s["validation"].get<int>())});
  }
  return {"Data set",
          {std::string("Reference labels that the model was trained on, and those kept apart to judge it."),
           table}};
}

/// lcurve.out as a figure: the columns named in its header line.
Figure training_curve(const std::filesystem::path& file) {
  std::istringstream text(read_file(file));
  std::vector<std::string> names;
  std::map<std::string, std::vector<double>> columns;
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::string word;
    if (line.starts_with("#")) {
      words >> word;
      if (names.empty()) {
        while (words >> word) names.push_back(word);
      }
      continue;
    }
    for (const auto& name : names) {
      if (double value = 0; words >> value) columns[name].push_back(value);
    }
  }
  Figure figure{"training-curve",
                "Force error while training",
                "Root mean square error of the force components of a batch, from lcurve.out.",
                "step",
                "force RMSE (eV/Å)",
                false,
                true,
                false,
                {}};
  for (const auto& [column, name] :
       std::map<std::string, std::string>{{"rmse_f_trn", "training"}, {"rmse_f_val", "validation"}}) {
    const auto& y = columns[column];
    const auto& x = columns["step"];
    if (y.size() == x.size() && !y.empty())
      figure.series.push_back({name, x, y, {}, "", Mark::line, false, false});
  }
  return figure;
}

Figure parity(const Json& structures, const char* key, const char* id, const char* caption,
              const char* unit) {
  Figure figure{id,
                caption,
                "Prediction of the model against the label, for frames that were not trained on.",
                fmt::format("label ({})", unit),
                fmt::format("model ({})", unit),
                false,
                false,
                true,
                {}};
  for (const auto& s : structures) {
    const std::string name = s["name"];
    figure.series.push_back({name,
                             doubles(s[key]["label"]),
                             doubles(s[key]["predicted"]),
                             {},
                             report::colour_of(name),
                             Mark::points,
                             false,
                             false});
  }
  return figure;
}

Table accuracy_table(const Json& validation) {
  Table table{
      "accuracy",
      "Root mean square errors on frames that were not trained on (in brackets: on those that were)",
      {"structure", "frames", "energy (meV/atom)", "force (meV/Å)", "virial (meV/atom)", "R² of forces"},
      {},
      {}};
  std::map<std::string, Json> trained;
  for (const auto& s : validation["training"]["structures"]) trained[s["name"]] = s["errors"];
  const auto row = [&](const std::string& name, const Json& e, const Json& t) {
    const auto both = [&](const char* key) {
      return fmt::format("{} ({})", milli(e[key]), t.is_object() ? milli(t[key]) : "–");
    };
    table.rows.push_back({name, std::to_string(e["frames"].get<std::size_t>()),
                          both("energy_rmse_eV_per_atom"), both("force_rmse_eV_per_A"),
                          both("virial_rmse_eV_per_atom"), number(e["force_r2"], "{:.5f}")});
  };
  for (const auto& s : validation["validation"]["structures"])
    row(s["name"], s["errors"], trained[s["name"]]);
  row("all", validation["validation"]["all"], validation["training"]["all"]);
  return table;
}

Section model_section(const Context& context, const Json& numbers) {
  const Json& model = numbers["model"];
  const Json& v = numbers["validation"];
  Section section{"Model", {}};
  if (model["curve"].is_string()) {
    section.items.emplace_back(
        fmt::format("{} parameters, {} steps in {:.0f} s.", model["parameters"].get<std::size_t>(),
                    model["steps"].get<std::int64_t>(), model["seconds"].get<double>()));
    section.items.emplace_back(training_curve(context.options.run_dir / model["curve"].get<std::string>()));
  }
  section.items.emplace_back(accuracy_table(v));
  section.items.emplace_back(parity(v["validation"]["structures"], "energy_eV_per_atom", "parity-energy",
                                    "Energy of the model against the label", "eV/atom"));
  section.items.emplace_back(parity(v["validation"]["structures"], "force_eV_per_A", "parity-force",
                                    "Force components of the model against the label", "eV/Å"));
  return section;
}

Section md_section(const Json& numbers) {
  Table table{"md",
              "Molecular dynamics",
              {"structure", "T (K)", "cell", "production (ps)", "a (Å)", "mean T (K)", "mean p (bar)",
               "drift (meV/atom/ps)"},
              {},
              {}};
  std::map<std::string, Series> lattice;
  for (const auto& p : numbers["points"]) {
    const std::string structure = p["structure"];
    if (p.contains("failed")) {
      table.notes.push_back(fmt::format("{} at {} K failed: {}", structure,
                                        number(p["temperature_K"], "{:g}"), p["failed"].get<std::string>()));
      continue;
    }
    table.rows.push_back({structure, number(p["temperature_K"], "{:g}"), p["formula"],
                          number(p["production_ps"], "{:.1f}"), number(p["lattice_A"], "{:.4f}"),
                          number(p["mean_temperature_K"], "{:.1f}"), number(p["mean_pressure_bar"], "{:.0f}"),
                          number(p["drift_meV_per_atom_per_ps"], "{:.2g}")});
    Series& s = lattice[structure];
    s.name = structure;
    s.colour = report::colour_of(structure);
    s.mark = Mark::line_and_points;
    s.x.push_back(p["temperature_K"]);
    s.y.push_back(p["lattice_A"]);
  }
  Figure figure{"lattice",
                "Lattice constant",
                "Cube root of the mean NPT volume per conventional cell of the perfect crystal.",
                "T (K)",
                "a (Å)",
                false,
                false,
                false,
                {}};
  for (auto& [name, s] : lattice) figure.series.push_back(std::move(s));
  return {
      "Molecular dynamics",
      {fmt::format("Length of the runs: {}.", numbers["plan"]["reason"].get<std::string>()), table, figure}};
}

Table diffusion_table(const Json& points) {
  Table table{"diffusion",
              "Tracer diffusion of the mobile ion",
              {"structure", "T (K)", "D (cm²/s)", "standard error", "σ (mS/cm)", "MSD at window end (Å²)",
               "framework MSD (Å²)"},
              {},
              {}};
  bool molten = false;
  for (const auto& p : points) {
    if (p.contains("failed")) continue;
    const Json& d = p["diffusion"];
    const bool resolved = d["resolved"];
    molten = molten || p["framework_msd_A2"].get<double>() > 3;
    table.rows.push_back(
        {p["structure"], number(p["temperature_K"], "{:g}"),
         resolved ? number(d["D_cm2_per_s"], "{:.2e}") : "< " + number(d["D_bound_cm2_per_s"], "{:.1e}"),
         resolved ? number(d["D_std_cm2_per_s"], "{:.1e}") : "–",
         resolved ? number(p["conductivity_mS_per_cm"], "{:.3g}") : "–", number(d["window_msd_A2"], "{:.2f}"),
         number(p["framework_msd_A2"], "{:.2f}")});
    if (!resolved)
      table.notes.push_back(fmt::format("{} at {} K, not resolved: {}", p["structure"].get<std::string>(),
                                        number(p["temperature_K"], "{:g}"), d["reason"].get<std::string>()));
  }
  table.notes.emplace_back(
      "“<” is a one-sided 95 % upper bound. σ is the Nernst–Einstein conductivity of the tracer D.");
  if (molten)
    table.notes.emplace_back(
        "Where the framework's MSD is large too, the structure is no longer a crystal with mobile ions: it "
        "melts.");
  return table;
}

Figure arrhenius_figure(const Json& numbers) {
  Figure figure{"arrhenius",
                "Diffusion against inverse temperature",
                "D from the slope of the MSD, error bars of one standard error; open triangles are upper "
                "bounds; lines are weighted Arrhenius fits.",
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
    values.colour = bounds.colour = report::colour_of(name);
    values.mark = bounds.mark = Mark::points;
    bounds.open_points = true;
    if (!values.x.empty()) figure.series.push_back(values);
    if (!bounds.x.empty()) figure.series.push_back(bounds);
    const Json& fit = numbers["arrhenius"][name];
    if (!fit.is_object() || !fit.contains("Ea_eV")) continue;
    Series line{fmt::format("{}: {} ± {} eV", name, number(fit["Ea_eV"], "{:.3f}"),
                            number(fit["Ea_std_eV"], "{:.3f}")),
                doubles(fit["line_x"]),
                doubles(fit["line_D"]),
                {},
                report::colour_of(name),
                Mark::line,
                true,
                false};
    figure.series.push_back(line);
  }
  return figure;
}

Table activation_table(const Json& fits) {
  Table table{"activation",
              "Activation energies",
              {"structure", "E_a (eV)", "standard error", "points", "R²", "D at 300 K (cm²/s), extrapolated"},
              {},
              {}};
  for (const auto& [name, fit] : fits.items()) {
    if (!fit.contains("Ea_eV")) {
      table.notes.push_back(fmt::format("{}: {}", name, fit["reason"].get<std::string>()));
      continue;
    }
    table.rows.push_back({name, number(fit["Ea_eV"], "{:.3f}"), number(fit["Ea_std_eV"], "{:.3f}"),
                          std::to_string(fit["points"].get<std::size_t>()), number(fit["r2"], "{:.4f}"),
                          number(fit["D_300K_cm2_per_s"], "{:.1e}")});
    for (const auto& note : fit["notes"])
      table.notes.push_back(fmt::format("{}: {}", name, note.get<std::string>()));
  }
  return table;
}

std::vector<Item> msd_figures(const Json& points) {
  std::map<std::string, Figure> figures;
  for (const auto& p : points) {
    if (p.contains("failed")) continue;
    const std::string name = p["structure"];
    Figure& figure = figures[name];
    figure.id = "msd-" + name;
    figure.caption = fmt::format("Mean square displacement of Li, {}", name);
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
  for (auto& [name, figure] : figures) items.emplace_back(std::move(figure));
  return items;
}

std::vector<Item> rdf_figures(const Json& points) {
  std::map<std::string, Figure> figures;
  double hottest = 0;
  for (const auto& p : points) hottest = std::max(hottest, p["temperature_K"].get<double>());
  for (const auto& p : points) {
    if (p.contains("failed") || p["temperature_K"].get<double>() != hottest) continue;
    const std::string name = p["structure"];
    for (const auto& [pair, g] : p["rdf"].items()) {
      Figure& figure = figures[pair];
      figure.id = "rdf-" + pair;
      figure.caption = fmt::format("Radial distribution function {} at {:g} K", pair, hottest);
      figure.definition =
          "Density of the second species at distance r from the first, over its mean density.";
      figure.x_label = "r (Å)";
      figure.y_label = "g(r)";
      figure.series.push_back(
          {name, doubles(g["r_A"]), doubles(g["g"]), {}, report::colour_of(name), Mark::line, false, false});
    }
  }
  std::vector<Item> items;
  for (auto& [pair, figure] : figures) items.emplace_back(std::move(figure));
  return items;
}

Section transport_section(const Json& numbers) {
  Section section{"Ion transport",
                  {diffusion_table(numbers["points"]), arrhenius_figure(numbers),
                   activation_table(numbers["arrhenius"])}};
  for (auto& item : msd_figures(numbers["points"])) section.items.push_back(std::move(item));
  return section;
}

}  // namespace

void write_report(const Context& context, const Json& numbers, const std::filesystem::path& file) {
  report::Document document;
  document.title = context.config.title;
  document.summary =
      "Made by solion from labelled frames: a Deep Potential was trained, judged on frames it had not seen, "
      "and used for "
      "molecular dynamics. Every number has its data beside it; what a run is too short to tell is given as "
      "a bound.";
  document.sections = {data_section(numbers["data"]),
                       model_section(context, numbers),
                       md_section(numbers),
                       transport_section(numbers),
                       {"Structure", rdf_figures(numbers["points"])}};
  document.provenance = {{"solion", version()},
                         {"study file", context.config.file.filename().string()},
                         {"seed", std::to_string(context.config.seed)},
                         {"data set (SHA-256)", numbers["data"]["hash"]},
                         {"model (SHA-256)", numbers["model"]["hash"]},
                         {"ledger", "ledger.sqlite, beside this file"}};
  for (const auto& task : context.ledger.tasks()) {
    if (task.outcome == "done") {
      document.provenance.emplace_back(
          fmt::format("{}: {}", task.kind, task.name),
          fmt::format("{} – {}, {}", task.started, task.finished, task.key.substr(0, 12)));
    }
  }
  report::write_html(document, file, report::find_plotly());
}

}  // namespace solion::study
