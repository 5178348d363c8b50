// The restart file: a whole state with a checksum, written atomically.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "solion/md/state.hpp"

namespace solion::md {

/// Mean and standard deviation of a column of the thermo log, added up as the run goes (Welford).
struct RunningMean {
  std::int64_t n = 0;
  double mean = 0;
  double squares = 0;  ///< Σ (x − mean)²
  void add(double x);
  [[nodiscard]] double deviation() const;
};

/// What is averaged over the thermo rows of the production part.
struct Averages {
  RunningMean temperature_K, potential_eV, pressure_bar, volume_A3, conserved_eV, time_ps;
  /// Σ (t − ⟨t⟩)(E − ⟨E⟩) of the conserved quantity, for the slope of its drift.
  double time_conserved = 0;
  void add(const Thermo& thermo);
  /// Least-squares slope of the conserved quantity, eV/ps; 0 from fewer than two rows.
  [[nodiscard]] double drift_eV_per_ps() const;
};

/// What must be the same for a run to go on, each in a form that can be shown when it is not.
struct Identity {
  std::string settings;        ///< fingerprint()
  std::string structure;       ///< hash of the starting structure
  std::string potential;       ///< hash or name, given by the caller
  std::string observers = {};  ///< what accumulates inside the run; empty: nothing
};

struct Restart {
  Identity identity;
  State state;
  Averages averages;
  std::vector<std::uint64_t> offsets;       ///< sizes of the log and of each trajectory at this step, bytes
  std::vector<std::string> observers = {};  ///< states of those that `identity` names
};

/// Replaces the file; numbers keep all their bits. WorkError if it cannot be written.
void write_restart(const std::filesystem::path& path, const Restart& restart);

/// InputError if the file is missing, damaged (its checksum is wrong) or of another program or version.
Restart read_restart(const std::filesystem::path& path);

}  // namespace solion::md
