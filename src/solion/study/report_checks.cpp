// The checks of a model: bars, errors by temperature and coordination, and the curves beside direct DFT.
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/study/checks.hpp"
#include "solion/study/report_parts.hpp"

namespace solion::study {
namespace {

Table verdicts_table(const Json& verdicts) {
  Table table{"checks", "What was asked of the model", {"", "found", "bar", "", "met"}, {}, {}};
  for (const Json& v : verdicts) {
    const std::string unit = v["unit"].get<std::string>();
    const std::string found = v["value"].is_number()
                                  ? beside_bar(v["value"].get<double>(), v["bar"].get<double>())
                                  : std::string("–");
    table.rows.push_back({v["what"], unit.empty() ? found : fmt::format("{} {}", found, unit),
                          (v["at_least"].get<bool>() ? "≥ " : "≤ ") + number(v["bar"], "{:g}"), v["note"],
                          v["met"].get<bool>() ? "yes" : "no"});
  }
  return table;
}

std::string milli(const Json& value) {
  return value.is_number() ? fmt::format("{:.2f}", 1000 * value.get<double>()) : "–";
}

Table temperatures_table(const Json& accuracy) {
  Table table{"accuracy-temperature",
              "Root mean square errors by temperature, on the frames that judge the model",
              {"T (K)", "frames", "energy (meV/atom)", "force (meV/Å)", "virial (meV/atom)"},
              {},
              {}};
  for (const Json& t : accuracy["temperatures"]) {
    const Json& e = t["errors"];
    table.rows.push_back({number(t["temperature_K"], "{:g}"), std::to_string(e["frames"].get<std::size_t>()),
                          milli(e["energy_rmse_eV_per_atom"]), milli(e["force_rmse_eV_per_A"]),
                          milli(e["virial_rmse_eV_per_atom"])});
  }
  return table;
}

Table coordination_table(const Json& accuracy) {
  Table table{"accuracy-coordination",
              "Root mean square errors of forces by coordination",
              {"atoms", "count", "force (meV/Å)"},
              {},
              {}};
  for (const Json& c : accuracy["coordination"])
    table.rows.push_back(
        {c["name"], std::to_string(c["atoms"].get<std::size_t>()), milli(c["force_rmse_eV_per_A"])});
  return table;
}

/// The lowest energy of each curve is its zero.
Series relative(const std::string& name, const Json& x, const Json& energies, double zero, double factor,
                Mark mark) {
  Series series{name, doubles(x), {}, {}, "", mark, false, false};
  for (const double e : doubles(energies)) series.y.push_back(factor * (e - zero));
  return series;
}

Figure volume_figure(const Json& eos) {
  Figure figure{"equation-of-state",
                "Energy against volume",
                "A formula unit of the crystal; each curve from its own minimum (Birch and Murnaghan).",
                "volume (Å³ a formula unit)",
                "energy (meV a formula unit)",
                false,
                false,
                false,
                {}};
  const double units = eos["units"].get<double>();
  Json volumes = Json::array();
  for (const Json& v : eos["volume_A3"]) volumes.push_back(v.get<double>() / units);
  for (const auto& [name, key, fit, mark] :
       {std::tuple{"DFT", "label_eV", "label", Mark::points}, {"model", "model_eV", "model", Mark::line}}) {
    figure.series.push_back(
        relative(name, volumes, eos[key], units * eos[fit]["energy_eV"].get<double>(), 1000 / units, mark));
    sort_by_x(figure.series.back());
  }
  return figure;
}

Figure paths_figure(const Json& paths) {
  Figure figure{"direct-path",
                "The way of hops to their saddle",
                "Energies of the same frames, from the first.",
                "frame",
                "energy (eV)",
                false,
                false,
                false,
                {}};
  for (const Json& path : paths) {
    const std::string hop = paths.size() == 1 ? "" : path["name"].get<std::string>() + ", ";
    Json frames = Json::array();
    for (std::size_t k = 0; k < path["label_eV"].size(); ++k) frames.push_back(k + 1);
    for (const auto& [who, key, mark] :
         {std::tuple{"DFT", "label_eV", Mark::points}, {"model", "model_eV", Mark::line}})
      figure.series.push_back(relative(hop + who, frames, path[key], path[key][0].get<double>(), 1, mark));
  }
  return figure;
}

}  // namespace

Section checks_section(const Json& checks) {
  Section section{"Checks", {verdicts_table(checks["verdicts"])}};
  if (checks.contains("accuracy")) {
    const Json& accuracy = checks["accuracy"];
    if (!accuracy["temperatures"].empty()) section.items.emplace_back(temperatures_table(accuracy));
    if (!accuracy["coordination"].empty()) section.items.emplace_back(coordination_table(accuracy));
  }
  const Json& direct = checks["direct"];
  if (direct.is_object() && direct.contains("equation_of_state"))
    section.items.emplace_back(volume_figure(direct["equation_of_state"]));
  if (direct.is_object() && direct.contains("paths"))
    section.items.emplace_back(paths_figure(direct["paths"]));
  return section;
}

}  // namespace solion::study
