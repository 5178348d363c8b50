// What two inputs must share for one to go on with the other's restart file, as text, and in which keys two
// differ.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "solion/md/settings.hpp"

namespace solion::md {
namespace {

/// A word of the fingerprint, the key of the input that it stands for, and, where its value is a number of a
/// list, the names of that list.
struct Word {
  std::string_view word, key;
  std::array<const char*, 4> names{};
};
constexpr std::array<Word, 17> words{
    {{"ensemble", "ensemble", {"nve", "nvt", "npt"}},
     {"thermostat", "thermostat", {"none", "nose-hoover", "csvr", "langevin"}},
     {"barostat", "barostat", {"none", "mtk-isotropic", "mtk-full"}},
     {"dt", "timestep_fs"},
     {"seed", "seed"},
     {"equilibration", "equilibration_steps"},
     {"tau", "thermostat_time_fs"},
     {"chain", "chain_length"},
     {"pressure", "pressure_bar"},
     {"taup", "barostat_time_fs"},
     {"draw", "initial_velocities"},
     {"reset", "reset_every"},
     {"limit", "temperature_limit_K"},
     {"thermo", "thermo_every"},
     {"restart", "restart_every"},
     {"stage", "temperature_K, temperature_end_K or steps"},
     {"trajectory", "[[trajectory]]"}}};

struct Entry {
  const Word* word;
  std::string value;
};

std::vector<Entry> entries(const std::string& text) {
  std::vector<Entry> result;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    const auto known = std::ranges::find(words, word, &Word::word);
    // The first word behind a key is its value, whatever it is.
    if (known != words.end() && (result.empty() || !result.back().value.empty())) {
      result.push_back({&*known, ""});
    } else if (!result.empty()) {
      std::string& value = result.back().value;
      value += (value.empty() ? "" : " ") + word;
    }
  }
  return result;
}

std::string shown(const Entry& entry) {
  const auto& names = entry.word->names;
  if (names[0] == nullptr || entry.value.size() != 1) return entry.value;
  const auto index = static_cast<std::size_t>(entry.value[0] - '0');
  return index < names.size() && names[index] != nullptr ? names[index] : entry.value;
}

}  // namespace

std::string fingerprint(const Settings& s, const Outputs& o) {
  std::string text = fmt::format(
      "ensemble {} thermostat {} barostat {} dt {} seed {} equilibration {} tau {} chain {} pressure {} taup "
      "{} draw {} reset {} limit {} thermo {} restart {}",
      static_cast<int>(s.ensemble), static_cast<int>(s.thermostat), static_cast<int>(s.barostat),
      s.timestep_fs, s.seed, s.equilibration_steps, s.thermostat_time_fs, s.chain_length, s.pressure_bar,
      s.barostat_time_fs, s.draw_velocities, s.reset_every, s.temperature_limit_K, o.thermo_every,
      o.restart_every);
  for (const Stage& stage : s.stages) {
    text += fmt::format(" stage {} {}", stage.temperature_K, stage.temperature_end_K);
    if (!s.can_be_extended()) text += fmt::format(" {}", stage.steps);
  }
  for (const TrajectoryOutput& t : o.trajectories) {
    text +=
        fmt::format(" trajectory {} {} {} {}", t.file.filename().string(), t.every, t.velocities, t.forces);
  }
  return text;
}

std::string fingerprint_difference(const std::string& then, const std::string& now) {
  const std::vector<Entry> a = entries(then), b = entries(now);
  std::string result;
  for (std::size_t k = 0; k < std::max(a.size(), b.size()); ++k) {
    const bool both = k < a.size() && k < b.size() && a[k].word == b[k].word;
    if (both && a[k].value == b[k].value) continue;
    const Entry& one = k < b.size() ? b[k] : a[k];
    const std::string before = both ? shown(a[k]) : k < b.size() ? "not there" : shown(a[k]);
    const std::string after = k < b.size() ? shown(b[k]) : "not there";
    result += fmt::format("{}{}: {} then, {} now", result.empty() ? "" : "; ", one.word->key, before, after);
    if (!both) break;  // what follows does not stand side by side
  }
  return result;
}

}  // namespace solion::md
