// Appending: the new last set is written aside and exchanged with the old one in one system call.
#include "solion/dataset/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <system_error>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/structure/compare.hpp"
#include "solion/structure/elements.hpp"

namespace solion::dataset {
namespace {

namespace fs = std::filesystem;

constexpr const char* staging_prefix = ".append-";

/// Holds the data set for one append; ends with the process, however that ends.
class Lock {
 public:
  explicit Lock(const fs::path& folder)
      : fd_(::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) {
      const int error = errno;
      if (fd_ >= 0) ::close(fd_);
      throw WorkError("{}: cannot lock the data set: {}", folder.string(), std::strerror(error));
    }
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() { ::close(fd_); }

 private:
  int fd_;
};

/// A folder for writing aside, removed in the end.
struct Staging {
  fs::path path;
  explicit Staging(const fs::path& folder) : path(folder / fmt::format("{}{}", staging_prefix, ::getpid())) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

void flush_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

void move_into_place(const fs::path& from, const fs::path& to) {
  int result = -1;
  if (fs::exists(to)) {
    result = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE);
    if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {
      // A file system without exchange (NFS): two renames. The old set stays where mend_cut_append finds it.
      const fs::path old = aside_of(to);
      result = std::rename(to.c_str(), old.c_str());
      if (result == 0) {
        result = std::rename(from.c_str(), to.c_str());
        const int error = errno;
        if (result != 0) (void)std::rename(old.c_str(), to.c_str());
        std::error_code ignored;
        if (result == 0) fs::remove_all(old, ignored);
        errno = error;
      }
    }
  } else {
    result = std::rename(from.c_str(), to.c_str());
  }
  if (result != 0)
    throw WorkError("{}: cannot put the new frames in place: {}", to.string(), std::strerror(errno));
  flush_folder(to.parent_path());
}

/// After a kill between the two renames of an append, or between the second one and the removal.
void mend_cut_append(const fs::path& system) {
  std::vector<std::pair<fs::path, fs::path>> found;
  for (const auto& entry : fs::directory_iterator(system)) {
    if (const auto set = set_put_aside(entry.path())) found.emplace_back(entry.path(), *set);
  }
  for (const auto& [old, set] : found) {
    if (fs::exists(set)) {
      fs::remove_all(old);
    } else {
      fs::rename(old, set);
      flush_folder(system);
    }
  }
}

/// A name for a folder: letters, digits and -_.+ of `text`, the rest dropped.
std::string folder_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '+' ||
        (c == '.' && !name.empty()))
      name += c;
  }
  return name;
}

bool same_atoms(const Frame& a, const Frame& b) {
  if (a.n_atoms() != b.n_atoms()) return false;
  for (std::size_t i = 0; i < a.n_atoms(); ++i) {
    if (a.element(i) != b.element(i)) return false;
  }
  return true;
}

/// Atoms in the order of the types of `map` (which has all of them), inside the cell; cell, energy, forces
/// and virial are kept.
Frame sorted_by_type(const Frame& frame, const TypeMap& map) {
  Frame result;
  result.type_map = map;
  std::vector<std::size_t> order(frame.n_atoms());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto type = [&](std::size_t i) { return map.find(frame.element(i)); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return type(a) < type(b); });
  const bool forces = !frame.labels.forces_eV_per_A.empty();
  for (const std::size_t i : order) {
    result.types.push_back(type(i));
    result.positions.push_back(frame.positions[i]);
    if (forces) result.labels.forces_eV_per_A.push_back(frame.labels.forces_eV_per_A[i]);
  }
  result.cell = frame.cell;
  result.labels.energy_eV = frame.labels.energy_eV;
  result.labels.virial_eV = frame.labels.virial_eV;
  wrap(result);
  result.images.clear();
  return result;
}

/// Cell and atoms in the order of `like`, the n-th of an element where the n-th stands there; none if the
/// compositions differ.
std::optional<Frame> in_order_of(const Frame& like, const Frame& frame) {
  if (like.n_atoms() != frame.n_atoms()) return std::nullopt;
  std::map<std::string, std::vector<std::size_t>> atoms;  // of each element, the first one last
  for (std::size_t i = frame.n_atoms(); i-- > 0;) atoms[frame.element(i)].push_back(i);
  Frame result;
  result.cell = frame.cell;
  for (std::size_t k = 0; k < like.n_atoms(); ++k) {
    std::vector<std::size_t>& left = atoms[like.element(k)];
    if (left.empty()) return std::nullopt;
    result.add_atom(like.element(k), frame.positions[left.back()]);
    left.pop_back();
  }
  return result;
}

std::string key_of(const Json& provenance) {
  const auto found = provenance.find("key");
  return found != provenance.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool has_key(const System& system, const std::string& key) {
  return std::any_of(system.provenance.begin(), system.provenance.end(),
                     [&](const Json& about) { return key_of(about) == key; });
}

}  // namespace

Store::Store(fs::path folder, std::vector<std::string> elements, std::size_t frames_per_set)
    : folder_(std::move(folder)), fixed_map_(!elements.empty()), frames_per_set_(frames_per_set) {
  for (const std::string& element : elements) {
    if (atomic_number(element) == 0) throw InputError("type map: '{}' is no element", element);
  }
  type_map_ = TypeMap(std::move(elements));
  if (!folder_.has_filename()) folder_ = folder_.parent_path();
  if (fs::exists(folder_) && !fs::is_directory(folder_))
    throw InputError("{}: exists and is no folder; a data set is a folder of systems", folder_.string());
  if (io::is_deepmd_system(folder_)) {
    throw InputError(
        "{}: is itself a DeePMD system; a data set is a folder with one system for each structure",
        folder_.string());
  }
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw WorkError("{}: cannot make the folder: {}", folder_.string(), error.message());
  const Lock lock(folder_);
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    // We hold the lock, so this was left by a process that died in the middle of an append.
    if (name.starts_with(staging_prefix)) fs::remove_all(entry.path());
    if (name.starts_with('.') || !entry.is_directory() || !io::is_deepmd_system(entry.path())) continue;
    mend_cut_append(entry.path());
    systems_.push_back(load_system(entry.path()));
  }
  std::sort(systems_.begin(), systems_.end(),
            [](const System& a, const System& b) { return a.name < b.name; });
  for (const System& system : systems_) {
    if (fixed_map_ && system.type_map() != type_map_) {
      throw InputError("{}: its type map is {}, not {}", system.path.string(),
                       fmt::join(system.type_map().names(), " "), fmt::join(type_map_.names(), " "));
    }
    for (const std::string& element : system.type_map().names()) type_map_.find_or_add(element);
  }
}

bool Store::contains(const std::string& key) const {
  return !key.empty() &&
         std::any_of(systems_.begin(), systems_.end(), [&](const System& s) { return has_key(s, key); });
}

std::size_t Store::n_frames() const {
  return std::accumulate(systems_.begin(), systems_.end(), std::size_t{0},
                         [](std::size_t n, const System& s) { return n + s.frames.size(); });
}

void Store::extend_type_map(const Frame& frame) {
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const std::string& element = frame.element(i);
    if (fixed_map_ && type_map_.find(element) < 0) {
      throw InputError("the frame has {}, but the type map of the data set is {}", element,
                       fmt::join(type_map_.names(), " "));
    }
    type_map_.find_or_add(element);
  }
}

std::optional<std::string> Store::find_duplicate(const Frame& frame, double tolerance_A) const {
  for (const System& system : systems_) {
    if (system.frames.empty()) continue;
    const auto ordered = in_order_of(system.frames.front(), frame);  // each system has its own order
    if (!ordered) continue;
    for (std::size_t i = 0; i < system.frames.size(); ++i) {
      if (same_configuration(system.frames[i], *ordered, tolerance_A))
        return fmt::format("{}/{}", system.name, i);
    }
  }
  return std::nullopt;
}

System& Store::system_for(const Frame& frame, const std::string& structure) {
  std::string formula = frame.formula();
  formula.erase(std::remove(formula.begin(), formula.end(), ' '), formula.end());
  std::string name = folder_name(structure);
  if (name.empty()) name = formula;
  // A second composition under the same name (another supercell, more defects) is a system of its own.
  for (const std::string& candidate : {name, fmt::format("{}-{}", name, formula)}) {
    const auto found =
        std::find_if(systems_.begin(), systems_.end(), [&](const System& s) { return s.name == candidate; });
    if (found == systems_.end()) {
      System fresh;
      fresh.name = candidate;
      fresh.path = folder_ / candidate;
      systems_.push_back(std::move(fresh));
      reload(systems_.back());
      if (systems_.back().frames.empty() || same_atoms(systems_.back().frames.front(), frame))
        return systems_.back();
    } else if (found->frames.empty() || same_atoms(found->frames.front(), frame)) {
      return *found;
    }
  }
  throw InputError("{}: holds other atoms than {}", (folder_ / (name + "-" + formula)).string(), formula);
}

void Store::reload(System& system) {
  if (!io::is_deepmd_system(system.path)) return;
  mend_cut_append(system.path);
  system = load_system(system.path);
}

Store::Place Store::place_for(const System& system) const {
  if (system.frames.empty()) return {"set.000", 0, 1};
  const std::size_t n = system.frames.size();
  // Only a set of our own is written anew: another one may hold arrays that this program does not know.
  if (const Set& last = system.sets.back(); last.has_ledger && last.n_frames < frames_per_set_) {
    const bool like_ours = std::all_of(system.frames.end() - static_cast<std::ptrdiff_t>(last.n_frames),
                                       system.frames.end(), [](const Frame& frame) {
                                         const Labels& l = frame.labels;
                                         return l.energy_eV && l.virial_eV && !l.forces_eV_per_A.empty() &&
                                                l.atomic_energies_eV.empty();
                                       });
    if (like_ours) return {last.path.filename().string(), n - last.n_frames, n + 1};
  }
  std::size_t number = system.sets.size();
  while (fs::exists(system.path / fmt::format("set.{:03}", number))) ++number;
  return {fmt::format("set.{:03}", number), n, n + 1};
}

void Store::write_set(const System& system, const Place& place) const {
  const Staging staging(folder_);
  const std::span<const Frame> frames(system.frames.data() + place.begin, place.end - place.begin);
  io::write_deepmd(staging.path, frames, frames.size());
  std::string ledger;
  for (std::size_t i = place.begin; i < place.end; ++i) ledger += system.provenance[i].dump() + "\n";
  write_file(staging.path / "set.000" / provenance_name, ledger);
  if (!fs::exists(system.path)) {
    move_into_place(staging.path, system.path);
    return;
  }
  move_into_place(staging.path / "set.000", system.path / place.set);
}

/// In one step for who reads beside.
void Store::remove(const fs::path& folder) const {
  const Staging staging(folder_);
  fs::create_directories(staging.path);
  if (std::rename(folder.c_str(), (staging.path / "gone").c_str()) != 0)
    throw WorkError("{}: cannot be removed: {}", folder.string(), std::strerror(errno));
  flush_folder(folder.parent_path());
}

std::size_t Store::revise(System& system, const std::function<Fate(Frame&, Json&)>& decide) const {
  std::size_t revised = 0, begin = 0;
  System next = system;
  next.sets.clear();
  next.frames.clear();
  next.provenance.clear();
  for (Set set : system.sets) {
    const std::size_t first = next.frames.size();
    std::size_t here = 0;
    for (std::size_t i = begin; i < begin + set.n_frames; ++i) {
      Frame frame = system.frames[i];
      Json about = system.provenance[i];
      const Fate fate = key_of(about).empty() ? Fate::keep : decide(frame, about);
      here += fate == Fate::keep ? 0 : 1;
      if (fate == Fate::drop) continue;
      next.frames.push_back(std::move(frame));
      next.provenance.push_back(std::move(about));
    }
    begin += set.n_frames;
    revised += here;
    set.n_frames = next.frames.size() - first;
    if (set.n_frames == 0) {
      remove(set.path);
      continue;
    }
    if (here > 0) write_set(next, {set.path.filename().string(), first, next.frames.size()});
    next.sets.push_back(set);
  }
  if (revised > 0 && next.frames.empty()) remove(system.path);
  if (revised > 0) system = std::move(next);
  return revised;
}

std::size_t Store::revise(const std::function<Fate(Frame&, Json&)>& decide) {
  const Lock lock(folder_);
  std::size_t revised = 0;
  for (System& system : systems_) {
    reload(system);  // another process may have appended
    if (!system.sets.empty()) revised += revise(system, decide);
  }
  std::erase_if(systems_, [](const System& system) { return system.frames.empty(); });
  return revised;
}

/// Systems that a set of ours would damage.
void Store::require_appendable(const System& system, const Frame& frame) {
  if (system.frames.empty()) return;
  if (system.sets.empty() || fs::exists(system.sets.front().path / "real_atom_types.npy")) {
    throw InputError("{}: a system of {}; nothing can be appended: solion convert {} -o FOLDER/ first",
                     system.path.string(), system.sets.empty() ? "dpdata's deepmd/raw" : "mixed type",
                     system.path.string());
  }
  if (system.frames.front().cell.has_value() != frame.cell.has_value())
    throw InputError("{}: a system {} cells, and the frame {}", system.path.string(),
                     frame.cell ? "without" : "with", frame.cell ? "has one" : "has none");
}

bool Store::append(const Frame& frame, Json provenance) {
  const Labels& labels = frame.labels;
  if (!labels.energy_eV || labels.forces_eV_per_A.empty() || !labels.virial_eV)
    throw InputError("a frame of a data set needs energy, forces and virial");
  validate(frame, "frame for the data set");
  extend_type_map(frame);
  Frame sorted = sorted_by_type(frame, type_map_);
  std::string structure;
  if (const auto found = frame.info.find("structure"); found != frame.info.end()) structure = found->second;
  if (structure.empty() && provenance.contains("structure") && provenance["structure"].is_string())
    structure = provenance["structure"].get<std::string>();

  const Lock lock(folder_);
  System& system = system_for(sorted, structure);
  reload(system);  // another process may have appended
  if (const std::string key = key_of(provenance); !key.empty() && has_key(system, key)) return false;
  require_appendable(system, sorted);
  const Place place = place_for(system);
  if (!system.frames.empty()) {
    // Types are numbers of this system's own map, which may be older and shorter.
    sorted.type_map = system.type_map();
    sorted.types = system.frames.front().types;
  }
  system.frames.push_back(std::move(sorted));
  system.provenance.push_back(std::move(provenance));
  try {
    write_set(system, place);
  } catch (...) {
    system.frames.pop_back();
    system.provenance.pop_back();
    if (system.frames.empty()) systems_.pop_back();  // it was made for this frame
    throw;
  }
  if (place.begin + 1 == system.frames.size()) system.sets.push_back({system.path / place.set, 0, true});
  ++system.sets.back().n_frames;
  return true;
}

}  // namespace solion::dataset
