// A whole run: the loop with its log, trajectories, restart file and observers.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "solion/md/restart.hpp"
#include "solion/md/simulation.hpp"

namespace solion::md {

/// Sees the run at the production steps (0 is the end of the equilibration) first, first + every, … up to
/// `last`, so that displacements or distances can be accumulated without a trajectory on disk. A run that
/// goes on from a restart file shows only the steps that are left; an observer with a state gets it back
/// first.
struct Observer {
  std::int64_t every = 1;
  std::function<void(const Simulation&)> see;
  std::int64_t first = 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  /// What it accumulates and how, in one line; not empty: `save` and `load` are there, and the restart file
  /// keeps the state.
  std::string identity = {};
  std::function<std::string()> save = nullptr;
  std::function<void(std::string_view)> load = nullptr;

  [[nodiscard]] bool sees(std::int64_t production_step) const {
    return production_step >= first && production_step <= last && (production_step - first) % every == 0;
  }
};

struct RunOptions {
  /// Start again even where a restart file exists; old outputs of the same names are replaced.
  bool fresh = false;
  /// Hash of the potential's file, or its name; kept in the restart file.
  std::string potential_identity;
  /// Name of the progress lines; empty: none.
  std::string progress;
  std::vector<Observer> observers;
  /// Who moves the atoms from a state that may have no forces yet; empty: this library's Simulation. A
  /// device's own stands in gpu/device_simulation.hpp.
  std::function<std::unique_ptr<Simulation>(const Settings&, State)> mover = nullptr;
};

/// What `solion md` prints and writes as JSON. Means are over the thermo rows of the production part.
struct Summary {
  std::string formula;
  std::size_t atoms = 0;
  std::int64_t first_step = 0;  ///< where this call began (0, or the restart's)
  std::int64_t last_step = 0;
  double time_ps = 0;
  Averages averages;
  double wall_s = 0;  ///< of this call
  [[nodiscard]] double ns_per_day() const;
  [[nodiscard]] double us_per_atom_step() const;
  double timestep_fs = 0;
};

/// Means and standard deviations, drift and speed, as `solion md --json` writes them.
Json to_json(const Summary& summary);

/// Runs to the last step and returns the summary; goes on by itself from `outputs.restart` if that exists and
/// was written for the same settings, structure and potential (then also a finished run returns at once). The
/// continued run repeats an uninterrupted one bit for bit: state, log and trajectories. Empty output paths
/// are not written. Throws InputError if the restart file belongs to other input or outputs of another run
/// are in the way, WorkError if the run fails (the last restart file stays), Interrupted after Ctrl-C (with a
/// restart file written at most `reset_every` steps later). What observers with a state have seen
/// is part of the restart file, and belongs to the input that must not change. No global state: several runs
/// may go side by side on objects of their own.
Summary run(Settings settings, const Outputs& outputs, const Frame& start, Potential& potential,
            const RunOptions& options = {});

}  // namespace solion::md
