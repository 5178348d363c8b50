// The study's numbers as a report: what was trained, how good it is, how the ions move.
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/base/files.hpp"
#include "solion/base/version.hpp"
#include "solion/study/cells.hpp"
#include "solion/study/report_parts.hpp"

namespace solion::study {

std::string number(const Json& value, const char* format) {
  if (!value.is_number()) return "–";
  return fmt::format(fmt::runtime(format), value.get<double>());
}

std::vector<double> doubles(const Json& values) {
  std::vector<double> result;
  result.reserve(values.size());
  for (const auto& v : values) result.push_back(v.is_number() ? v.get<double>() : std::nan(""));
  return result;
}

void note_failure(Table& table, const Json& point) {
  if (point["failed"] == not_computed) return;
  table.notes.push_back(fmt::format("{} at {} K failed: {}", point["structure"].get<std::string>(),
                                    number(point["temperature_K"], "{:g}"),
                                    point["failed"].get<std::string>()));
}

void SharedNotes::add(const std::string& text, const std::string& structure, const Json& temperature_K) {
  const auto entry = [](auto& list, const std::string& name) -> auto& {
    for (auto& [known, value] : list)
      if (known == name) return value;
    return list.emplace_back(name, typename std::decay_t<decltype(list)>::value_type::second_type()).second;
  };
  auto& temperatures = entry(entry(texts_, text), structure);
  if (temperature_K.is_number()) temperatures.push_back(number(temperature_K, "{:g}"));
}

void SharedNotes::write(std::vector<std::string>& notes) const {
  for (const auto& [text, structures] : texts_) {
    std::vector<std::string> where;
    for (const auto& [structure, temperatures] : structures)
      where.push_back(temperatures.empty()
                          ? structure
                          : fmt::format("{} at {} K", structure, fmt::join(temperatures, ", ")));
    notes.push_back(fmt::format("{}: {}.", text, fmt::join(where, "; ")));
  }
}

Json Published::D(const std::string& structure, double temperature_K) const {
  auto row = diffusion.find(structure);
  if (const auto several = several_of(structure); row == diffusion.end() && several)
    row = diffusion.find(several->reaction);
  if (row == diffusion.end()) return {};
  return row->value(fmt::format("{:g}", temperature_K), Json());
}

Json Published::binding_eV(const std::string& structure) const { return binding.value(structure, Json()); }

Published read_published(const Config& config) {
  Published published{"", Json::object(), Json::object()};
  if (config.published.empty()) return published;
  TomlTable table = TomlTable::read(config.published);
  published.source = table.text("source");
  TomlTable diffusion = table.table_or_empty("D_cm2_per_s");
  for (const std::string& structure : diffusion.keys()) {
    TomlTable row = diffusion.table(structure);
    for (const std::string& T : row.keys()) published.diffusion[structure][T] = row.number(T);
  }
  TomlTable binding = table.table_or_empty("binding_eV");
  for (const std::string& structure : binding.keys())
    published.binding[structure] = binding.number(structure);
  table.refuse_unknown();
  return published;
}

namespace {

/// D(T) of each structure as `solion analyze arrhenius` reads it: data/D-STRUCTURE.csv.
void write_diffusion(const Json& points, const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const Json& p : points) {
    if (p.contains("failed") || p["unsound"] != "" || p["molten"]) continue;
    const Json& d = p["diffusion"];
    const auto text = [](const Json& value) { return value.is_number() ? value.dump() : std::string(); };
    std::string& file = files[p["structure"]];
    if (file.empty()) file = "T_K,D_cm2_per_s,D_std_cm2_per_s,resolved,D_bound_cm2_per_s\n";
    file += fmt::format("{},{},{},{},{}\n", p["temperature_K"].dump(), text(d["D_cm2_per_s"]),
                        text(d["D_std_cm2_per_s"]), d["resolved"].dump(), text(d["D_bound_cm2_per_s"]));
  }
  for (const auto& [name, text] : files) write_file(folder / fmt::format("D-{}.csv", name), text);
}

}  // namespace

void write_report(const Context& context, const Json& numbers, const std::filesystem::path& file) {
  report::Document document;
  document.title = context.config.title;
  document.summary = fmt::format(
      "Made by solion from labelled frames: a Deep Potential was {}judged on frames it had not seen{}. "
      "Every number has its data beside it{}.",
      context.config.model.file.empty() ? "trained, " : "",
      numbers.contains("points") ? ", and used for molecular dynamics" : "",
      numbers.contains("points") ? "; what a run is too short to tell is given as a bound" : "");
  if (numbers.contains("missing")) {
    document.summary += fmt::format(" Not finished: {} are still to be computed.",
                                    fmt::join(numbers["missing"].get<std::vector<std::string>>(), ", "));
  }
  const Published published = read_published(context.config);
  if (!context.config.campaign.empty()) document.sections.push_back(campaign_section(context.config));
  document.sections.push_back(data_section(numbers));
  document.sections.push_back(model_section(context, numbers));
  if (numbers.contains("checks")) document.sections.push_back(checks_section(numbers["checks"]));
  if (numbers.contains("points")) {
    document.sections.push_back(md_section(numbers));
    document.sections.push_back(transport_section(context.config, numbers, published));
    document.sections.push_back(structure_section(context.config, numbers));
  }
  if (numbers.contains("barriers")) document.sections.push_back(barriers_section(context.config, numbers));
  if (numbers.contains("defects")) document.sections.push_back(defects_section(numbers, published));
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
  if (numbers.contains("points")) write_diffusion(numbers["points"], file.parent_path() / "data");
}

}  // namespace solion::study
