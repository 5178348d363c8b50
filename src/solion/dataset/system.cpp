// Reading systems with their ledgers.
#include "solion/dataset/system.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/log.hpp"
#include "solion/io/deepmd_npy.hpp"

namespace solion::dataset {
namespace {

namespace fs = std::filesystem;

/// Appends the objects of one ledger; returns how many there are.
std::size_t read_ledger(const fs::path& path, std::vector<Json>& into) {
  std::istringstream lines(read_file(path));
  std::string line;
  std::size_t n = 0;
  while (std::getline(lines, line)) {
    ++n;
    Json object = Json::parse(line, nullptr, false);
    if (object.is_discarded() || !object.is_object())
      throw InputError("{}:{}: not a JSON object", path.string(), n);
    into.push_back(std::move(object));
  }
  return n;
}

/// The ledgers of all sets, in the order in which the frames are read.
std::vector<Json> read_provenance(const fs::path& folder, std::size_t n_frames) {
  std::vector<fs::path> sets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && entry.path().filename().string().starts_with("set."))
      sets.push_back(entry.path());
  }
  std::sort(sets.begin(), sets.end());
  std::vector<Json> provenance;
  bool complete = true;
  for (const fs::path& set : sets) {
    const fs::path ledger = set / provenance_name;
    if (fs::exists(ledger)) {
      read_ledger(ledger, provenance);
    } else if (sets.size() == 1) {
      provenance.assign(n_frames, Json::object());
    } else {
      complete = false;
    }
  }
  // With several sets and a ledger in only some of them, nobody knows which frame a line belongs to.
  if (!complete) provenance.assign(n_frames, Json::object());
  if (provenance.size() != n_frames) {
    throw InputError("{}: {} frames, but {} lines in its {}", folder.string(), n_frames, provenance.size(),
                     provenance_name);
  }
  return provenance;
}

/// Labels of molecules in boxes and of gases are data like any other; a crystal in other units than Å is not.
void judge_density(const System& system) {
  const Frame& frame = system.frames.front();
  if (!frame.cell) return;
  const double each = frame.cell->volume() / static_cast<double>(frame.n_atoms());
  if (each > io::largest_volume_per_atom_A3)
    log().warn("{}: {:.4g} Å³ of cell per atom: taken for molecules in a box; lengths must be in Å",
               system.path.string(), each);
}

}  // namespace

System load_system(const fs::path& folder, const std::vector<std::string>& type_names) {
  System system;
  system.path = folder.has_filename() ? folder : folder.parent_path();
  system.name = system.path.filename().string();
  io::ReadOptions options;
  options.type_names = type_names;
  options.accept_sparse = true;
  const auto reader = io::read_deepmd(system.path, options);
  Frame frame;
  while (reader->next(frame)) system.frames.push_back(frame);
  for (const Frame& other : system.frames) {
    if (other.types == system.frames.front().types) continue;
    throw InputError(
        "{}: a system of mixed type, with frames of {} and {}; make one system of each first: solion convert "
        "{} "
        "-o FOLDER/",
        folder.string(), system.frames.front().formula(), other.formula(), folder.string());
  }
  if (system.frames.empty()) throw InputError("{}: no frames", folder.string());
  judge_density(system);
  system.provenance = read_provenance(system.path, system.frames.size());
  return system;
}

std::vector<fs::path> find_systems(const fs::path& path) {
  if (!fs::exists(path)) throw InputError("{}: no such file or folder", path.string());
  if (!fs::is_directory(path)) throw InputError("{}: expected a folder of DeePMD npy systems", path.string());
  std::vector<fs::path> found;
  if (io::is_deepmd_system(path)) found.push_back(path);
  for (auto entry = fs::recursive_directory_iterator(path); entry != fs::recursive_directory_iterator();
       ++entry) {
    if (!entry->is_directory()) continue;
    // Folders that begin with a dot are appends in flight.
    if (entry->path().filename().string().starts_with('.')) {
      entry.disable_recursion_pending();
    } else if (io::is_deepmd_system(entry->path())) {
      found.push_back(entry->path());
    }
  }
  if (found.empty()) throw InputError("{}: no DeePMD system (a folder with type.raw) in it", path.string());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<System> load(const std::vector<fs::path>& paths) {
  std::vector<System> systems;
  std::vector<fs::path> seen;
  for (const fs::path& path : paths) {
    for (const fs::path& folder : find_systems(path)) {
      const fs::path real = fs::canonical(folder);
      if (std::find(seen.begin(), seen.end(), real) != seen.end())
        throw InputError("{}: this system is named twice", folder.string());
      seen.push_back(real);
      systems.push_back(load_system(folder));
    }
  }
  return systems;
}

std::string structure_of(const System& system, std::size_t frame) {
  const Json& about = system.provenance.at(frame);
  const auto found = about.find("structure");
  return found != about.end() && found->is_string() ? found->get<std::string>() : system.name;
}

}  // namespace solion::dataset
