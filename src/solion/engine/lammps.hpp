// Molecular dynamics by LAMMPS with the same input, the same physics and the same files as the program's own
// engine. Theory: docs/lammps.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "solion/md/run.hpp"
#include "solion/reference/executor.hpp"

namespace solion::engine {

struct LammpsOptions {
  int ranks = 1;                      ///< MPI processes
  bool fresh = false;                 ///< as md::RunOptions
  std::string potential_identity;     ///< as md::RunOptions
  std::string progress;               ///< as md::RunOptions
  std::filesystem::path folder;       ///< what LAMMPS reads and writes; made, and left there
  std::filesystem::path kim_objects;  ///< kim::find_parts()
  std::optional<reference::ExecutorSettings> executor{};  ///< where LAMMPS runs; without it, here
};

/// Steps the run with Debian's LAMMPS through the KIM API and reads log, trajectories and the last state back
/// into the files of `input.outputs`; the restart file is one that either engine goes on from. `start` is the
/// structure after `supercell`, `potential` the Deep Potential of `input` for the energies of first and last
/// state. An interrupted or failed run keeps what LAMMPS had saved (`restart_every`); a job in Slurm's queue
/// stays there after an interruption, and the same call takes it over. InputError names the key that LAMMPS
/// cannot do the same way, or the program that is missing; WorkError has what LAMMPS said.
md::Summary run_lammps(md::Input input, const Frame& start, Potential& potential,
                       const LammpsOptions& options);

/// InputError if LAMMPS cannot do what the input asks the way it is meant, or not on so many ranks.
void check_lammps(const md::Input& input, const Frame& start, const LammpsOptions& options);

}  // namespace solion::engine
