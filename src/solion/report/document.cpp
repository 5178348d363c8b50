// Checks of a document, colours, and where plotly.js is.
#include "solion/report/document.hpp"

#include <array>
#include <cstdlib>
#include <map>

#include "solion/base/errors.hpp"

namespace solion::report {

std::string colour_of(const std::string& structure) {
  static const std::map<std::string, std::string> known{
      {"perfect", "#000000"}, {"type1", "#0072B2"},  {"type2", "#D55E00"},  {"type3", "#009E73"},
      {"type12", "#CC79A7"},  {"type13", "#E69F00"}, {"type23", "#56B4E9"}, {"type123", "#7F7F7F"},
  };
  if (const auto found = known.find(structure); found != known.end()) return found->second;
  static constexpr std::array<const char*, 7> palette{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                      "#E69F00", "#56B4E9", "#7F7F7F"};
  std::size_t sum = 0;
  for (const char c : structure) sum = sum * 31 + static_cast<unsigned char>(c);
  return palette[sum % palette.size()];
}

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
