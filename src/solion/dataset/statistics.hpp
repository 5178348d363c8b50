// What is in a data set: counts, ranges, duplicates, and a split into training and validation.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "solion/dataset/system.hpp"

namespace solion::dataset {

/// Numbers of one system (or of all, `summary`); frames without a label do not count for it.
struct Statistics {
  std::string name;
  std::string formula;  ///< "Li24 O8 Cl8"; empty in a summary of several
  std::size_t n_frames = 0;
  std::size_t n_atoms = 0;  ///< of all frames together
  double energy_min_eV_per_atom = 0;
  double energy_max_eV_per_atom = 0;
  double force_rms_eV_per_A = 0;  ///< of the components
  double force_max_eV_per_A = 0;  ///< largest component
  double volume_min_A3_per_atom = 0;
  double volume_max_A3_per_atom = 0;
  double pressure_min_GPa = 0;
  double pressure_max_GPa = 0;
  std::size_t n_energies = 0;
  std::size_t n_forces = 0;
  std::size_t n_virials = 0;
};

Statistics statistics(const System& system);
Statistics summary(const std::vector<System>& systems);
Json to_json(const Statistics& statistics);

/// Pairs (i, j), i < j, of frames of the system that are the same configuration within `tolerance_A`.
std::vector<std::pair<std::size_t, std::size_t>> duplicates(const System& system, double tolerance_A);

/// A frame of a data set.
struct FrameId {
  std::size_t system = 0;
  std::size_t frame = 0;
  bool operator==(const FrameId&) const = default;
};

struct Split {
  std::vector<FrameId> training;
  std::vector<FrameId> validation;
};

/// Puts `fraction` (0…1) of the frames aside for validation, drawn by `seed` from each structure separately,
/// so that every structure with n frames gives round(fraction·n) of them. Both lists are in the order of the
/// data set. The draw of one structure does not depend on the others. InputError if the fraction is not in
/// [0, 1].
Split split(const std::vector<System>& systems, double fraction, std::uint64_t seed);

}  // namespace solion::dataset
