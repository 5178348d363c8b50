// Data and model: what was learnt from, how well, and the iterations of active learning.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/study/report_parts.hpp"

namespace solion::study {
namespace {

std::string milli(const Json& value) {
  return value.is_number() ? fmt::format("{:.2f}", 1000 * value.get<double>()) : "–";
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

Figure parity(const Json& structures, const char* key, const std::string& id, const std::string& caption,
              const char* unit, const std::string& definition) {
  Figure figure{
      id,    caption, definition, fmt::format("label ({})", unit), fmt::format("model ({})", unit), false,
      false, true,    {}};
  for (const auto& s : structures) {
    const std::string name = s["name"];
    figure.series.push_back(
        {name, doubles(s[key]["label"]), doubles(s[key]["predicted"]), {}, name, Mark::points, false, false});
  }
  return figure;
}

/// What is known of the two parts of the labelled frames. A model that was given may have seen either.
struct Parts {
  const char *judging, *others;
};

Parts parts_of(const Json& model) {
  if (model_is_given(model)) return {"the frames chosen to judge it", "the frames not chosen to judge it"};
  return {"frames that were not trained on", "the frames that were trained on"};
}

constexpr const char* unknown_origin =
    "The model was given: whether it was trained on any of these frames is not known here.";

Table accuracy_table(const Json& validation, const Json& model) {
  const Parts parts = parts_of(model);
  const bool two_parts = !validation["training"]["structures"].empty();
  Table table{
      "accuracy",
      fmt::format("Root mean square errors of the model on {}{}", parts.judging,
                  two_parts ? fmt::format(" (in brackets: on {})", parts.others) : std::string()),
      {"structure", "frames", "energy (meV/atom)", "force (meV/Å)", "virial (meV/atom)", "R² of forces"},
      {},
      {}};
  std::map<std::string, Json> trained;
  for (const auto& s : validation["training"]["structures"]) trained[s["name"]] = s["errors"];
  const auto row = [&](const std::string& name, const Json& e, const Json& t) {
    const auto both = [&](const char* key) {
      if (!two_parts) return milli(e[key]);
      return fmt::format("{} ({})", milli(e[key]), t.is_object() ? milli(t[key]) : "–");
    };
    table.rows.push_back({name, std::to_string(e["frames"].get<std::size_t>()),
                          both("energy_rmse_eV_per_atom"), both("force_rmse_eV_per_A"),
                          both("virial_rmse_eV_per_atom"), number(e["force_r2"], "{:.5f}")});
  };
  for (const auto& s : validation["validation"]["structures"])
    row(s["name"], s["errors"], trained[s["name"]]);
  row("all", validation["validation"]["all"], validation["training"]["all"]);
  if (model_is_given(model)) table.notes.emplace_back(unknown_origin);
  return table;
}

/// A list that solion learn wrote.
Json rows_of(const std::filesystem::path& file) {
  Json rows = Json::parse(read_file(file), nullptr, false);
  if (!rows.is_array()) throw InputError("{}: not a table of solion learn", file.string());
  return rows;
}

/// What the committee's deviation says of the error, on the frames that were labelled for it.
Figure calibration(const Json& points) {
  Figure figure{
      "calibration",
      "True error against the deviation of the committee",
      "Of each frame chosen for labelling: the largest error of a force of the model that explored, "
      "against the largest deviation of a force within the committee, both before retraining. On "
      "the line they are equal.",
      "deviation (eV/Å)",
      "error (eV/Å)",
      true,
      true,
      false,
      {}};
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> by_structure;
  double least = HUGE_VAL, most = 0;
  for (const Json& p : points) {
    const double x = p["deviation_eV_per_A"], y = p["error_eV_per_A"];
    auto& [xs, ys] = by_structure[p["structure"]];
    xs.push_back(x);
    ys.push_back(y);
    least = std::min(least, x);
    most = std::max(most, x);
  }
  for (const auto& [name, xy] : by_structure)
    figure.series.push_back({name, xy.first, xy.second, {}, name, Mark::points, false, false});
  figure.series.push_back({"equal", {least, most}, {least, most}, {}, "", Mark::line, true, false});
  return figure;
}

/// Numbers of a list as words.
std::string words(const Json& list) {
  std::string text;
  for (const Json& item : list)
    text += (text.empty() ? "" : ", ") + (item.is_string() ? item.get<std::string>() : number(item, "{:g}"));
  return text;
}

}  // namespace

Section data_section(const Json& numbers) {
  const Json& structures = numbers["data"]["structures"];
  const bool two_parts = std::any_of(structures.begin(), structures.end(),
                                     [](const Json& s) { return s["training"].get<int>() > 0; });
  const bool given = computed(numbers, "model") && model_is_given(numbers["model"]);
  Table table{"data", "Labelled frames by structure", {"structure"}, {}, {}};
  if (two_parts) table.header.emplace_back(given ? "others" : "training");
  table.header.emplace_back(given ? "chosen to judge the model" : "validation");
  for (const auto& s : structures) {
    auto& row = table.rows.emplace_back(std::vector<std::string>{s["name"]});
    for (const char* part : {"training", "validation"})
      if (two_parts || std::string_view(part) == "validation") row.push_back(number(s[part], "{:g}"));
  }
  std::string text = "Reference labels that the model was trained on, and those kept apart to judge it.";
  if (given) text = fmt::format("Reference labels that judge the model. {}", unknown_origin);
  return {"Data set", {text, table}};
}

Section campaign_section(const Config& config) {
  const Json rows = rows_of(config.campaign / "table_s1.json");
  Table table{
      "iterations",
      "Iterations of active learning",
      {"iteration", "ensemble", "structures", "T (K)", "steps", "frames", "accurate (%)", "candidates (%)",
       "failed (%)", "labels", "force error of new labels before → after (meV/Å)"},
      {},
      {"Shares are of explored frames; what an exploration would have visited after it was stopped counts as "
       "failed."}};
  for (const Json& r : rows) {
    const Json& e = r["explored"];
    const auto percent = [&](const char* key) {
      return e[key].is_number() ? fmt::format("{:.2f}", 100 * e[key].get<double>()) : std::string("–");
    };
    const auto force = [&](const char* key) {
      return r[key].is_object() ? milli(r[key]["force_rmse_eV_per_A"]) : std::string("–");
    };
    table.rows.push_back({number(r["iteration"], "{:g}"), r["ensemble"], words(r["structures"]),
                          words(r["temperatures_K"]), number(r["steps"], "{:g}"),
                          number(e["planned"], "{:g}"), percent("accurate_share"), percent("candidate_share"),
                          percent("failed_share"), number(r["labelled"], "{:g}"),
                          force("new_labels_before") + " → " + force("new_labels_after")});
  }
  Section section{"Active learning", {table}};
  if (const auto file = config.campaign / "calibration.json"; std::filesystem::exists(file)) {
    if (const Json points = rows_of(file); !points.empty()) section.items.emplace_back(calibration(points));
  }
  return section;
}

Section model_section(const Context& context, const Json& numbers) {
  const Json& model = numbers["model"];
  Section section{"Model", {}};
  if (model["curve"].is_string()) {
    section.items.emplace_back(
        fmt::format("{} parameters, {} steps in {:.0f} s.", model["parameters"].get<std::size_t>(),
                    model["steps"].get<std::int64_t>(), model["seconds"].get<double>()));
    section.items.emplace_back(training_curve(context.options.run_dir / model["curve"].get<std::string>()));
  }
  if (!numbers.contains("validation")) return section;
  if (!computed(numbers, "validation")) {
    section.items.emplace_back(why_failed(numbers["validation"]));
    return section;
  }
  const Json& v = numbers["validation"];
  section.items.emplace_back(accuracy_table(v, model));
  const Parts words = parts_of(model);
  struct Parity {
    const char *part, *suffix, *words;
  };
  for (const Parity& p :
       {Parity{"validation", "", words.judging}, Parity{"training", "-trained", words.others}}) {
    if (v[p.part]["structures"].empty()) continue;
    const std::string definition = fmt::format("Prediction of the model against the label, for {}.", p.words);
    section.items.emplace_back(
        parity(v[p.part]["structures"], "energy_eV_per_atom", fmt::format("parity-energy{}", p.suffix),
               fmt::format("Energy of the model against the label, {}", p.words), "eV/atom", definition));
    section.items.emplace_back(parity(
        v[p.part]["structures"], "force_eV_per_A", fmt::format("parity-force{}", p.suffix),
        fmt::format("Force components of the model against the label, {}", p.words), "eV/Å", definition));
  }
  return section;
}

}  // namespace solion::study
