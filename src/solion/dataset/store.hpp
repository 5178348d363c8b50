// A data set that grows: frames are appended one by one, whole or not at all, by any number of processes.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "solion/dataset/system.hpp"

namespace solion::dataset {

/// What becomes of a frame that is looked at again.
enum class Fate { keep, change, drop };

/// A data set folder open for appending. Each frame goes to the system of its structure: the folder called
/// after `structure` in its info or provenance, otherwise after its formula. Atoms are sorted by type, in the
/// order of the data set's type map, and wrapped into the cell.
///
/// An append writes the last set of the system anew beside the old one and exchanges the two folders in one
/// step, so that a reader or a kill at any moment sees all arrays and the ledger with the frame, or all
/// without it. A last set that is full, or that another program wrote (it has no ledger), is left as it is,
/// and the frame begins a new one.
class Store {
 public:
  /// Opens or creates the folder. `elements` fixes the type map (order and at least these elements); without
  /// it, that of the systems that are there, or else the elements by first appearance. InputError if systems
  /// that are there have another map, if a system is damaged, or if the path is a file. A set.NNN folder
  /// is extended up to `frames_per_set` frames; larger ones may be there.
  explicit Store(std::filesystem::path folder, std::vector<std::string> elements = {},
                 std::size_t frames_per_set = 500);

  /// True if a frame with this provenance "key" is in the data set.
  [[nodiscard]] bool contains(const std::string& key) const;
  /// The frame that is the same configuration within `tolerance_A`, as "SYSTEM/INDEX", if there is one.
  [[nodiscard]] std::optional<std::string> find_duplicate(const Frame& frame, double tolerance_A) const;

  /// Appends a frame with energy, forces and virial. Returns false, and changes nothing, if a frame of the
  /// same key is there. InputError for a frame without energy, forces or virial, or with an element that the
  /// type map does not have, and for a system of deepmd/raw or of mixed type; WorkError (disk full, …) leaves
  /// the data set as it was.
  bool append(const Frame& frame, Json provenance);

  /// Asks `decide` about every frame whose provenance has a "key": it may change labels and provenance and
  /// say so, or have the frame dropped. A set with such frames is written anew and exchanged in one step;
  /// one that is left empty goes, and so does a system without sets. Returns the number of frames changed or
  /// dropped. WorkError leaves the set at hand as it was.
  std::size_t revise(const std::function<Fate(Frame& frame, Json& provenance)>& decide);

  [[nodiscard]] const std::vector<System>& systems() const { return systems_; }
  [[nodiscard]] std::size_t n_frames() const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  void extend_type_map(const Frame& frame);
  System& system_for(const Frame& frame, const std::string& structure);
  void reload(System& system);
  /// A set folder's name, and its frames: from `begin` to before `end`.
  struct Place {
    std::string set;
    std::size_t begin, end;
  };
  [[nodiscard]] Place place_for(const System& system) const;
  void write_set(const System& system, const Place& place) const;
  void remove(const std::filesystem::path& folder) const;
  std::size_t revise(System& system, const std::function<Fate(Frame&, Json&)>& decide) const;
  static void require_appendable(const System& system, const Frame& frame);

  std::filesystem::path folder_;
  TypeMap type_map_;
  bool fixed_map_ = false;
  std::size_t frames_per_set_;
  std::vector<System> systems_;
};

}  // namespace solion::dataset
