// The study's numbers as a report: what was trained, how good it is, how the ions move.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/log.hpp"
#include "solion/base/version.hpp"
#include "solion/study/cells.hpp"
#include "solion/study/report_parts.hpp"

namespace solion::study {

std::string number(const Json& value, const char* format) {
  if (!value.is_number()) return "–";
  std::string text = fmt::format(fmt::runtime(format), value.get<double>());
  // What rounds to zero has no sign.
  if (text.front() == '-' && text.find_first_of("123456789") == std::string::npos) text.erase(0, 1);
  return text;
}

std::vector<double> doubles(const Json& values) {
  std::vector<double> result;
  result.reserve(values.size());
  for (const auto& v : values) result.push_back(v.is_number() ? v.get<double>() : std::nan(""));
  return result;
}

Mat3 matrix_of(const Json& rows) {
  Mat3 matrix;
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k)
      matrix(i, k) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)].get<double>();
  return matrix;
}

std::array<double, 6> lengths_and_angles(const Mat3& cell) {
  std::array<double, 6> result{};
  for (int k = 0; k < 3; ++k) {
    const Vec3 u = cell.row((k + 1) % 3).normalized(), v = cell.row((k + 2) % 3).normalized();
    result[static_cast<std::size_t>(k)] = cell.row(k).norm();
    result[static_cast<std::size_t>(k) + 3] =
        std::acos(std::clamp(u.dot(v), -1.0, 1.0)) * 180 / constants::pi;
  }
  return result;
}

void drop_columns(Table& table, std::size_t first, std::size_t n) {
  const auto cut = [&](std::vector<std::string>& row) {
    const auto begin = row.begin() + static_cast<std::ptrdiff_t>(first);
    row.erase(begin, begin + static_cast<std::ptrdiff_t>(n));
  };
  cut(table.header);
  std::ranges::for_each(table.rows, cut);
}

void note_failure(Table& table, const Json& point) {
  if (point["failed"] == not_computed) return;
  table.notes.push_back(fmt::format("{} at {} K failed: {}", point["structure"].get<std::string>(),
                                    number(point["temperature_K"], "{:g}"),
                                    point["failed"].get<std::string>()));
}

std::string why_failed(const Json& stage) {
  return fmt::format("This failed: {}. The next call of the study tries it again.",
                     stage["failed"].get<std::string>());
}

bool model_is_given(const Json& model) { return !model["curve"].is_string(); }

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

bool sound(const Json& point) { return point.value("unsound", std::string()).empty(); }

bool molten(const Json& point) { return point.value("molten", false); }

bool steady(const Json& point) { return point.value("not_steady", std::string()).empty(); }

void add_without_defects(SharedNotes& notes, const Json& point) {
  if (!point.contains("without_defects")) return;
  const Json& gone = point["without_defects"];
  notes.add(
      fmt::format("The defects have met and gone in {} of {} relaxed frames, which are the perfect crystal",
                  gone["frames"].get<std::size_t>(), gone["of"].get<std::size_t>()),
      point["structure"], point["temperature_K"]);
}

void note_states(std::vector<std::string>& notes, const Json& points, double from_K) {
  SharedNotes shared;
  for (const Json& p : points) {
    if (p.contains("failed") || p["temperature_K"].get<double>() < from_K) continue;
    if (!sound(p)) {
      shared.add("Not sound, so that what was measured in it is left out", p["structure"],
                 p["temperature_K"]);
    } else if (molten(p)) {
      shared.add("Molten, so that this is what a liquid does", p["structure"], p["temperature_K"]);
    }
    if (sound(p)) add_without_defects(shared, p);
  }
  shared.write(notes);
}

std::string states_of(const Json& points, double from_K) {
  std::vector<std::string> notes;
  note_states(notes, points, from_K);
  std::string text;
  for (const std::string& note : notes) text += " " + note;
  return text;
}

void sort_by_x(Series& series) {
  std::vector<std::size_t> order(series.x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return series.x[a] < series.x[b]; });
  const auto sorted = [&](const std::vector<double>& values) {
    std::vector<double> result;
    if (values.empty()) return result;
    for (const std::size_t k : order) result.push_back(values[k]);
    return result;
  };
  series.y_error = sorted(series.y_error);
  series.y = sorted(series.y);
  series.x = sorted(series.x);
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
    if (p.contains("failed") || !sound(p) || molten(p)) continue;
    const Json& d = p["diffusion"];
    const auto text = [](const Json& value) { return value.is_number() ? value.dump() : std::string(); };
    std::string& file = files[p["structure"]];
    if (file.empty()) file = "T_K,D_cm2_per_s,D_std_cm2_per_s,resolved,D_bound_cm2_per_s,not_stationary\n";
    file += fmt::format("{},{},{},{},{},{}\n", p["temperature_K"].dump(), text(d["D_cm2_per_s"]),
                        text(d["D_std_cm2_per_s"]), d["resolved"].dump(), text(d["D_bound_cm2_per_s"]),
                        steady(p) ? "false" : "true");
  }
  for (const auto& [name, text] : files) write_file(folder / fmt::format("D-{}.csv", name), text);
}

std::string summary_of(const Config& config, const Json& numbers) {
  const bool moved = numbers.contains("points");
  std::string text = fmt::format(
      "Made by solion from labelled frames: {}{}. Every number has its data beside it{}.",
      config.model.file.empty()
          ? "a Deep Potential was trained, judged on frames it had not seen"
          : "a model that was given was judged on them (whether it had seen them is not known here)",
      moved ? ", and used for molecular dynamics" : "",
      moved ? "; what a run is too short to tell is given as a bound" : "");
  if (numbers.contains("missing")) {
    text += fmt::format(" Not finished: {} are still to be computed.",
                        fmt::join(numbers["missing"].get<std::vector<std::string>>(), ", "));
  }
  if (const std::size_t failed = failures_of(numbers).size(); failed > 0)
    text += fmt::format(" Failed: {} {}, each said in its place.", failed, failed == 1 ? "part" : "parts");
  return text;
}

/// The campaign's files are not the study's: without them the rest is still to be shown.
Section campaign_if_there(const Config& config) {
  try {
    return campaign_section(config);
  } catch (const Error& error) {
    log().warn("active learning: {}", error.what());
    return {"Active learning", {fmt::format("Nothing to show: {}.", error.what())}};
  }
}

std::vector<Section> sections_of(const Context& context, const Json& numbers) {
  const Config& config = context.config;
  std::vector<Section> sections;
  /// The section of a stage, or why there is none; nothing of what is not computed.
  const auto add = [&](const char* key, const char* title, const std::function<Section()>& section) {
    if (!numbers.contains(key)) return;
    sections.push_back(computed(numbers, key) ? section() : Section{title, {why_failed(numbers[key])}});
  };
  if (!config.campaign.empty()) sections.push_back(campaign_if_there(config));
  add("data", "Data set", [&] { return data_section(numbers); });
  add("model", "Model", [&] { return model_section(context, numbers); });
  add("checks", "Checks", [&] { return checks_section(numbers["checks"]); });
  if (numbers.contains("points")) {
    const Published published = read_published(config);
    sections.push_back(md_section(config, numbers));
    sections.push_back(transport_section(config, numbers, published));
    sections.push_back(structure_section(config, numbers));
  }
  add("barriers", "Migration barriers", [&] { return barriers_section(config, numbers); });
  add("defects", "Defect energies", [&] { return defects_section(numbers, read_published(config)); });
  return sections;
}

}  // namespace

void write_report(const Context& context, const Json& numbers, const std::filesystem::path& file) {
  report::Document document;
  document.title = context.config.title;
  document.structures = context.config.md.structures;
  document.summary = summary_of(context.config, numbers);
  document.sections = sections_of(context, numbers);
  document.provenance = {{"solion", version()},
                         {"study file", context.config.file.filename().string()},
                         {"seed", std::to_string(context.config.seed)}};
  for (const auto& [key, name] : {std::pair{"data", "data set"}, {"model", "model"}})
    if (computed(numbers, key))
      document.provenance.emplace_back(fmt::format("{} (SHA-256)", name), numbers[key]["hash"]);
  document.provenance.emplace_back("ledger", "ledger.sqlite, beside this file");
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
