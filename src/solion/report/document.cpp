// Checks of a document, colours, and where plotly.js is.
#include "solion/report/document.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "solion/base/errors.hpp"

namespace solion::report {

namespace {

/// Okabe and Ito's without the yellow, which paper swallows, then four of Paul Tol's muted ones.
constexpr std::array<const char*, 11> palette{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                              "#E69F00", "#56B4E9", "#7F7F7F", "#332288",
                                              "#882255", "#999933", "#44AA99"};

const std::map<std::string, std::string>& fixed_colours() {
  static const std::map<std::string, std::string> fixed{
      {"perfect", "#000000"}, {"type1", "#0072B2"},  {"type2", "#D55E00"},  {"type3", "#009E73"},
      {"type12", "#CC79A7"},  {"type13", "#E69F00"}, {"type23", "#56B4E9"}, {"type123", "#7F7F7F"},
  };
  return fixed;
}

}  // namespace

std::map<std::string, Look> looks_of(const std::vector<std::string>& names) {
  std::map<std::string, Look> looks;
  std::map<std::string, std::size_t> taken;  // how often each colour is
  for (const std::string& name : names) {
    const auto fixed = fixed_colours().find(name);
    if (fixed == fixed_colours().end() || looks.contains(name)) continue;
    looks[name] = {fixed->second, 0};
    taken[fixed->second] = 1;
  }
  for (const std::string& name : names) {
    if (looks.contains(name)) continue;
    const char* least = *std::min_element(palette.begin(), palette.end(),
                                          [&](const char* a, const char* b) { return taken[a] < taken[b]; });
    looks[name] = {least, taken[least]++};
  }
  return looks;
}

std::string palette_colour(std::size_t k) { return palette[k % palette.size()]; }

std::filesystem::path find_plotly() {
  std::vector<std::filesystem::path> places;
  if (const char* chosen = std::getenv("SOLION_PLOTLY"); chosen != nullptr && *chosen != '\0')
    places.emplace_back(chosen);
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  for (const auto& folder : {program.parent_path(), program.parent_path().parent_path()}) {
    places.push_back(folder / "share/solion/plotly.min.js");
  }
  places.emplace_back("/usr/share/python3-plotly/plotly.js");
  std::string looked;
  for (const auto& place : places) {
    if (std::filesystem::is_regular_file(place, ignored)) return place;
    looked += "\n  " + place.string();
  }
  throw InputError(
      "plotly.js is not installed (Debian package python3-plotly, or set SOLION_PLOTLY); looked at:{}",
      looked);
}

}  // namespace solion::report
