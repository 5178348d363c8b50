// The loop of a run and its files.
#include "solion/md/run.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"
#include "solion/md/run_files.hpp"

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
  // What no row tells is null: 0 K would be read as a temperature.
  const auto told = [](double x, bool yes) { return yes ? Json(x) : Json(); };
  const auto mean = [&](const RunningMean& m) {
    return Json{{"mean", told(m.mean, m.n > 0)}, {"std", told(m.deviation(), m.n > 1)}};
  };
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
          {"conserved_drift_eV_per_atom_per_ps",
           told(a.drift_eV_per_ps() / static_cast<double>(s.atoms), a.time_ps.n > 1)},
          {"wall_s", s.wall_s},
          {"ns_per_day", s.ns_per_day()},
          {"us_per_atom_step", s.us_per_atom_step()}};
}

namespace {

/// All observers with a state, in their order.
std::string identity_of(const std::vector<Observer>& observers) {
  std::string all;
  for (const Observer& observer : observers) {
    if (!observer.identity.empty()) all += (all.empty() ? "" : "; ") + observer.identity;
  }
  return all;
}

/// One run in progress.
class Run {
 public:
  Run(const Settings& settings, const Outputs& outputs, const Frame& start, Potential& potential,
      const RunOptions& options)
      : settings_(settings),
        outputs_(outputs),
        options_(options),
        identity_(identity_of(settings, outputs, start, options.potential_identity,
                              identity_of(options.observers))),
        files_(outputs_, settings_) {
    files_.claim();
    if (auto restart = find_restart(outputs, identity_, settings, options.fresh)) {
      averages_ = restart->averages;
      load(restart->observers);
      simulation_ = begin(std::move(restart->state), potential);
      files_.go_on(restart->offsets);
      first_step_ = simulation_->steps_done();
    } else {
      simulation_ = options.mover ? options.mover(settings_, initial_state(settings_, start))
                                  : std::make_unique<Simulation>(settings_, start, potential);
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
      while (simulation_->steps_done() < last) {
        const bool slow = timed_steps();
        record();
        const std::int64_t step = simulation_->steps_done();
        if (slow || step % outputs_.restart_every == 0 || step == last) save();
        if (interrupt_requested() && step < last && (slow || simulation_->at_exact_point())) {
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
  std::unique_ptr<Simulation> begin(State state, Potential& potential) const {
    if (options_.mover) return options_.mover(settings_, std::move(state));
    return std::make_unique<Simulation>(settings_, std::move(state), potential);
  }

  /// The next step, or on a device all up to the next that anyone looks at. True if one took so long (DFT)
  /// that none is worth losing: a restart file is then written after each, which costs little beside it, and
  /// Ctrl-C is not waited with for an exact point.
  bool timed_steps() {
    constexpr std::chrono::seconds slow(1);
    const std::int64_t step = simulation_->steps_done();
    const std::int64_t n =
        options_.mover ? std::min(stride_ - step % stride_, settings_.total_steps() - step) : 1;
    const auto begin = std::chrono::steady_clock::now();
    simulation_->advance(n);
    return std::chrono::steady_clock::now() - begin > n * slow;
  }

  /// Everything that happens does so at multiples of this.
  [[nodiscard]] std::int64_t stride() const {
    std::int64_t all = std::gcd(settings_.reset_every, outputs_.thermo_every);
    all = std::gcd(all, outputs_.restart_every);
    all = std::gcd(all, settings_.equilibration_steps);
    for (const TrajectoryOutput& t : outputs_.trajectories) all = std::gcd(all, t.every);
    for (const Observer& o : options_.observers) {
      all = std::gcd(std::gcd(all, o.every), o.first);
      if (o.last < settings_.total_steps()) all = std::gcd(all, o.last);
    }
    return all;
  }

  /// Outputs and observers at the present step.
  void record() {
    const std::int64_t step = simulation_->steps_done();
    const std::int64_t production = step - settings_.equilibration_steps;
    std::optional<Thermo> thermo;
    if (step % outputs_.thermo_every == 0) thermo = simulation_->thermo();
    if (thermo && production >= 0) averages_.add(*thermo);
    if (thermo) files_.write_row(*thermo, simulation_->cell());
    if (files_.wants_frame(step)) files_.write_frame(simulation_->frame(), step);
    if (production < 0) return;
    for (const Observer& observer : options_.observers) {
      if (observer.sees(production)) observer.see(*simulation_);
    }
  }

  void save() {
    const auto offsets = files_.flush();
    if (outputs_.restart.empty()) return;
    std::vector<std::string> states;
    for (const Observer& observer : options_.observers) {
      if (!observer.identity.empty()) states.push_back(observer.save());
    }
    write_restart(outputs_.restart, {identity_, simulation_->state(), averages_, offsets, std::move(states)});
  }

  /// Gives the observers back what they had seen.
  void load(const std::vector<std::string>& states) {
    std::size_t next = 0;
    for (const Observer& observer : options_.observers) {
      if (observer.identity.empty()) continue;
      if (next == states.size())
        throw InputError("{}: the state of '{}' is missing", outputs_.restart.string(), observer.identity);
      observer.load(states[next++]);
    }
  }

  [[nodiscard]] Summary summary(double wall) const {
    Summary s;
    s.formula = simulation_->state().frame.formula();
    s.atoms = simulation_->state().masses.size();
    s.first_step = first_step_;
    s.last_step = simulation_->steps_done();
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
  RunFiles files_;
  std::unique_ptr<Simulation> simulation_;
  std::int64_t first_step_ = 0;
  std::int64_t stride_ = stride();
};

}  // namespace

Summary run(Settings settings, const Outputs& outputs, const Frame& start, Potential& potential,
            const RunOptions& options) {
  settings.check();
  check_outputs(outputs);
  for (const Observer& o : options.observers) {
    if (o.every < 1) throw InputError("md: an observer's `every` must be 1 or more");
  }
  // A restart file is exact only where the potential's caches are dropped.
  settings.reset_every = std::gcd(settings.reset_every, outputs.restart_every);
  Run one(settings, outputs, start, potential, options);
  return one.finish();
}

}  // namespace solion::md
