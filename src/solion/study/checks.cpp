// All checks of a model, and what became of the bars.
#include "solion/study/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/log.hpp"
#include "solion/study/check_parts.hpp"

namespace solion::study {

void Verdicts::add(const std::string& what, const Json& value, double bar, const std::string& unit,
                   bool at_least, const std::string& note) {
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  const bool met = at_least ? number >= bar : std::abs(number) <= bar;
  list_.push_back({{"what", what},
                   {"value", value},
                   {"bar", bar},
                   {"unit", unit},
                   {"at_least", at_least},
                   {"met", met},
                   {"note", note}});
}

std::string beside_bar(double value, double bar) {
  constexpr int fewest = 4, most = 9;
  std::string text;
  for (int digits = fewest; digits <= most; ++digits) {
    text = fmt::format("{:.{}g}", value, digits);
    if (value == bar || text != fmt::format("{:.{}g}", bar, digits)) break;
  }
  return text;
}

bool Verdicts::all_met() const {
  return std::all_of(list_.begin(), list_.end(), [](const Json& v) { return v["met"].get<bool>(); });
}

Json run_checks(const Context& context, const Json& data, const Json& model, const Json& validation) {
  const ChecksConfig& config = context.config.checks;
  Verdicts verdicts;
  Json result;
  if (!config.accuracy.bars.empty())
    result["accuracy"] = check_accuracy(context, data, model, validation, verdicts);
  result["direct"] = check_direct(context, model, verdicts);
  if (config.conservation.drift_meV_per_atom > 0)
    result["conservation"] = check_conservation(context, model, verdicts);
  result["verdicts"] = verdicts.json();
  result["all_met"] = verdicts.all_met();
  return result;
}

}  // namespace solion::study
