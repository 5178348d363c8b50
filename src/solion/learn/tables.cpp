// Table S1 and the calibration points as files and text.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "solion/base/files.hpp"
#include "solion/learn/stages.hpp"

namespace solion::learn {
namespace {

/// A number of a row, or a dash where there is none.
std::string number(const Json& value, double factor, int digits) {
  return value.is_number() ? fmt::format("{:.{}f}", factor * value.get<double>(), digits) : std::string("-");
}

const Json& at(const Json& errors, const char* key) {
  static const Json none;
  return errors.is_object() ? errors["all"][key] : none;
}

template <typename Container>
std::string joined(const Container& items) {
  std::string text;
  for (const Json& item : items) {
    text += (text.empty() ? "" : " ") +
            (item.is_string() ? item.get<std::string>() : fmt::format("{:g}", item.get<double>()));
  }
  return text;
}

std::string csv(const Json& rows) {
  std::string text =
      "iteration,ensemble,structures,temperatures_K,pressures_bar,steps,time_fs,lower_eV_per_A,"
      "upper_eV_per_A,trajectories,stopped,frames_planned,frames_visited,accurate,candidate,failed,"
      "accurate_percent,candidate_percent,failed_percent,candidates_offered,near_duplicates,labelled,"
      "rejected,labelled_in_all,new_labels_force_rmse_before,new_labels_force_rmse_after,"
      "held_out_force_rmse_before,held_out_force_rmse_after,held_out_energy_rmse_before,"
      "held_out_energy_rmse_after,met\n";
  for (const Json& r : rows) {
    const Json& e = r["explored"];
    const auto percent = [&](const char* key) { return number(e[key], 100, 3); };
    const auto n = [&](const char* key) { return e[key].get<std::size_t>(); };
    text += fmt::format(
        "{},{},{},{},{},{},{:g},{:.6g},{:.6g},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},"
        "{}\n",
        r["iteration"].get<int>(), r["ensemble"].get<std::string>(), joined(r["structures"]),
        joined(r["temperatures_K"]), joined(r["pressures_bar"]), r["steps"].get<std::int64_t>(),
        r["time_fs"].get<double>(), r["lower_eV_per_A"].get<double>(), r["upper_eV_per_A"].get<double>(),
        n("trajectories"), n("stopped"), n("planned"), n("visited"), n("accurate"), n("candidate"),
        n("failed"), percent("accurate_share"), percent("candidate_share"), percent("failed_share"),
        r["candidates_offered"].get<std::size_t>(), r["near_duplicates"].get<std::size_t>(),
        r["labelled"].get<std::size_t>(), r["rejected"].get<std::size_t>(),
        r["labelled_in_all"].get<std::size_t>(),
        number(at(r["new_labels_before"], "force_rmse_eV_per_A"), 1, 6),
        number(at(r["new_labels_after"], "force_rmse_eV_per_A"), 1, 6),
        number(at(r["held_out_before"], "force_rmse_eV_per_A"), 1, 6),
        number(at(r["held_out_after"], "force_rmse_eV_per_A"), 1, 6),
        number(at(r["held_out_before"], "energy_rmse_eV_per_atom"), 1, 7),
        number(at(r["held_out_after"], "energy_rmse_eV_per_atom"), 1, 7), r["met"].get<bool>());
  }
  return text;
}

}  // namespace

std::string table_text(const Json& rows) {
  std::string text =
      fmt::format("{:>3} {:<4} {:<24} {:>14} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>19} {:>19} {}\n", "it",
                  "ens.", "structures", "T (K)", "steps", "frames", "acc. %", "cand. %", "fail. %", "labels",
                  "new, F meV/Å", "held out, F meV/Å", "rule");
  for (const Json& r : rows) {
    const Json& e = r["explored"];
    const auto pair = [&](const char* before, const char* after) {
      return number(at(r[before], "force_rmse_eV_per_A"), 1000, 1) + " -> " +
             number(at(r[after], "force_rmse_eV_per_A"), 1000, 1);
    };
    text += fmt::format("{:>3} {:<4} {:<24} {:>14} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>18} {:>18} {}\n",
                        r["iteration"].get<int>(), r["ensemble"].get<std::string>(), joined(r["structures"]),
                        joined(r["temperatures_K"]), r["steps"].get<std::int64_t>(),
                        e["planned"].get<std::size_t>(), number(e["accurate_share"], 100, 2),
                        number(e["candidate_share"], 100, 2), number(e["failed_share"], 100, 2),
                        r["labelled"].get<std::size_t>(), pair("new_labels_before", "new_labels_after"),
                        pair("held_out_before", "held_out_after"), r["met"].get<bool>() ? "met" : "not met");
  }
  return text;
}

void write_tables(const Context& context, const Json& rows, const std::vector<CalibrationPoint>& points) {
  write_json(context.options.run_dir / "table_s1.json", rows);
  write_file(context.options.run_dir / "table_s1.csv", csv(rows));
  std::string text = "iteration,structure,temperature_K,deviation_eV_per_A,error_eV_per_A\n";
  Json list = Json::array();
  for (const CalibrationPoint& p : points) {
    text += fmt::format("{},{},{:g},{:.6g},{:.6g}\n", p.iteration, p.structure, p.temperature_K, p.deviation,
                        p.error);
    list.push_back({{"iteration", p.iteration},
                    {"structure", p.structure},
                    {"temperature_K", p.temperature_K},
                    {"deviation_eV_per_A", p.deviation},
                    {"error_eV_per_A", p.error}});
  }
  write_file(context.options.run_dir / "calibration.csv", text);
  write_json(context.options.run_dir / "calibration.json", list);
}

}  // namespace solion::learn
