// One row a frame, and what all of them say.
#include "solion/transport/deviation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "solion/base/archive.hpp"
#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

std::vector<double> sorted_finite(std::vector<double> values) {
  std::erase_if(values, [](double x) { return !std::isfinite(x); });
  std::sort(values.begin(), values.end());
  return values;
}

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The smallest value that so large a share of the values does not exceed.
double quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<double>(sorted.size());
  return sorted[static_cast<std::size_t>(std::max(0.0, std::ceil(share * n) - 1))];
}

struct Shares {
  double accurate = 0, candidate = 0, failed = 0;
};

/// A frame without a number has failed.
Shares shares_of(const DeviationReport& report) {
  Shares counts;
  for (const double d : report.force_max) {
    if (d <= report.levels->lower) {
      ++counts.accurate;
    } else {
      ++(d <= report.levels->upper ? counts.candidate : counts.failed);
    }
  }
  const auto n = static_cast<double>(report.force_max.size());
  return {counts.accurate / n, counts.candidate / n, counts.failed / n};
}

}  // namespace

void check_levels(const DeviationLevels& levels) {
  if (!(levels.lower > 0 && levels.upper > levels.lower && std::isfinite(levels.upper)))
    throw InputError("levels of {} and {} eV/Å; expected 0 < lower < upper", levels.lower, levels.upper);
}

void DeviationAccumulator::add(const Frame& frame, const std::string& where) {
  models_.reset();
  Deviation d;
  try {
    d = models_.evaluate(frame);
  } catch (const InputError& error) {
    throw InputError("{}: {}", where, error.what());
  }
  const double none = std::numeric_limits<double>::quiet_NaN();
  force_max_.push_back(d.finite ? d.force_max : none);
  force_mean_.push_back(d.finite ? d.force_mean : none);
  force_min_.push_back(d.finite ? d.force_min : none);
  energy_.push_back(d.finite ? d.energy : none);
}

std::string DeviationAccumulator::save() const { return save_state(*this); }

void DeviationAccumulator::load(std::string_view bytes) { load_state(bytes, *this); }

DeviationReport DeviationAccumulator::report(double interval_fs,
                                             std::optional<DeviationLevels> levels) const {
  if (force_max_.empty()) throw InputError("deviation: no frames");
  if (levels) check_levels(*levels);
  const auto bad =
      std::count_if(force_max_.begin(), force_max_.end(), [](double x) { return std::isnan(x); });
  return {models_.size(),
          interval_fs,
          force_max_,
          force_mean_,
          force_min_,
          energy_,
          static_cast<std::size_t>(bad),
          levels};
}

Json to_json(const DeviationReport& report) {
  const auto numbers = [](const std::vector<double>& values) {
    Json list = Json::array();
    for (const double x : values) list.push_back(json_number(x));
    return list;
  };
  const std::vector<double> sorted = sorted_finite(report.force_max);
  Json json{{"n_frames", report.force_max.size()},
            {"n_models", report.n_models},
            {"n_not_finite", report.n_not_finite},
            {"frame_interval_fs", json_number(report.interval_fs)},
            {"force_max_eV_per_A", numbers(report.force_max)},
            {"force_mean_eV_per_A", numbers(report.force_mean)},
            {"force_min_eV_per_A", numbers(report.force_min)},
            {"energy_eV_per_atom", numbers(report.energy)},
            {"largest_eV_per_A", json_number(quantile(sorted, 1))},
            {"quantile_95_eV_per_A", json_number(quantile(sorted, 0.95))},
            {"mean_of_largest_eV_per_A", json_number(mean_of(sorted))}};
  if (report.levels) {
    const Shares shares = shares_of(report);
    json["levels_eV_per_A"] = {report.levels->lower, report.levels->upper};
    json["accurate"] = shares.accurate;
    json["candidate"] = shares.candidate;
    json["failed"] = shares.failed;
  }
  return json;
}

Columns columns(const DeviationReport& report) {
  Columns table;
  std::vector<double> frame(report.force_max.size());
  std::iota(frame.begin(), frame.end(), 0.0);
  table.add("frame", frame);
  if (std::isfinite(report.interval_fs)) {
    for (double& k : frame) k *= report.interval_fs * 1e-3;
    table.add("time_ps", frame);
  }
  table.add("force_max_eV_per_A", report.force_max);
  table.add("force_mean_eV_per_A", report.force_mean);
  table.add("force_min_eV_per_A", report.force_min);
  table.add("energy_eV_per_atom", report.energy);
  return table;
}

std::string text(const DeviationReport& report) {
  const std::vector<double> sorted = sorted_finite(report.force_max);
  std::string lines = fmt::format(
      "{} frames, {} models: largest force deviation of a frame {:.4f} eV/Å in the mean, 95 % up to {:.4f}, "
      "all up to {:.4f}\n",
      report.force_max.size(), report.n_models, mean_of(sorted), quantile(sorted, 0.95), quantile(sorted, 1));
  if (report.n_not_finite > 0)
    lines += fmt::format("{} frames without a finite number\n", report.n_not_finite);
  if (report.levels) {
    const Shares shares = shares_of(report);
    lines +=
        fmt::format("accurate (≤ {:g} eV/Å) {:.2f} %, candidates {:.2f} %, failed (> {:g} eV/Å) {:.2f} %\n",
                    report.levels->lower, 100 * shares.accurate, 100 * shares.candidate, report.levels->upper,
                    100 * shares.failed);
  }
  return lines;
}

}  // namespace solion::transport
