// Reading systems with their ledgers.
#include "solion/dataset/system.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/log.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/io/npy.hpp"

namespace solion::dataset {
namespace {

namespace fs = std::filesystem;

/// The objects of one set's ledger; empty ones if it has none.
std::vector<Json> read_ledger(const Set& set) {
  if (!set.has_ledger) return std::vector<Json>(set.n_frames, Json::object());
  const fs::path path = set.path / provenance_name;
  std::istringstream lines(read_file(path));
  std::vector<Json> objects;
  for (std::string line; std::getline(lines, line);) {
    objects.push_back(Json::parse(line, nullptr, false));
    if (objects.back().is_discarded() || !objects.back().is_object())
      throw InputError("{}:{}: not a JSON object", path.string(), objects.size());
  }
  if (objects.size() != set.n_frames)
    throw InputError("{}: {} lines, but the set has {} frames", path.string(), objects.size(), set.n_frames);
  return objects;
}

/// Frames of a set whose arrays have been read, and so are known to agree: from the smallest of them.
std::size_t frames_of(const fs::path& set) {
  if (fs::exists(set / "energy.npy")) return io::read_npy(set / "energy.npy").data.size();
  if (fs::exists(set / "box.npy")) return io::read_npy(set / "box.npy").data.size() / 9;
  const auto shape = io::read_npy(set / "coord.npy").shape;
  return shape.size() < 2 ? 1 : shape[0];
}

/// The sets in the order in which their frames are read.
std::vector<Set> sets_of(const fs::path& folder, std::size_t n_frames) {
  std::vector<Set> sets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (const auto lost = set_put_aside(entry.path()); lost && !fs::exists(*lost)) {
      throw InputError(
          "{}: an append to this system was cut short here; the next append mends it, or rename {} to {}",
          entry.path().string(), name, lost->filename().string());
    }
    if (entry.is_directory() && name.starts_with("set."))
      sets.push_back({entry.path(), 0, fs::exists(entry.path() / provenance_name)});
  }
  std::sort(sets.begin(), sets.end(), [](const Set& a, const Set& b) { return a.path < b.path; });
  for (Set& set : sets) set.n_frames = sets.size() == 1 ? n_frames : frames_of(set.path);
  return sets;
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

fs::path aside_of(const fs::path& set) {
  return set.parent_path() / ("." + set.filename().string() + ".old");
}

std::optional<fs::path> set_put_aside(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(".set.") || !name.ends_with(".old")) return std::nullopt;
  return path.parent_path() / name.substr(1, name.size() - 5);
}

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
    const std::string first = system.frames.front().formula(), formula = other.formula();
    throw InputError(
        "{}: a system of mixed type, with frames of {} and {}; make one system of each first: solion convert "
        "{} -o FOLDER/",
        folder.string(), first, formula == first ? "the same in another order" : formula, folder.string());
  }
  if (system.frames.empty()) throw InputError("{}: no frames", folder.string());
  judge_density(system);
  system.sets = sets_of(system.path, system.frames.size());
  for (const Set& set : system.sets) {
    for (Json& about : read_ledger(set)) system.provenance.push_back(std::move(about));
  }
  if (system.sets.empty()) system.provenance.assign(system.frames.size(), Json::object());
  return system;
}

bool is_hdf5_name(const fs::path& path) {
  const std::string name = path.string();
  for (const char* suffix : {".hdf5", ".h5"}) {
    if (name.ends_with(suffix) || name.find(std::string(suffix) + "#") != std::string::npos) return true;
  }
  return false;
}

std::vector<fs::path> find_systems(const fs::path& path) {
  if (is_hdf5_name(path) && !fs::is_directory(path))
    throw InputError(
        "{}: a system in HDF5, which is not read; expected a folder of DeePMD npy systems (dpdata writes "
        "one: LabeledSystem(FILE, fmt=\"deepmd/hdf5\").to(\"deepmd/npy\", FOLDER))",
        path.string());
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

std::vector<fs::path> systems_or_file(const fs::path& path) {
  if (fs::is_directory(path) || is_hdf5_name(path)) return find_systems(path);
  return {path};
}

std::vector<System> load(const std::vector<fs::path>& paths, const std::vector<std::string>& type_names) {
  std::vector<System> systems;
  std::vector<fs::path> seen;
  for (const fs::path& path : paths) {
    for (const fs::path& folder : find_systems(path)) {
      const fs::path real = fs::canonical(folder);
      if (std::find(seen.begin(), seen.end(), real) != seen.end())
        throw InputError("{}: this system is named twice", folder.string());
      seen.push_back(real);
      systems.push_back(load_system(folder, type_names));
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
