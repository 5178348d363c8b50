// Runs LAMMPS stretch by stretch and turns what it leaves into the files of a run.
#include "solion/engine/lammps.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <sstream>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/engine/lammps_files.hpp"
#include "solion/engine/queue.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/lammps_cell.hpp"
#include "solion/kim/collection.hpp"
#include "solion/md/run_files.hpp"
#include "solion/md/simulation.hpp"
#include "solion/md/stepping.hpp"
#include "solion/reference/process.hpp"

namespace solion::engine {
namespace {

namespace fs = std::filesystem;
constexpr const char* kim_name = "solion_md";
constexpr const char* stamp_file = "stretch.txt";  // which stretch of which run lies in the folder
constexpr double bar_per_eV_A3 = constants::eV_per_A3_in_GPa / constants::bar_in_GPa;

/// Where LAMMPS's fix npt ends with "tilted box too far" (TILTMAX in fix_nh.cpp).
constexpr double most_tilt = 1.5;

/// How far the cell leans over in LAMMPS's orientation, in lengths of the edge it leans along.
double tilt(const Frame& frame) {
  const Mat3 h = io::to_lammps_orientation(frame).cell->matrix();
  return std::max({std::abs(h(1, 0) / h(0, 0)), std::abs(h(2, 0) / h(0, 0)), std::abs(h(2, 1) / h(1, 1))});
}

/// What LAMMPS said: its own line of the error, else the end of its output.
std::string complaint(const fs::path& output) {
  std::istringstream lines(reference::tail(output, 40));
  std::string line, found;
  while (std::getline(lines, line)) {
    if (line.find("ERROR") != std::string::npos || line.starts_with("solion:")) found += "\n  " + line;
  }
  return found.empty() ? "\n  " + reference::tail(output, 6) : found;
}

bool in_queue(const LammpsOptions& options) {
  return options.executor && options.executor->kind == reference::ExecutorSettings::Kind::slurm;
}

/// One run in progress: a state of ours, moved on by LAMMPS.
class Run {
 public:
  Run(const md::Input& input, const Frame& start, Potential& potential, const LammpsOptions& options)
      : input_(input),
        settings_(input.settings),
        options_(options),
        start_(start),
        orientation_(start),
        potential_(potential),
        identity_(md::identity_of(settings_, input.outputs, start, options.potential_identity)),
        files_(input_.outputs, settings_) {
    files_.claim();
    open_queue();
    if (options.fresh) fs::remove(options.folder / stamp_file);
    const auto restart = md::find_restart(input.outputs, identity_, settings_, options.fresh);
    if (restart) {
      state_ = restart->state;
      averages_ = restart->averages;
      files_.go_on(restart->offsets);
    } else {
      const md::Simulation simulation(settings_, start, potential);
      state_ = simulation.state();
      save();
      files_.create();
      take_row(simulation.thermo(), *state_.frame.cell);
      if (settings_.equilibration_steps == 0) files_.write_frame(simulation.frame(), 0);
    }
    first_step_ = state_.step;
  }

  md::Summary finish() {
    const auto begin = std::chrono::steady_clock::now();
    while (state_.step < settings_.total_steps()) stretch();
    summary_.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (!input_.outputs.final_structure.empty()) {
      const Frame frame = shown();
      io::write_frames(input_.outputs.final_structure, std::span(&frame, 1));
    }
    summary_.formula = state_.frame.formula();
    summary_.atoms = state_.masses.size();
    summary_.first_step = first_step_;
    summary_.last_step = state_.step;
    summary_.timestep_fs = settings_.timestep_fs;
    summary_.time_ps = static_cast<double>(state_.step) * settings_.timestep_fs * 1e-3;
    summary_.averages = averages_;
    return summary_;
  }

 private:
  /// The equilibration, or all that is left of the production.
  void stretch() {
    Clock clock{
        .offset = settings_.equilibration_steps, .begin = state_.step, .end = settings_.total_steps()};
    if (state_.step < settings_.equilibration_steps) clock = {0, state_.step, settings_.equilibration_steps};
    const fs::path output = options_.folder / "lammps.out";
    const std::int64_t begin = state_.step;
    if (!queue_ && take_over(clock)) return;
    const reference::Outcome outcome = execute(clock, output);
    collect(clock);
    if (queue_) queue_->close();
    if (outcome.ending == reference::Ending::cancelled || interrupt_requested()) throw Interrupted();
    if (!outcome.success()) {
      tries_ = state_.step > begin ? 0 : tries_ + 1;
      if (queue_ && tries_ <= options_.executor->retries) {
        log().warn("LAMMPS: {}; goes on from step {}{}", outcome.text(), state_.step, complaint(output));
        return;
      }
      throw WorkError("LAMMPS ({}): {}; the state of step {} is kept{}",
                      (options_.folder / "in.lammps").string(), outcome.text(), state_.step,
                      complaint(output));
    }
    if (state_.step != clock.end)
      throw WorkError("LAMMPS ended at step {} of {}{}", state_.step, clock.end, complaint(output));
  }

  /// What a LAMMPS of this very stretch has left whose solion was killed before it could collect.
  bool take_over(const Clock& clock) {
    const fs::path file = options_.folder / stamp_file;
    if (!fs::exists(file) || read_file(file) != stamp(clock)) return false;
    const std::int64_t begin = state_.step;
    collect(clock);
    if (state_.step == begin) return false;
    log().info("LAMMPS of a run that was killed: goes on from step {}", state_.step);
    return true;
  }

  /// Which stretch of which run the files in the folder belong to.
  [[nodiscard]] std::string stamp(const Clock& clock) const {
    return fmt::format("{}\n{} {} {}\n",
                       sha256(identity_.settings + identity_.structure + identity_.potential), clock.offset,
                       clock.begin, clock.end);
  }

  /// Runs the stretch here, or as a job of Slurm; one that an earlier process submitted is waited for.
  reference::Outcome execute(const Clock& clock, const fs::path& output) {
    std::optional<Progress> progress;
    if (!options_.progress.empty())
      progress.emplace(options_.progress, static_cast<std::size_t>(settings_.total_steps()),
                       static_cast<std::size_t>(state_.step));
    int polls = 0;
    const auto show = [&](const std::string& note) {
      if (progress && ++polls % 40 == 0)
        progress->update(static_cast<std::size_t>(step_reached(clock)), note);
    };
    const reference::Command command{
        .argv = words(), .folder = options_.folder, .log = output, .environment = environment()};
    if (queue_)
      return queue_->run(
          state_.step, command, [&] { prepare(clock); }, show);
    prepare(clock);
    return reference::run(command, [&] {
      show({});
      return interrupt_requested();
    });
  }

  [[nodiscard]] std::vector<std::string> words() const {
    std::vector<std::string> argv{"lmp", "-in", "in.lammps", "-log", log_file};
    if (options_.ranks > 1) {
      std::vector<std::string> mpi{"mpirun",          "-n",        std::to_string(options_.ranks),
                                   "--oversubscribe", "--bind-to", "none"};
      if (::geteuid() == 0) mpi.emplace_back("--allow-run-as-root");
      argv.insert(argv.begin(), mpi.begin(), mpi.end());
    }
    return argv;
  }

  void open_queue() {
    if (!in_queue(options_)) return;
    queue_.emplace(*options_.executor, options_.folder);
    if (options_.fresh && queue_->holds_any())
      throw WorkError(
          "--fresh: a job of the earlier run may still write to {}: end it with scancel, and run once "
          "without --fresh",
          options_.folder.string());
    if (options_.fresh) queue_->forget();
  }

  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"KIM_API_MODEL_DRIVERS_DIR", fs::absolute(options_.folder / "kim/drivers").string()},
            {"KIM_API_PORTABLE_MODELS_DIR", fs::absolute(options_.folder / "kim/models").string()},
            {"OMP_NUM_THREADS", "1"},
            {"OPENBLAS_NUM_THREADS", "1"}};
  }

  void prepare(const Clock& clock) {
    fs::create_directories(options_.folder);
    for (const char* name : {stamp_file, log_file, final_dump, restart_files[0], restart_files[1]})
      fs::remove(options_.folder / name);
    for (std::size_t i = 0; i < input_.outputs.trajectories.size(); ++i)
      fs::remove(options_.folder / trajectory_dump(i));
    const auto& deep = dynamic_cast<const dp::DeepPotential&>(potential_);
    const fs::path kim = fs::absolute(options_.folder / "kim");
    kim::install(deep.model(), {.path = deep.options().path}, kim_name, {kim / "drivers", kim / "models"},
                 options_.kim_objects);
    const Frame frame = shown();
    io::write_frames(options_.folder / data_file, std::span(&frame, 1));
    write_file(options_.folder / "in.lammps", lammps_input(input_, frame.type_map, clock, kim_name));
    write_file(options_.folder / stamp_file, stamp(clock));
  }

  [[nodiscard]] std::int64_t step_reached(const Clock& clock) const {
    std::istringstream lines(reference::tail(options_.folder / log_file, 1));
    std::int64_t step = 0;
    return lines >> step ? std::max(step + clock.offset, state_.step) : state_.step;
  }

  /// Takes over what LAMMPS saved: the last whole state, and rows and frames up to it.
  void collect(const Clock& clock) {
    Frame last;
    std::int64_t step = state_.step;
    if (!last_state(last, step, clock)) return;
    auto rows = read_log(options_.folder / log_file);
    check_constants(rows, clock);
    go_on_conserving(rows, clock);
    const std::int64_t from = state_.step;
    md::State seen = sketch();
    const double limit_K = md::temperature_limit(settings_, state_, md::kinetic_tensor(state_));
    for (const auto& [lammps_step, row] : rows) {
      const std::int64_t at = lammps_step + clock.offset;
      if (at <= from || at > step) continue;
      check_row(row, at, limit_K, seen);
      if (at % input_.outputs.thermo_every != 0) continue;
      take_row(thermo(row, at), Cell(orientation_.cell(row.cell)));
    }
    for (std::size_t i = 0; i < input_.outputs.trajectories.size(); ++i)
      take_trajectory(i, rows, clock, from, step);
    orientation_.turn(last, start_);
    state_.frame.cell = last.cell;
    state_.frame.velocities = last.velocities;
    for (std::size_t i = 0; i < last.n_atoms(); ++i)
      state_.frame.positions[i] = last.positions[i] + last.cell->to_cartesian(last.images[i].cast<double>());
    state_.step = step;
    potential_.reset();
    potential_.evaluate(state_.frame, {}, state_.now);
    if (const auto row = rows.find(step - clock.offset); row != rows.end()) {
      // Far above rounding, far below any other model, unit or cutoff.
      const double off = std::abs(row->second.potential_eV - state_.now.energy);
      if (!(off <= 1e-6 * static_cast<double>(last.n_atoms())))
        throw WorkError("LAMMPS gives the last state {} eV, solion {} eV", row->second.potential_eV,
                        state_.now.energy);
    }
    keep_conserved(rows, clock);
    // The production begins with the frame that ends the equilibration.
    if (clock.offset == 0 && step > 0 && step == settings_.equilibration_steps)
      files_.write_frame(shown(), step);
    save();
  }

  [[nodiscard]] std::unique_ptr<io::FrameReader> open_dump(const fs::path& file) const {
    io::ReadOptions how;
    how.type_names = start_.type_map.names();
    // What the run came to is shown, not judged.
    how.accept_any_density = true;
    how.closest_A = 0;
    return io::open_frames(file, how);
  }

  /// The final dump, else the younger restart file through LAMMPS's own converter.
  bool last_state(Frame& frame, std::int64_t& step, const Clock& clock) const {
    const auto read = [&](const fs::path& file) {
      try {
        const auto reader = open_dump(file);
        if (!reader->next(frame) || frame.n_atoms() != start_.n_atoms()) return false;
        step = std::stoll(frame.info.at("timestep")) + clock.offset;
        return step > state_.step;
      } catch (const std::exception& error) {
        log().debug("{}: {}", file.string(), error.what());
        return false;
      }
    };
    if (fs::exists(options_.folder / final_dump) && read(options_.folder / final_dump)) return true;
    bool found = false;
    for (const char* name : restart_files) {
      if (!fs::exists(options_.folder / name)) continue;
      const fs::path dump = options_.folder / (std::string(name) + ".dump");
      fs::remove(dump);
      const std::int64_t before = step;
      const Frame younger = frame;
      (void)reference::run({.argv = {"lmp",  "-log", "none",   "-restart2dump",
                                     name,   "all",  "custom", dump.filename().string(),
                                     "id",   "type", "x",      "y",
                                     "z",    "ix",   "iy",     "iz",
                                     "vx",   "vy",   "vz",     "modify",
                                     "sort", "id",   "format", "float",
                                     "%.17g"},
                            .folder = options_.folder,
                            .log = options_.folder / "restart.out",
                            .environment = environment()},
                           [] { return false; });
      if (read(dump) && step > before) {
        found = true;
      } else {
        step = before;
        frame = younger;
      }
    }
    return found;
  }

  /// Another version of LAMMPS may have other constants: its kinetic energy of our velocities tells.
  void check_constants(const std::map<std::int64_t, Row>& rows, const Clock& clock) const {
    const auto row = rows.find(clock.begin - clock.offset);
    if (row == rows.end()) return;
    const double own = 0.5 * md::kinetic_tensor(state_).trace();
    if (!(std::abs(row->second.kinetic_eV - own) <= 1e-9 * own))
      throw WorkError("LAMMPS has {} eV where {} eV were expected: other constants in its units metal",
                      row->second.kinetic_eV, own);
  }

  [[nodiscard]] double conserved_eV() const {
    return md::Simulation(settings_, state_, potential_).thermo().conserved_eV;
  }

  /// LAMMPS's chains and barostat begin every stretch at rest, and its conserved energy with them: the rows
  /// are shifted to go on from the state's.
  void go_on_conserving(std::map<std::int64_t, Row>& rows, const Clock& clock) const {
    const auto first = rows.find(clock.begin - clock.offset);
    if (first == rows.end()) return;
    const double shift = conserved_eV() - first->second.conserved_eV;
    for (auto& [step, row] : rows) row.conserved_eV += shift;
  }

  /// What chains and barostat held at the end of the stretch goes to the reservoir.
  void keep_conserved(const std::map<std::int64_t, Row>& rows, const Clock& clock) {
    const auto after = rows.upper_bound(state_.step - clock.offset);
    if (after == rows.begin()) return;
    for (md::NoseHooverChain* chain : {&state_.atom_chain, &state_.cell_chain}) {
      std::fill(chain->velocity.begin(), chain->velocity.end(), 0.0);
      chain->work_eV = 0;
    }
    state_.strain_rate.setZero();
    state_.reservoir_eV += std::prev(after)->second.conserved_eV - conserved_eV();
  }

  /// What the checks of a step look at, beside one row's own numbers.
  [[nodiscard]] md::State sketch() const {
    md::State seen;
    seen.masses = state_.masses;
    seen.start_volume = state_.start_volume;
    return seen;
  }

  /// A run that the own engine ends as exploded is not called done because LAMMPS went on.
  void check_row(const Row& row, std::int64_t step, double limit_K, md::State& seen) const {
    seen.step = step;
    seen.frame.cell = Cell(row.cell);
    seen.now.energy = row.potential_eV;
    seen.now.virial = row.virial;
    md::check_growth(seen, step);
    md::check_energies(settings_, seen, row.kinetic, limit_K);
  }

  [[nodiscard]] md::Thermo thermo(const Row& row, std::int64_t step) const {
    md::Thermo t;
    t.step = step;
    t.time_fs = static_cast<double>(step) * settings_.timestep_fs;
    t.target_K = settings_.temperature_at(step);
    t.potential_eV = row.potential_eV;
    t.kinetic_eV = row.kinetic_eV;
    t.conserved_eV = row.conserved_eV;
    const double dof = md::degrees_of_freedom(state_.masses.size(),
                                              settings_.thermostat_at(std::max<std::int64_t>(step, 1)));
    t.temperature_K = 2 * row.kinetic_eV / (dof * constants::boltzmann_eV_per_K);
    t.volume_A3 = row.cell.determinant();
    t.pressure_bar = orientation_.tensor(row.kinetic + row.virial) * (bar_per_eV_A3 / t.volume_A3);
    return t;
  }

  void take_row(const md::Thermo& thermo, const Cell& cell) {
    if (thermo.step >= settings_.equilibration_steps) averages_.add(thermo);
    files_.write_row(thermo, cell);
  }

  void take_trajectory(std::size_t i, const std::map<std::int64_t, Row>& rows, const Clock& clock,
                       std::int64_t from, std::int64_t to) {
    const fs::path file = options_.folder / trajectory_dump(i);
    if (!fs::exists(file)) return;
    const auto reader = open_dump(file);
    Frame frame;
    while (reader->next(frame)) {
      const std::int64_t lammps_step = std::stoll(frame.info.at("timestep"));
      const std::int64_t step = lammps_step + clock.offset;
      if (step > to) break;
      if (step > from) {
        orientation_.turn(frame, start_);
        frame.info.clear();
        const Row& row = rows.at(lammps_step);
        frame.labels.energy_eV = row.potential_eV;
        frame.labels.virial_eV = orientation_.tensor(row.virial);
        files_.write_frame(frame, step, i);
      }
      if (step + input_.outputs.trajectories[i].every > to) break;  // what follows may be cut off
    }
  }

  /// The present state as the own engine shows it.
  [[nodiscard]] Frame shown() const {
    Frame frame = state_.frame;
    wrap(frame);
    frame.labels.energy_eV = state_.now.energy;
    frame.labels.forces_eV_per_A = state_.now.forces;
    frame.labels.virial_eV = state_.now.virial;
    return frame;
  }

  void save() {
    const auto offsets = files_.flush();
    if (!input_.outputs.restart.empty())
      md::write_restart(input_.outputs.restart, {identity_, state_, averages_, offsets});
  }

  const md::Input& input_;
  const md::Settings& settings_;
  const LammpsOptions& options_;
  const Frame& start_;
  Orientation orientation_;
  Potential& potential_;
  md::Identity identity_;
  md::RunFiles files_;
  md::State state_;
  md::Averages averages_;
  md::Summary summary_;
  std::int64_t first_step_ = 0;
  std::optional<Queue> queue_;
  int tries_ = 0;  ///< failed ones, without a step done
};

}  // namespace

void check_lammps(const md::Input& input, const Frame& start, const LammpsOptions& options) {
  const int ranks = options.ranks;
  const md::Settings& s = input.settings;
  const auto refuse = [](const char* key, const std::string& problem) {
    throw InputError("--engine lammps: {}: {}", key, problem);
  };
  if (s.thermostat == md::Thermostat::csvr)
    refuse("thermostat = \"csvr\"",
           "Debian's LAMMPS has no such thermostat; \"nose-hoover\" does the same there and here");
  if (s.thermostat == md::Thermostat::langevin)
    refuse("thermostat = \"langevin\"",
           "LAMMPS's is another discretisation; \"nose-hoover\" does the same there and here");
  if (s.ensemble == md::Ensemble::nve && s.equilibration_steps > 0 && s.thermostat == md::Thermostat::none)
    refuse("equilibration_steps",
           "nve equilibrates with csvr, which Debian's LAMMPS has not; choose thermostat = \"nose-hoover\"");
  if (!input.analyses.empty())
    refuse("[[analysis]]",
           "only the own engine accumulates inside the run; write a [[trajectory]] and use solion analyze");
  if (s.temperature_limit_K > 0) refuse("temperature_limit_K", "LAMMPS knows no such limit");
  if (s.barostat == md::Barostat::full && tilt(start) > most_tilt)
    refuse(
        "barostat = \"mtk-full\"",
        fmt::format("a vector of the cell leans over by {:.2f} of another's length, and LAMMPS gives up at "
                    "{:g}: choose vectors that are nearer to right angles",
                    tilt(start), most_tilt));
  if (ranks < 1) refuse("--ranks", "expected 1 or more");
  if (static_cast<std::size_t>(ranks) > start.n_atoms())
    refuse("--ranks", fmt::format("{} ranks for {} atoms: every rank needs some", ranks, start.n_atoms()));
  if (ranks > available_threads() && !in_queue(options) && std::getenv("SLURM_JOB_ID") == nullptr)
    refuse("--ranks",
           fmt::format("{} ranks where this process may use {} cores", ranks, available_threads()));
  if (!reference::in_path("lmp")) refuse("lmp", "is not here (Debian package lammps)");
  if (ranks > 1 && !reference::in_path("mpirun"))
    refuse("mpirun", "is not here (Debian package openmpi-bin)");
}

md::Summary run_lammps(md::Input input, const Frame& start, Potential& potential,
                       const LammpsOptions& options) {
  input.settings.check();
  md::check_outputs(input.outputs);
  check_lammps(input, start, options);
  if (dynamic_cast<const dp::DeepPotential*>(&potential) == nullptr)
    throw InputError("--engine lammps: potential = \"{}\": only a Deep Potential goes through KIM",
                     input.potential);
  // As the own engine: restart files of both must be each other's.
  input.settings.reset_every = std::gcd(input.settings.reset_every, input.outputs.restart_every);
  return Run(input, start, potential, options).finish();
}

}  // namespace solion::engine
