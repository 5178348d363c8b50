// A run directory of DP-GEN as history: counts from its lists, frames from its data.* systems.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dataset/system.hpp"
#include "solion/learn/dpgen.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

struct Counts {
  std::size_t accurate = 0;
  std::size_t candidate = 0;
  std::size_t failed = 0;
};

std::vector<fs::path> entries(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> found;
  if (!fs::is_directory(folder)) return found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The part of "task.SSS.FFFFFF" or "candidate.shuffled.SSS.out" that names the system.
std::string part(const fs::path& path, int which) {
  std::istringstream stream(path.filename().string());
  std::string text;
  for (int i = 0; i <= which; ++i) std::getline(stream, text, '.');
  return text;
}

/// Lines with something in them.
std::size_t count_lines(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::size_t n = 0;
  while (std::getline(stream, line)) n += line.find_first_not_of(" \t\r") != std::string::npos ? 1 : 0;
  return n;
}

/// Counts by system from 02.fp/{candidate,rest_accurate,rest_failed}.shuffled.SSS.out; the documentation
/// writes "shuffle" for some.
std::map<std::string, Counts> from_lists(const fs::path& fp) {
  std::map<std::string, Counts> counts;
  for (const fs::path& file : entries(fp, "")) {
    if (file.extension() != ".out" || !part(file, 1).starts_with("shuffle")) continue;
    const std::string kind = part(file, 0);
    Counts& of = counts[part(file, 2)];
    if (kind == "candidate") of.candidate += count_lines(file);
    if (kind == "rest_accurate") of.accurate += count_lines(file);
    if (kind == "rest_failed") of.failed += count_lines(file);
  }
  return counts;
}

/// A level for one system: a number, a list by system or a table by the system's number; NaN if there is
/// none.
double level(const Json& value, std::size_t system) {
  if (value.is_number()) return value.get<double>();
  if (value.is_array() && system < value.size() && value[system].is_number())
    return value[system].get<double>();
  if (value.is_object()) return level(value.value(std::to_string(system), Json()), system);
  return std::nan("");
}

const Json& in_job_or_param(const Json& job, const Json& param, const char* key) {
  static const Json none;
  if (job.is_object() && job.contains(key)) return job[key];
  return param.is_object() && param.contains(key) ? param[key] : none;
}

/// The numbers of a line, NaN included: DP-GEN's of a run that blew up. Why it is none, in `problem`.
std::vector<double> numbers_of(const std::string& line, std::string& problem) {
  std::istringstream fields(line);
  std::vector<double> values;
  for (std::string word; fields >> word;) {
    char* end = nullptr;
    values.push_back(std::strtod(word.c_str(), &end));
    if (*end != '\0') problem = fmt::format("'{}' is no number", word);
  }
  if (problem.empty() && values.size() < 5) problem = "less than 5 numbers";
  return values;
}

/// Adds one model_devi.out: the step, then max, min and mean deviation of the virial, then of the force. As
/// in DP-GEN a frame is a candidate if either deviation lies between its levels, else failed if either is at
/// or above the upper one. A line that a full disk or a kill cut is left out and remarked.
void add_deviations(const fs::path& file, const std::array<double, 4>& levels, double skip, Counts& counts,
                    Json& remarks) {
  std::ifstream stream(file);
  std::string line;
  while (std::getline(stream, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
    std::string problem;
    const std::vector<double> values = numbers_of(line, problem);
    if (!problem.empty()) {
      remarks.push_back(fmt::format("{}: a line is not counted: {}: {}", file.string(), problem, line));
      continue;
    }
    if (values[0] < skip) continue;
    const double v = values[1];
    const double f = values[4];
    if ((f >= levels[0] && f < levels[1]) || (v >= levels[2] && v < levels[3])) {
      ++counts.candidate;
    } else if (f < levels[0] && v < levels[2]) {
      ++counts.accurate;
    } else {
      ++counts.failed;
    }
  }
}

std::map<std::string, Counts> from_deviations(const fs::path& explored, const Json& job, const Json& param,
                                              Json& remarks) {
  std::map<std::string, Counts> counts;
  const Json& skip = in_job_or_param(job, param, "model_devi_skip");
  for (const fs::path& task : entries(explored, "task.")) {
    const fs::path file = task / "model_devi.out";
    if (!fs::exists(file)) continue;
    const std::string system = part(task, 1);
    const auto index = static_cast<std::size_t>(std::strtoul(system.c_str(), nullptr, 10));
    const auto of = [&](const char* key, double fallback) {
      const double value = level(in_job_or_param(job, param, key), index);
      return std::isnan(value) ? fallback : value;
    };
    const std::array<double, 4> levels{of("model_devi_f_trust_lo", std::nan("")),
                                       of("model_devi_f_trust_hi", std::nan("")),
                                       of("model_devi_v_trust_lo", 1e10), of("model_devi_v_trust_hi", 1e10)};
    if (std::isnan(levels[0]) || std::isnan(levels[1])) return {};
    add_deviations(file, levels, skip.is_number() ? skip.get<double>() : 0.0, counts[system], remarks);
  }
  return counts;
}

Json counts_json(const Counts& counts) {
  return {{"accurate", counts.accurate}, {"candidate", counts.candidate}, {"failed", counts.failed}};
}

/// The systems below a data.* folder; those that cannot be read, or none, are remarked.
Json data_of(const fs::path& folder, Json& remarks) {
  Json data = Json::array();
  const auto remarked = [&](const auto& read) {
    try {
      read();
    } catch (const InputError& error) {
      remarks.push_back(error.what());
    }
  };
  std::vector<fs::path> systems;
  remarked([&] { systems = dataset::find_systems(folder); });
  for (const fs::path& path : systems) {
    remarked([&] {
      const dataset::System system = dataset::load_system(path);
      const bool virial = std::all_of(system.frames.begin(), system.frames.end(),
                                      [](const Frame& f) { return f.labels.virial_eV.has_value(); });
      data.push_back({{"path", path.string()},
                      {"frames", system.frames.size()},
                      {"formula", system.frames.front().formula()},
                      {"virial", virial}});
    });
  }
  return data;
}

Json iteration(const fs::path& folder, std::size_t number, const Json& param, Json& remarks) {
  const fs::path fp = folder / "02.fp";
  const fs::path explored = folder / "01.model_devi";
  Json job;
  if (param.is_object() && param.contains("model_devi_jobs") && number < param["model_devi_jobs"].size())
    job = param["model_devi_jobs"][number];
  auto counts = from_lists(fp);
  const char* source = counts.empty() ? "model_devi.out" : "02.fp/*.shuffled.*.out";
  if (counts.empty()) counts = from_deviations(explored, job, param, remarks);
  const Json counted_from = counts.empty() ? Json() : Json(source);
  std::map<std::string, std::size_t> tasks;
  for (const fs::path& task : entries(fp, "task.")) ++tasks[part(task, 1)];
  std::map<std::string, Json> data;
  for (const fs::path& path : entries(fp, "data.")) {
    if (fs::is_directory(path)) data[part(path, 1)] = data_of(path, remarks);
  }
  std::set<std::string> names;
  for (const auto& [name, of] : counts) names.insert(name);
  for (const auto& [name, of] : tasks) names.insert(name);
  for (const auto& [name, of] : data) names.insert(name);

  Counts all;
  std::size_t n_tasks = 0;
  std::size_t labelled = 0;
  Json systems = Json::array();
  for (const std::string& name : names) {
    Json row = counts_json(counts[name]);
    row["system"] = name;
    row["tasks"] = tasks[name];
    row["data"] = data.contains(name) ? data[name] : Json::array();
    std::size_t frames = 0;
    for (const Json& system : row["data"]) frames += system["frames"].get<std::size_t>();
    row["labelled"] = frames;
    all.accurate += counts[name].accurate;
    all.candidate += counts[name].candidate;
    all.failed += counts[name].failed;
    n_tasks += tasks[name];
    labelled += frames;
    systems.push_back(std::move(row));
  }
  Json result = counts_json(all);
  result["iteration"] = number;
  result["counted_from"] = counted_from;
  result["tasks"] = n_tasks;
  result["labelled"] = labelled;
  result["systems"] = std::move(systems);
  const auto take = [&](const char* to, const char* from) {
    result[to] = job.is_object() && job.contains(from) ? job[from] : Json();
  };
  take("ensemble", "ensemble");
  take("temperatures_K", "temps");
  take("pressures_bar", "press");
  take("steps", "nsteps");
  return result;
}

std::string list_text(const Json& value) {
  if (!value.is_array()) return value.is_null() ? "-" : value.dump();
  std::string text;
  for (const Json& item : value)
    text += (text.empty() ? "" : " ") +
            (item.is_number() ? fmt::format("{:g}", item.get<double>()) : item.dump());
  return text.empty() ? "-" : text;
}

std::string word(const Json& value) {
  return value.is_string() ? value.get<std::string>() : list_text(value);
}

std::string share(const Json& row, const char* key) {
  const double all =
      row["accurate"].get<double>() + row["candidate"].get<double>() + row["failed"].get<double>();
  return all > 0 ? fmt::format("{:.2f}", 100 * row[key].get<double>() / all) : "-";
}

}  // namespace

Json dpgen_history(const fs::path& run, const Json& param) {
  const std::vector<fs::path> folders = entries(run, "iter.");
  Json result{{"run", run.string()},
              {"iterations", Json::array()},
              {"stage", Json()},
              {"complete", 0},
              {"remarks", Json::array()}};
  if (folders.empty())
    throw InputError("{}: no run directory of DP-GEN: it has no iter.000000", run.string());
  for (const fs::path& folder : folders) {
    const std::string number = part(folder, 1);
    if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos) continue;
    Json row = iteration(folder, std::strtoul(number.c_str(), nullptr, 10), param, result["remarks"]);
    result["iterations"].push_back(std::move(row));
  }
  if (fs::exists(run / "record.dpgen")) {
    std::istringstream stream(read_file(run / "record.dpgen"));
    std::size_t number = 0;
    std::size_t stage = 0;
    std::string line;
    while (std::getline(stream, line)) {
      std::istringstream fields(line);
      if (!(fields >> number)) continue;
      if (!(fields >> stage))
        throw InputError("{}: not two numbers: {}", (run / "record.dpgen").string(), line);
      result["stage"] = {number, stage};
      if (stage == 8) result["complete"] = number + 1;
    }
  }
  return result;
}

std::string history_text(const Json& history) {
  std::string text =
      fmt::format("{:>3} {:<5} {:<16} {:<16} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6} {:>8}\n", "it", "ens.",
                  "T (K)", "P (bar)", "steps", "frames", "acc. %", "cand. %", "fail. %", "tasks", "labelled");
  for (const Json& row : history["iterations"]) {
    text += fmt::format("{:>3} {:<5} {:<16} {:<16} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6} {:>8}\n",
                        row["iteration"].get<std::size_t>(), word(row["ensemble"]),
                        list_text(row["temperatures_K"]), list_text(row["pressures_bar"]),
                        list_text(row["steps"]),
                        row["accurate"].get<std::size_t>() + row["candidate"].get<std::size_t>() +
                            row["failed"].get<std::size_t>(),
                        share(row, "accurate"), share(row, "candidate"), share(row, "failed"),
                        row["tasks"].get<std::size_t>(), row["labelled"].get<std::size_t>());
  }
  for (const Json& remark : history["remarks"]) text += "left out: " + remark.get<std::string>() + "\n";
  return text;
}

std::string history_csv(const Json& history) {
  std::string text =
      "iteration,system,ensemble,temperatures_K,pressures_bar,steps,accurate,candidate,failed,"
      "accurate_percent,candidate_percent,failed_percent,tasks,labelled\n";
  for (const Json& row : history["iterations"]) {
    for (const Json& s : row["systems"]) {
      text +=
          fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", row["iteration"].get<std::size_t>(),
                      s["system"].get<std::string>(), word(row["ensemble"]), list_text(row["temperatures_K"]),
                      list_text(row["pressures_bar"]), list_text(row["steps"]),
                      s["accurate"].get<std::size_t>(), s["candidate"].get<std::size_t>(),
                      s["failed"].get<std::size_t>(), share(s, "accurate"), share(s, "candidate"),
                      share(s, "failed"), s["tasks"].get<std::size_t>(), s["labelled"].get<std::size_t>());
    }
  }
  return text;
}

}  // namespace solion::learn
