// Labelled systems: frames of the same atoms, as DeePMD-kit's npy systems keep them, with their provenance.
//
// A data set is a folder of systems, one for each structure:
//
//     DIR/type1/type.raw, type_map.raw          which atoms; frames of other atoms are another system
//     DIR/type1/set.000/{box,coord,energy,force,virial}.npy
//     DIR/type1/set.000/provenance.jsonl        one line of JSON a frame, in the order of the arrays
//
// DeePMD-kit reads the same folders and passes over provenance.jsonl.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/structure/frame.hpp"

namespace solion::dataset {

/// Name of the ledger inside each set.
inline constexpr const char* provenance_name = "provenance.jsonl";

/// One set.NNN folder of a system.
struct Set {
  std::filesystem::path path;
  std::size_t n_frames = 0;
  bool has_ledger = false;
};

/// Frames with the same atoms in the same order. Never empty once loaded.
struct System {
  std::string name;            ///< the folder's name
  std::filesystem::path path;  ///< the folder
  std::vector<Frame> frames;
  /// One JSON object a frame (key, structure, temperature_K, …); empty objects where a set has no ledger.
  std::vector<Json> provenance;
  /// In the order of the frames, as large as whoever wrote them made them; none in dpdata's deepmd/raw.
  std::vector<Set> sets;

  [[nodiscard]] std::size_t n_atoms() const { return frames.front().n_atoms(); }
  [[nodiscard]] const TypeMap& type_map() const { return frames.front().type_map; }
};

/// Reads one system folder. InputError if it is none, is damaged, a ledger has another number of lines than
/// its set has frames, or an append was cut short that only the next one can mend.
System load_system(const std::filesystem::path& folder, const std::vector<std::string>& type_names = {});

/// Where an append puts the old set for the moment between two renames, on a file system that cannot exchange
/// folders; and the set that such a folder was, nothing for any other folder.
std::filesystem::path aside_of(const std::filesystem::path& set);
std::optional<std::filesystem::path> set_put_aside(const std::filesystem::path& path);

/// Every folder below `path` (itself included) that holds a type.raw, sorted by path. InputError if there is
/// none.
std::vector<std::filesystem::path> find_systems(const std::filesystem::path& path);

/// "x.hdf5" and "x.hdf5#/group", as DeePMD-kit names systems in one file.
bool is_hdf5_name(const std::filesystem::path& path);

/// What a user's input stands for: the systems of a folder as `find_systems` has them, or the file itself. A
/// system in HDF5 is refused as `find_systems` does.
std::vector<std::filesystem::path> systems_or_file(const std::filesystem::path& path);

/// Loads all systems below each of the paths; `type_names` as for load_system. InputError if a system is
/// named twice.
std::vector<System> load(const std::vector<std::filesystem::path>& paths,
                         const std::vector<std::string>& type_names = {});

/// The structure a frame was drawn from: its provenance's "structure", otherwise the system's name.
std::string structure_of(const System& system, std::size_t frame);

}  // namespace solion::dataset
