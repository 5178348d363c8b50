// DeePMD npy systems: https://docs.deepmodeling.com/projects/deepmd/en/stable/data/system.html
#include "solion/io/deepmd_npy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <system_error>

#include "solion/base/files.hpp"
#include "solion/io/npy.hpp"
#include "solion/structure/elements.hpp"

namespace solion::io {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sets_of(const fs::path& folder) {
  std::vector<fs::path> sets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && entry.path().filename().string().starts_with("set."))
      sets.push_back(entry.path());
  }
  std::sort(sets.begin(), sets.end());
  return sets;
}

TypeMap read_type_map(const fs::path& folder, const ReadOptions& options) {
  TypeMap map;
  const fs::path path = folder / "type_map.raw";
  if (!fs::exists(path)) {
    if (!options.type_names.empty()) return TypeMap(options.type_names);
    if (!options.fallback_names.empty()) return TypeMap(options.fallback_names);
    throw InputError(
        "{}: no type_map.raw, so the elements of type.raw are unknown; give their names in order",
        folder.string());
  }
  LineReader lines(path);
  std::string_view line;
  while (lines.next(line)) {
    Fields fields(line);
    while (!fields.at_end()) {
      const std::string_view name = fields.word();
      if (map.find(name) >= 0) lines.fail("{} stands twice", shown(name));
      type_of(map, name, lines);
    }
  }
  return map;
}

/// A type, also as numpy.savetxt writes it without a format: 1.000000000000000000e+00. −1 if it is none.
int type_from(std::string_view word) {
  double value = 0;
  const bool whole = Fields(word).real(value) && value == std::floor(value);
  return whole && value >= 0 && value < std::numeric_limits<int>::max() ? static_cast<int>(value) : -1;
}

std::vector<int> read_types(const fs::path& folder, const TypeMap& map) {
  LineReader lines(folder / "type.raw");
  std::vector<int> types;
  std::string_view line;
  while (lines.next(line)) {
    Fields fields(line);
    while (!fields.at_end()) {
      const std::string_view word = fields.word();
      const int type = type_from(word);
      if (type < 0) lines.fail("{} is no type; expected 0, 1, …", shown(word));
      if (type >= map.size()) {
        lines.fail("type {}, but the type map names only {} element(s), counted from 0", type, map.size());
      }
      types.push_back(type);
    }
  }
  if (types.empty()) throw InputError("{}: the file is empty; expected one type an atom", lines.name());
  return types;
}

/// A table of numbers, one frame a line (dpdata's deepmd/raw).
NpyArray read_raw(const fs::path& path) {
  LineReader lines(path);
  NpyArray array;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::string_view line;
  while (lines.next(line)) {
    Fields fields(line);
    if (fields.at_end()) continue;
    const std::size_t before = array.data.size();
    while (!fields.at_end()) {
      double value = 0;
      if (!fields.real(value)) lines.fail("{} is no finite number", shown(fields.rest()));
      array.data.push_back(value);
    }
    if (rows++ == 0) columns = array.data.size();
    if (array.data.size() - before != columns)
      lines.fail("{} numbers; the first line has {}", array.data.size() - before, columns);
  }
  array.shape = {rows, columns};
  return array;
}

/// DeePMD-kit counts the frames of a set as often as numb_copy.npy says.
void refuse_repeated(const fs::path& set) {
  const fs::path path = set / "numb_copy.npy";
  if (!fs::exists(path)) return;
  const NpyArray copies = read_npy(path);
  for (std::size_t f = 0; f < copies.data.size(); ++f) {
    if (copies.data[f] != 1)
      throw InputError("{}: frame {} counts {} times; expected 1 (write a frame as often as it is to count)",
                       path.string(), f, copies.data[f]);
  }
}

class DeepmdReader final : public FrameReader {
 public:
  DeepmdReader(const fs::path& folder, const ReadOptions& options)
      : folder_(folder), options_(options), periodic_(!fs::exists(folder / "nopbc")) {
    if (!is_deepmd_system(folder)) {
      throw InputError("{}: not a DeePMD system: no type.raw in the folder", folder.string());
    }
    type_map_ = read_type_map(folder, options);
    types_ = read_types(folder, type_map_);
    sets_ = sets_of(folder);
    raw_ = sets_.empty() && fs::exists(folder / "coord.raw");
    if (raw_) sets_ = {folder};
    if (sets_.empty())
      throw InputError("{}: not a DeePMD system: no set.* folder and no coord.raw", folder.string());
  }

  bool next(Frame& frame) override {
    while (row_ == n_rows_) {
      if (next_set_ == sets_.size()) return false;
      load(sets_[next_set_++]);
    }
    fill(frame, row_++);
    return true;
  }

 private:
  void load(const fs::path& set);
  NpyArray load_array(const std::string& name, std::size_t columns, bool required) const;
  void fill(Frame& frame, std::size_t row) const;
  void fill_mixed(Frame& frame, std::size_t row, const std::string& where) const;

  fs::path folder_;
  ReadOptions options_;
  bool periodic_;
  bool raw_ = false;  ///< text files beside type.raw in place of sets
  TypeMap type_map_;
  std::vector<int> types_;
  std::vector<fs::path> sets_;
  std::size_t next_set_ = 0;
  // The set at hand.
  fs::path set_;
  std::size_t row_ = 0, n_rows_ = 0;
  NpyArray coord_, box_, energy_, force_, virial_, atomic_energy_, real_types_;
};

NpyArray DeepmdReader::load_array(const std::string& name, std::size_t columns, bool required) const {
  const fs::path path = set_ / (name + (raw_ ? ".raw" : ".npy"));
  if (!fs::exists(path)) {
    if (required) throw InputError("{}: the file is missing", path.string());
    return {};
  }
  NpyArray array = raw_ ? read_raw(path) : read_npy(path);
  if (array.data.empty()) throw InputError("{}: no frames", path.string());
  // As DeePMD-kit: coord.npy says how many frames there are, and is one frame if it is a plain row of
  // numbers; the others may have any shape of that many frames.
  std::size_t rows = n_rows_;
  if (n_rows_ == 0) {
    rows = array.shape.size() < 2 ? 1 : array.shape[0];
  } else if (array.data.size() % columns == 0) {
    rows = array.data.size() / columns;
  }
  if (array.data.size() != rows * columns) {
    throw InputError("{}: {} numbers in {} frames; expected {} a frame ({} atoms in type.raw)", path.string(),
                     array.data.size(), rows, columns, types_.size());
  }
  if (n_rows_ != 0 && rows != n_rows_) {
    throw InputError("{}: {} frames, but coord.npy of the same set has {}", path.string(), rows, n_rows_);
  }
  return array;
}

void DeepmdReader::load(const fs::path& set) {
  set_ = set;
  row_ = n_rows_ = 0;
  const std::size_t n = types_.size();
  coord_ = load_array("coord", 3 * n, true);
  n_rows_ = coord_.data.size() / (3 * n);
  if (!raw_) refuse_repeated(set);
  if (periodic_) {
    if (!fs::exists(set / (raw_ ? "box.raw" : "box.npy"))) {
      throw InputError(
          "{}: no box.npy (or box.raw), and no file nopbc in the system to say that there is no cell",
          set.string());
    }
    box_ = load_array("box", 9, true);
  }
  energy_ = load_array("energy", 1, false);
  force_ = load_array("force", 3 * n, false);
  virial_ = load_array("virial", 9, false);
  atomic_energy_ = load_array("atom_ener", n, false);
  real_types_ = raw_ ? NpyArray() : load_array("real_atom_types", n, false);
}

void copy_vectors(const NpyArray& array, std::size_t row, std::size_t n, std::vector<Vec3>& out) {
  out.clear();
  if (array.data.empty()) return;
  out.reserve(n);
  const double* v = array.data.data() + row * 3 * n;
  for (std::size_t i = 0; i < n; ++i, v += 3) out.emplace_back(v[0], v[1], v[2]);
}

void DeepmdReader::fill(Frame& frame, std::size_t row) const {
  const std::size_t n = types_.size();
  const std::string where = fmt::format("{}, frame {}", set_.string(), row);
  frame.type_map = type_map_;
  frame.types = types_;
  frame.info.clear();
  frame.velocities.clear();
  frame.images.clear();
  frame.cell.reset();
  frame.labels = Labels();
  copy_vectors(coord_, row, n, frame.positions);
  copy_vectors(force_, row, n, frame.labels.forces_eV_per_A);
  if (periodic_) frame.cell = make_cell(Eigen::Map<const Mat3>(box_.data.data() + 9 * row), where);
  if (!energy_.data.empty()) frame.labels.energy_eV = energy_.data[row];
  if (!virial_.data.empty()) frame.labels.virial_eV = Eigen::Map<const Mat3>(virial_.data.data() + 9 * row);
  if (!atomic_energy_.data.empty()) {
    const double* e = atomic_energy_.data.data() + row * n;
    frame.labels.atomic_energies_eV.assign(e, e + n);
  }
  if (!real_types_.data.empty()) fill_mixed(frame, row, where);
  check_frame(frame, where, options_);
}

/// A system of mixed type has the atoms of each frame in real_atom_types.npy; −1 only fills the row up.
void DeepmdReader::fill_mixed(Frame& frame, std::size_t row, const std::string& where) const {
  const std::size_t n = types_.size();
  std::vector<std::size_t> kept;
  frame.types.clear();
  for (std::size_t i = 0; i < n; ++i) {
    const double value = real_types_.data[row * n + i];
    if (value == -1) continue;
    if (!(value >= 0 && value < type_map_.size() && value == std::floor(value))) {
      throw InputError("{}: real_atom_types.npy has the type {}, but the type map names {} element(s)", where,
                       value, type_map_.size());
    }
    frame.types.push_back(static_cast<int>(value));
    kept.push_back(i);
  }
  const auto keep = [&](auto& values) {
    if (values.empty()) return;
    for (std::size_t k = 0; k < kept.size(); ++k) values[k] = values[kept[k]];
    values.resize(kept.size());
  };
  keep(frame.positions);
  keep(frame.labels.forces_eV_per_A);
  keep(frame.labels.atomic_energies_eV);
}

/// The labels of a frame that a set holds.
struct Held {
  bool cell, energy, force, virial, atomic_energy;
};

Held held(const Frame& frame) {
  return {frame.cell.has_value(), frame.labels.energy_eV.has_value(), !frame.labels.forces_eV_per_A.empty(),
          frame.labels.virial_eV.has_value(), !frame.labels.atomic_energies_eV.empty()};
}

/// "lacks the virial, which frame 1 has", or the other way round; empty where both hold the same.
std::string difference_to_first(const Held& frame, const Held& first) {
  struct Part {
    const char* name;
    bool here, there;
  };
  for (const Part& part : {Part{"the cell", frame.cell, first.cell},
                           {"the energy", frame.energy, first.energy},
                           {"the forces", frame.force, first.force},
                           {"the virial", frame.virial, first.virial},
                           {"the atomic energies", frame.atomic_energy, first.atomic_energy}}) {
    if (part.here != part.there)
      return fmt::format("{} {}, which frame 1 {}", part.here ? "has" : "lacks", part.name,
                         part.here ? "lacks" : "has");
  }
  return {};
}

/// Frames that belong to one system, checked.
void check_same(const fs::path& folder, std::span<const Frame> frames) {
  const Frame& first = frames.front();
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const std::string where = fmt::format("{}: frame {}", folder.string(), f + 1);
    validate(frames[f], where, 0.0);
    bool same = frames[f].n_atoms() == first.n_atoms();
    for (std::size_t i = 0; same && i < first.n_atoms(); ++i) same = frames[f].element(i) == first.element(i);
    if (!same) {
      throw InputError(
          "{} ({}) has not the same elements in the same order as frame 1 ({}); a DeePMD system needs that",
          where, frames[f].formula(), first.formula());
    }
    if (const std::string text = difference_to_first(held(frames[f]), held(first)); !text.empty())
      throw InputError("{} {}; a DeePMD system needs the same labels in all its frames", where, text);
  }
}

void write_vectors(const fs::path& path, std::span<const Frame> frames, auto&& of) {
  std::vector<double> data;
  for (const Frame& frame : frames) {
    for (const Vec3& v : of(frame)) data.insert(data.end(), v.data(), v.data() + 3);
  }
  write_npy(path, {frames.size(), data.size() / frames.size()}, data);
}

void write_set(const fs::path& set, std::span<const Frame> frames) {
  fs::create_directories(set);
  const Held what = held(frames.front());
  std::vector<double> data;
  write_vectors(
      set / "coord.npy", frames, [](const Frame& f) -> auto& { return f.positions; });
  if (what.force) {
    write_vectors(
        set / "force.npy", frames, [](const Frame& f) -> auto& { return f.labels.forces_eV_per_A; });
  }
  const auto write_matrices = [&](const char* name, auto&& of) {
    data.clear();
    for (const Frame& frame : frames) {
      const Mat3& m = of(frame);
      data.insert(data.end(), m.data(), m.data() + 9);
    }
    write_npy(set / name, {frames.size(), 9}, data);
  };
  if (what.cell)
    write_matrices(
        "box.npy", [](const Frame& f) -> auto& { return f.cell->matrix(); });
  if (what.virial)
    write_matrices(
        "virial.npy", [](const Frame& f) -> auto& { return *f.labels.virial_eV; });
  if (what.energy) {
    data.clear();
    for (const Frame& frame : frames) data.push_back(*frame.labels.energy_eV);
    write_npy(set / "energy.npy", {frames.size()}, data);
  }
  if (what.atomic_energy) {
    data.clear();
    for (const Frame& frame : frames) {
      const auto& e = frame.labels.atomic_energies_eV;
      data.insert(data.end(), e.begin(), e.end());
    }
    write_npy(set / "atom_ener.npy", {frames.size(), frames.front().n_atoms()}, data);
  }
}

/// A folder under construction, removed unless it was renamed away.
struct TemporaryFolder {
  fs::path path;
  explicit TemporaryFolder(fs::path p) : path(std::move(p)) {
    std::error_code error;
    fs::remove_all(path, error);
    fs::create_directories(path, error);
    if (error) throw WorkError("{}: cannot make the folder: {}", path.string(), error.message());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

/// A file of a set as this program writes it, the ledger of a data set among them.
bool is_ours_in_set(const fs::path& file) {
  constexpr std::array<std::string_view, 7> ours{
      "box.npy", "coord.npy", "energy.npy", "force.npy", "virial.npy", "atom_ener.npy", "provenance.jsonl"};
  return fs::is_regular_file(file) &&
         std::find(ours.begin(), ours.end(), file.filename().string()) != ours.end();
}

/// The first entry of a system, by name, that would be lost with it; empty if there is none.
fs::path foreign_entry(const fs::path& folder) {
  fs::path first;
  const auto note = [&](const fs::path& entry) {
    if (first.empty() || entry < first) first = entry;
  };
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && name.starts_with("set.")) {
      for (const auto& file : fs::directory_iterator(entry.path()))
        if (!is_ours_in_set(file.path())) note(file.path());
    } else if (!entry.is_regular_file() ||
               (name != "type.raw" && name != "type_map.raw" && name != "nopbc")) {
      note(entry.path());
    }
  }
  return first;
}

void rename_folder(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw WorkError("{}: cannot rename to {}: {}", from.string(), to.string(), error.message());
}

/// Swaps two folders in one step, so that a kill leaves one of them whole in its place; false where the file
/// system cannot (NFS).
bool exchange_folders(const fs::path& a, const fs::path& b) {
  return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
}

/// The two steps where one is not possible. The old data is deleted only once the new is in its place.
void replace_folder(const fs::path& from, const fs::path& to) {
  const fs::path old = to.string() + fmt::format(".old{}", ::getpid());
  rename_folder(to, old);
  std::error_code error, back;
  fs::rename(from, to, error);
  if (!error) {
    fs::remove_all(old, error);
    return;
  }
  fs::rename(old, to, back);
  throw WorkError("{}: cannot put the new system in place: {}{}", to.string(), error.message(),
                  back ? fmt::format("; the old one is now {}", old.string()) : "");
}

fs::path without_slash(const fs::path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

}  // namespace

bool is_deepmd_system(const fs::path& folder) { return fs::exists(folder / "type.raw"); }

std::unique_ptr<FrameReader> read_deepmd(const fs::path& folder, const ReadOptions& options) {
  return std::make_unique<DeepmdReader>(folder, options);
}

void require_replaceable(const fs::path& path) {
  const fs::path folder = without_slash(path);
  if (!fs::exists(folder)) return;
  if (!(fs::is_directory(folder) && (is_deepmd_system(folder) || fs::is_empty(folder))))
    throw InputError("{}: exists and is no DeePMD system; it is not replaced", folder.string());
  if (const fs::path foreign = foreign_entry(folder); !foreign.empty()) {
    throw InputError(
        "{}: the system is not replaced, because {} would be lost with it; expected only type.raw, "
        "type_map.raw, nopbc and sets of frames. Write to a new folder, or move that away",
        folder.string(), foreign.lexically_relative(folder).string());
  }
}

void require_deepmd(const fs::path& path, std::span<const Frame> frames) {
  const fs::path folder = without_slash(path);
  if (frames.empty()) throw InputError("{}: no frames to write", folder.string());
  check_same(folder, frames);
  require_replaceable(folder);
}

void write_deepmd(const fs::path& path, std::span<const Frame> frames, std::size_t frames_per_set) {
  const fs::path folder = without_slash(path);
  require_deepmd(folder, frames);
  const bool replaces = fs::exists(folder);
  const TemporaryFolder aside(folder.string() + fmt::format(".tmp{}", ::getpid()));
  const Frame& first = frames.front();
  std::string types, names;
  for (const int type : first.types) types += fmt::format("{}\n", type);
  for (const std::string& name : first.type_map.names()) names += name + "\n";
  write_file(aside.path / "type.raw", types);
  write_file(aside.path / "type_map.raw", names);
  if (!first.cell) write_file(aside.path / "nopbc", "");
  for (std::size_t set = 0, at = 0; at < frames.size(); ++set, at += frames_per_set) {
    write_set(aside.path / fmt::format("set.{:03}", set),
              frames.subspan(at, std::min(frames_per_set, frames.size() - at)));
  }
  if (replaces && exchange_folders(aside.path, folder)) return;  // `aside` takes away what was there
  if (replaces) {
    replace_folder(aside.path, folder);
  } else {
    rename_folder(aside.path, folder);
  }
}

void append_deepmd_set(const fs::path& path, std::span<const Frame> frames) {
  const fs::path folder = without_slash(path);
  if (!fs::exists(folder) || fs::is_empty(folder)) return write_deepmd(folder, frames);
  if (frames.empty()) return;
  check_same(folder, frames);
  if (!is_deepmd_system(folder)) {
    throw InputError("{}: not a DeePMD system: no type.raw in the folder", folder.string());
  }
  const TypeMap map = read_type_map(folder, {});
  const std::vector<int> types = read_types(folder, map);
  const Frame& first = frames.front();
  bool same = types.size() == first.n_atoms() && first.cell.has_value() == !fs::exists(folder / "nopbc");
  for (std::size_t i = 0; same && i < types.size(); ++i) same = map.name(types[i]) == first.element(i);
  if (!same) {
    throw InputError(
        "{}: the new frames ({}) have not the elements, their order, or the periodicity of the system",
        folder.string(), first.formula());
  }
  std::size_t number = 0;
  while (fs::exists(folder / fmt::format("set.{:03}", number))) ++number;
  const TemporaryFolder aside(folder / fmt::format(".new{}", ::getpid()));
  write_set(aside.path, frames);
  rename_folder(aside.path, folder / fmt::format("set.{:03}", number));
}

}  // namespace solion::io
