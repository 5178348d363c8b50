// The files of a run, whoever steps it: log, trajectories, and what a restart file has to say of them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "solion/io/formats.hpp"
#include "solion/md/restart.hpp"

namespace solion::md {

/// InputError if an interval is less than 1, or a file cannot be what it is named for.
void check_outputs(const Outputs& outputs);

/// What must stay the same for a run to go on from its restart file.
Identity identity_of(const Settings& settings, const Outputs& outputs, const Frame& start,
                     const std::string& potential, const std::string& observers = "");

/// The restart file of this run, if there is one to go on from. InputError if it belongs to other input, or
/// if outputs of another run are in the way.
std::optional<Restart> find_restart(const Outputs& outputs, const Identity& identity,
                                    const Settings& settings, bool fresh);

/// Files that no other run may write while this object is there, however its process ends (flock(2)).
class FileClaims {
 public:
  FileClaims() = default;
  FileClaims(const FileClaims&) = delete;
  FileClaims& operator=(const FileClaims&) = delete;
  ~FileClaims();

  /// WorkError if another run has the file. What is no regular file, cannot be written or lies where there
  /// are no locks is passed over; one that is not there too, unless `make` says to make it.
  void add(const std::filesystem::path& file, bool make);

 private:
  std::map<std::filesystem::path, int> held_;  ///< descriptors
};

/// Log and trajectories, and how much of them belongs to a restart file.
class RunFiles {
 public:
  RunFiles(const Outputs& outputs, const Settings& settings)
      : outputs_(outputs), equilibration_(settings.equilibration_steps), timestep_fs_(settings.timestep_fs) {}

  /// Before anything is read or written: WorkError if another run writes one of the files that are there.
  void claim();
  /// Empties or makes all files.
  void create();
  /// Cuts all files back to where the restart file was written.
  void go_on(const std::vector<std::uint64_t>& offsets);

  void write_row(const Thermo& thermo, const Cell& cell);
  /// Whether some trajectory, or the one with that number, shows this step.
  [[nodiscard]] bool wants_frame(std::int64_t step) const;
  [[nodiscard]] bool wants_frame(std::int64_t step, std::size_t trajectory) const;
  /// To all trajectories that show this step. Positions wrapped, images, velocities and labels as
  /// `Simulation::frame` has them.
  void write_frame(const Frame& frame, std::int64_t step);
  /// To one of them, whatever it shows.
  void write_frame(const Frame& frame, std::int64_t step, std::size_t trajectory);

  /// Everything so far is on disk; the sizes for the restart file.
  std::vector<std::uint64_t> flush();

 private:
  [[nodiscard]] std::vector<std::filesystem::path> all() const;

  const Outputs& outputs_;
  FileClaims claims_;
  std::int64_t equilibration_;
  double timestep_fs_;
  std::optional<io::OutputFile> log_;
  std::vector<io::FrameWriter> trajectories_;
};

}  // namespace solion::md
