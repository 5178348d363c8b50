// Groups frames by composition.
#include "solion/io/gather.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/reorder.hpp"

namespace solion::io {
namespace {

namespace fs = std::filesystem;

void sort_by_type(Frame& frame) {
  std::vector<std::size_t> order(frame.n_atoms());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return frame.types[a] < frame.types[b]; });
  reorder_atoms(frame, order);
}

/// Frames by formula without blanks, the atoms of each in one order.
std::map<std::string, std::vector<Frame>> by_composition(std::vector<Frame> frames) {
  TypeMap map;
  for (Frame& frame : frames) share_type_map(map, frame);
  std::map<std::string, std::vector<Frame>> systems;
  for (Frame& frame : frames) {
    frame.type_map = map;
    std::string formula = frame.formula();
    std::erase(formula, ' ');
    systems[formula].push_back(std::move(frame));
  }
  for (auto& [formula, members] : systems) {
    const std::vector<int> order = members.front().types;
    const auto same = [&](const Frame& frame) { return frame.types == order; };
    if (std::all_of(members.begin(), members.end(), same)) continue;
    log().warn("{}: the frames have their atoms in different orders; they are sorted by element", formula);
    for (Frame& frame : members) sort_by_type(frame);
  }
  return systems;
}

/// Names the systems right below `folder`: those that the new ones replace, and those that stay beside them.
void warn_of_older(const fs::path& folder, const std::map<std::string, std::vector<Frame>>& systems) {
  if (!fs::is_directory(folder)) return;
  std::set<std::string> beside, replaced;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && is_deepmd_system(entry.path()))
      (systems.contains(name) ? replaced : beside).insert(name);
  }
  if (!beside.empty())
    log().warn("{}: systems from before stay beside the new ones: {}", folder.string(),
               fmt::join(beside, ", "));
  if (!replaced.empty())
    log().warn("{}: systems from before are replaced: {}", folder.string(), fmt::join(replaced, ", "));
}

}  // namespace

void share_type_map(TypeMap& map, Frame& frame) {
  for (const std::string& name : frame.type_map.names()) map.find_or_add(name);
  const std::vector<int> numbers = frame.type_map.to(map);
  for (int& type : frame.types) type = numbers[static_cast<std::size_t>(type)];
  frame.type_map = map;
}

void write_deepmd_systems(const fs::path& folder, std::vector<Frame> frames) {
  const auto systems = by_composition(std::move(frames));
  if (systems.size() == 1) return write_deepmd(folder, systems.begin()->second);
  if (is_deepmd_system(folder))
    throw InputError(
        "{}: exists and is one DeePMD system; frames of {} compositions need a folder of their own",
        folder.string(), systems.size());
  // All are checked before the first is written, so that no half of them is left.
  if (fs::exists(folder) && !fs::is_directory(folder))
    throw InputError("{}: exists and is no folder; expected one for {} systems", folder.string(),
                     systems.size());
  for (const auto& [formula, members] : systems) require_deepmd(folder / formula, members);
  warn_of_older(folder, systems);
  fs::create_directories(folder);
  for (const auto& [formula, members] : systems) write_deepmd(folder / formula, members);
}

void write_frames_or_systems(const fs::path& path, std::vector<Frame> frames) {
  if (format_of(path) == Format::deepmd_npy) return write_deepmd_systems(path, std::move(frames));
  write_frames(path, frames);
}

std::vector<std::string> arrays_beside_frames(const fs::path& folder) {
  constexpr std::array<std::string_view, 10> held{"coord",    "box",       "energy",          "force",
                                                  "virial",   "atom_ener", "real_atom_types", "type",
                                                  "type_map", "numb_copy"};
  std::set<std::string> names;
  const auto look = [&](const fs::path& place, const char* suffix) {
    for (const auto& entry : fs::directory_iterator(place)) {
      const std::string name = entry.path().stem().string();
      if (entry.is_regular_file() && entry.path().extension() == suffix &&
          std::find(held.begin(), held.end(), name) == held.end())
        names.insert(name);
    }
  };
  bool sets = false;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory() || !entry.path().filename().string().starts_with("set.")) continue;
    look(entry.path(), ".npy");
    sets = true;
  }
  if (!sets) look(folder, ".raw");
  return {names.begin(), names.end()};
}

}  // namespace solion::io
