// The loop of a run and its files.
#include "solion/md/run.hpp"

#include <Eigen/Geometry>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/progress.hpp"
#include "solion/io/formats.hpp"

namespace solion::md {

double Summary::ns_per_day() const {
  const double simulated_ns = static_cast<double>(last_step - first_step) * timestep_fs * 1e-6;
  return wall_s > 0 ? simulated_ns / wall_s * 86400 : 0.0;
}

double Summary::us_per_atom_step() const {
  const double atom_steps = static_cast<double>(last_step - first_step) * static_cast<double>(atoms);
  return atom_steps > 0 ? wall_s * 1e6 / atom_steps : 0.0;
}

Json to_json(const Summary& s) {
  const auto mean = [](const RunningMean& m) { return Json{{"mean", m.mean}, {"std", m.deviation()}}; };
  const Averages& a = s.averages;
  return {{"formula", s.formula},
          {"atoms", s.atoms},
          {"steps", s.last_step},
          {"first_step", s.first_step},
          {"time_ps", s.time_ps},
          {"thermo_rows", a.temperature_K.n},
          {"temperature_K", mean(a.temperature_K)},
          {"potential_energy_eV", mean(a.potential_eV)},
          {"pressure_bar", mean(a.pressure_bar)},
          {"volume_A3", mean(a.volume_A3)},
          {"conserved_drift_eV_per_atom_per_ps", a.drift_eV_per_ps() / static_cast<double>(s.atoms)},
          {"wall_s", s.wall_s},
          {"ns_per_day", s.ns_per_day()},
          {"us_per_atom_step", s.us_per_atom_step()}};
}

namespace {

namespace fs = std::filesystem;

/// Identifies the starting structure, velocities included where they are used.
std::string hash_of(const Frame& frame, bool with_velocities) {
  std::string bytes;
  const auto add = [&bytes](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
  };
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) bytes += frame.element(i) + ' ';
  for (const Vec3& r : frame.positions) add(r.data(), sizeof(double) * 3);
  for (const Int3& n : frame.images) add(n.data(), sizeof(int) * 3);
  if (frame.cell) add(frame.cell->matrix().data(), sizeof(double) * 9);
  if (with_velocities) {
    for (const Vec3& v : frame.velocities) add(v.data(), sizeof(double) * 3);
  }
  return sha256(bytes);
}

constexpr const char* log_header =
    "# step time_ps target_K T_K E_pot_eV E_kin_eV conserved_eV pressure_bar volume_A3 a_A b_A c_A alpha_deg "
    "beta_deg gamma_deg pxx_bar pyy_bar pzz_bar pyz_bar pxz_bar pxy_bar\n";

double angle_deg(const Vec3& a, const Vec3& b) {
  return std::atan2(a.cross(b).norm(), a.dot(b)) * 180.0 / constants::pi;
}

std::string log_row(const Thermo& t, const Cell& cell) {
  const Vec3 a = cell.vector(0);
  const Vec3 b = cell.vector(1);
  const Vec3 c = cell.vector(2);
  std::string row = fmt::format("{} {:.6f} {:.3f} {:.4f} {:.8f} {:.8f} {:.8f} {:.4f} {:.6f}", t.step,
                                t.time_fs * 1e-3, t.target_K, t.temperature_K, t.potential_eV, t.kinetic_eV,
                                t.conserved_eV, t.mean_pressure_bar(), t.volume_A3);
  row += fmt::format(" {:.7f} {:.7f} {:.7f} {:.5f} {:.5f} {:.5f}", a.norm(), b.norm(), c.norm(),
                     angle_deg(b, c), angle_deg(a, c), angle_deg(a, b));
  const Mat3& p = t.pressure_bar;
  row += fmt::format(" {:.4f} {:.4f} {:.4f} {:.4f} {:.4f} {:.4f}\n", p(0, 0), p(1, 1), p(2, 2), p(1, 2),
                     p(0, 2), p(0, 1));
  return row;
}

/// Log and trajectories, and how much of them belongs to a restart file.
class Files {
 public:
  Files(const Outputs& outputs, const Settings& settings)
      : outputs_(outputs), equilibration_(settings.equilibration_steps) {}

  /// Empties or makes all files.
  void create() {
    if (!outputs_.log.empty()) {
      log_.emplace(io::OutputFile::create(outputs_.log));
      log_->buffer() += log_header;
    }
    for (const TrajectoryOutput& t : outputs_.trajectories)
      trajectories_.push_back(io::FrameWriter::create(t.file));
  }

  /// Cuts all files back to where the restart file was written.
  void go_on(const std::vector<std::uint64_t>& offsets) {
    std::size_t next = 0;
    if (!outputs_.log.empty()) log_.emplace(io::OutputFile::append(outputs_.log, offsets.at(next++)));
    for (const TrajectoryOutput& t : outputs_.trajectories)
      trajectories_.push_back(io::FrameWriter::append(t.file, offsets.at(next++)));
  }

  void write(const Simulation& simulation, const Thermo* thermo) {
    const std::int64_t step = simulation.state().step;
    if (thermo != nullptr && log_) {
      log_->buffer() += log_row(*thermo, *simulation.state().frame.cell);
      log_->flush();
    }
    std::optional<Frame> frame;
    for (std::size_t i = 0; i < trajectories_.size(); ++i) {
      const TrajectoryOutput& t = outputs_.trajectories[i];
      if (step < equilibration_ || (step - equilibration_) % t.every != 0) continue;
      if (!frame) frame = simulation.frame();
      Frame shown = *frame;
      if (!t.velocities) shown.velocities.clear();
      if (!t.forces) shown.labels.forces_eV_per_A.clear();
      const double time_fs = static_cast<double>(step) * simulation.settings().timestep_fs;
      shown.info["step"] = fmt::format("{}", step);
      shown.info["time_fs"] = fmt::format("{}", time_fs);
      trajectories_[i].write(shown);
    }
  }

  /// Everything so far is on disk; the sizes for the restart file.
  std::vector<std::uint64_t> flush() {
    std::vector<std::uint64_t> offsets;
    if (log_) {
      log_->flush(true);
      offsets.push_back(log_->offset());
    }
    for (io::FrameWriter& t : trajectories_) {
      t.flush(true);
      offsets.push_back(t.offset());
    }
    return offsets;
  }

 private:
  const Outputs& outputs_;
  std::int64_t equilibration_;
  std::optional<io::OutputFile> log_;
  std::vector<io::FrameWriter> trajectories_;
};

void require_same(const fs::path& path, const char* what, const std::string& then, const std::string& now) {
  if (then == now) return;
  throw InputError(
      "{}: this restart file was written with other {}; put the input back, name another `restart` file, or "
      "start "
      "again with --fresh\n  then: {}\n  now:  {}",
      path.string(), what, then, now);
}

/// The restart file of this run, if there is one to go on from.
std::optional<Restart> find_restart(const Outputs& outputs, const Identity& identity,
                                    const Settings& settings, bool fresh) {
  if (fresh || outputs.restart.empty()) return std::nullopt;
  if (!fs::exists(outputs.restart)) {
    std::vector<fs::path> files{outputs.log};
    for (const TrajectoryOutput& t : outputs.trajectories) files.push_back(t.file);
    for (const fs::path& file : files) {
      if (file.empty() || !fs::exists(file)) continue;
      throw InputError("{}: exists, but there is no restart file {}; remove it, or replace it with --fresh",
                       file.string(), outputs.restart.string());
    }
    return std::nullopt;
  }
  Restart restart = read_restart(outputs.restart);
  require_same(outputs.restart, "settings", restart.identity.settings, identity.settings);
  require_same(outputs.restart, "structure", restart.identity.structure, identity.structure);
  require_same(outputs.restart, "potential", restart.identity.potential, identity.potential);
  if (restart.state.step > settings.total_steps()) {
    throw InputError("{}: is at step {} already, beyond the {} steps asked for", outputs.restart.string(),
                     restart.state.step, settings.total_steps());
  }
  // Before the first step nothing was written that could be kept.
  if (restart.state.step == 0) return std::nullopt;
  return restart;
}

/// One run in progress.
class Run {
 public:
  Run(const Settings& settings, const Outputs& outputs, const Frame& start, Potential& potential,
      const RunOptions& options)
      : settings_(settings),
        outputs_(outputs),
        options_(options),
        identity_{fingerprint(settings, outputs), hash_of(start, !settings.draw_velocities),
                  options.potential_identity},
        files_(outputs_, settings_) {
    if (auto restart = find_restart(outputs, identity_, settings, options.fresh)) {
      averages_ = restart->averages;
      simulation_.emplace(settings_, std::move(restart->state), potential);
      files_.go_on(restart->offsets);
      first_step_ = simulation_->state().step;
    } else {
      simulation_.emplace(settings_, start, potential);
      // The restart file comes first: whoever finds our outputs finds it too.
      save();
      files_.create();
      record();
    }
  }

  Summary finish() {
    const auto begin = std::chrono::steady_clock::now();
    const std::int64_t last = settings_.total_steps();
    {
      std::optional<Progress> progress;
      if (!options_.progress.empty() && first_step_ < last)
        progress.emplace(options_.progress, static_cast<std::size_t>(last),
                         static_cast<std::size_t>(first_step_));
      while (simulation_->state().step < last) {
        simulation_->step();
        record();
        const std::int64_t step = simulation_->state().step;
        if (step % outputs_.restart_every == 0 || step == last) save();
        if (interrupt_requested() && step < last && simulation_->at_exact_point()) {
          save();
          throw Interrupted();
        }
        if (progress) progress->update(static_cast<std::size_t>(step));
      }
    }
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (!outputs_.final_structure.empty()) {
      const Frame frame = simulation_->frame();
      io::write_frames(outputs_.final_structure, std::span(&frame, 1));
    }
    return summary(wall);
  }

 private:
  /// Outputs and observers at the present step.
  void record() {
    const std::int64_t step = simulation_->state().step;
    const std::int64_t production = step - settings_.equilibration_steps;
    std::optional<Thermo> thermo;
    if (step % outputs_.thermo_every == 0) thermo = simulation_->thermo();
    if (thermo && production >= 0) averages_.add(*thermo);
    files_.write(*simulation_, thermo ? &*thermo : nullptr);
    if (production < 0) return;
    for (const Observer& observer : options_.observers) {
      if (production % observer.every == 0) observer.see(*simulation_);
    }
  }

  void save() {
    const auto offsets = files_.flush();
    if (outputs_.restart.empty()) return;
    write_restart(outputs_.restart, {identity_, simulation_->state(), averages_, offsets});
  }

  [[nodiscard]] Summary summary(double wall) const {
    Summary s;
    s.formula = simulation_->state().frame.formula();
    s.atoms = simulation_->state().masses.size();
    s.first_step = first_step_;
    s.last_step = simulation_->state().step;
    s.timestep_fs = settings_.timestep_fs;
    s.time_ps = static_cast<double>(s.last_step) * settings_.timestep_fs * 1e-3;
    s.averages = averages_;
    s.wall_s = wall;
    return s;
  }

  const Settings& settings_;
  const Outputs& outputs_;
  const RunOptions& options_;
  Identity identity_;
  Averages averages_;
  Files files_;
  std::optional<Simulation> simulation_;
  std::int64_t first_step_ = 0;
};

}  // namespace

Summary run(Settings settings, const Outputs& outputs, const Frame& start, Potential& potential,
            const RunOptions& options) {
  settings.check();
  if (outputs.thermo_every < 1 || outputs.restart_every < 1)
    throw InputError("md: thermo_every and restart_every must be 1 or more");
  for (const TrajectoryOutput& t : outputs.trajectories) {
    if (t.every < 1) throw InputError("md: {}: `every` must be 1 or more", t.file.string());
  }
  for (const Observer& o : options.observers) {
    if (o.every < 1) throw InputError("md: an observer's `every` must be 1 or more");
  }
  // A restart file is exact only where the potential's caches are dropped.
  settings.reset_every = std::gcd(settings.reset_every, outputs.restart_every);
  Run one(settings, outputs, start, potential, options);
  return one.finish();
}

}  // namespace solion::md
