// Molecular dynamics of one structure at one temperature, and what the ions did.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/formats.hpp"
#include "solion/study/analysis.hpp"
#include "solion/study/cells.hpp"

namespace solion::study {
namespace {

/// The mean cell of a run, whose shape may change. What it has seen is part of the restart file.
class MeanCell {
 public:
  [[nodiscard]] md::Observer observer() {
    md::Observer o;
    o.every = md::Outputs{}.thermo_every;  // as the mean volume
    o.see = [this](const md::Simulation& now) {
      sum_ += now.cell().matrix();
      ++n_;
    };
    o.identity = "mean cell";
    o.save = [this] {
      std::string text = std::to_string(n_);
      for (int k = 0; k < 9; ++k) text += fmt::format(" {}", sum_(k / 3, k % 3));
      return text;
    };
    o.load = [this](std::string_view text) {
      std::istringstream words{std::string(text)};
      words >> n_;
      for (int k = 0; k < 9; ++k) words >> sum_(k / 3, k % 3);
      if (!words) throw InputError("a restart file without the mean cell of its run");
    };
    return o;
  }
  [[nodiscard]] Cell cell() const { return Cell(Mat3(sum_ / static_cast<double>(n_))); }

 private:
  Mat3 sum_ = Mat3::Zero();
  std::int64_t n_ = 0;
};

/// The frame strained to another cell.
Frame strained_to(Frame frame, const Cell& cell) {
  for (Vec3& r : frame.positions) r = cell.to_cartesian(frame.cell->to_fractional(r));
  frame.cell = cell;
  return frame;
}

/// The frame with its cell and positions scaled to another volume.
Frame scaled_to(Frame frame, double volume_A3) {
  const double factor = std::cbrt(volume_A3 / frame.cell->volume());
  frame.cell = Cell(Mat3(frame.cell->matrix() * factor));
  for (Vec3& r : frame.positions) r *= factor;
  return frame;
}

/// What a point depends on.
Json inputs_of(const Context& context, const Json& model, const Point& point, double production_ps) {
  const MdConfig& m = context.config.md;
  const Content content = content_of(context.config, crystal_of(context.config), point.structure);
  Json inputs{{"model", model["hash"]},
              {"structure", point.structure},
              {"temperature_K", point.temperature_K},
              {"production_ps", production_ps},
              {"timestep_fs", m.timestep_fs},
              {"supercell", repeats_of(m, point.structure)},
              {"count", content.count},
              {"placement", m.placement},
              {"npt_ps", m.npt_ps},
              {"equilibration_ps", m.equilibration_ps},
              {"pressure_bar", m.pressure_bar},
              {"crystal", crystal_key(context.config, {point.structure})},
              {"precision", m.precision},
              {"frame_interval_fs", m.frame_interval_fs},
              {"seed", context.config.seed},
              {"transport", transport_key(context.config)}};
  add_barostat(context.config, inputs);
  return inputs;
}

/// What NPT finds.
struct Expanded {
  Frame frame;  ///< in the mean cell
  double volume_A3 = 0;
  bool other_shape = false;  ///< all of the cell was free, not its size alone
};

/// NPT for the cell of this temperature.
Expanded expand(const Config& config, const Point& point, const Engine& engine, const Json& model,
                const std::filesystem::path& folder) {
  const MdConfig& m = config.md;
  md::Outputs files;
  files.log = folder / "npt.log";
  files.restart = folder / "npt.restart";
  files.final_structure = folder / "npt.extxyz";
  md::RunOptions options;
  options.potential_identity = model["hash"];
  options.mover = engine.mover;
  const md::Settings settings =
      settings_at(config, point.temperature_K, md::Ensemble::npt, m.npt_ps / 2, m.npt_ps / 2);
  MeanCell mean;
  Expanded result;
  result.other_shape = settings.barostat == md::Barostat::full;
  if (result.other_shape) options.observers.push_back(mean.observer());
  const auto npt = md::run(settings, files, build_cell(config, point.structure), engine.potential, options);
  result.volume_A3 = npt.averages.volume_A3.mean;
  io::ReadOptions as_it_is;  // an exploded run is for the engine to say
  as_it_is.closest_A = 0;
  as_it_is.accept_any_density = true;
  const Frame last = io::read_frame(files.final_structure, as_it_is);
  result.frame = result.other_shape ? strained_to(last, mean.cell()) : scaled_to(last, result.volume_A3);
  return result;
}

/// Whether the files are those of a run that was longer: this one is its beginning, step by step.
bool went_beyond(const std::filesystem::path& restart, const md::Settings& settings) {
  return std::filesystem::exists(restart) && md::read_restart(restart).state.step > settings.total_steps();
}

/// The averages over the production part of the log up to the last step of these settings.
md::Averages averages_in(const std::filesystem::path& log, const md::Settings& settings) {
  md::Averages averages;
  std::istringstream lines(read_file(log));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream row(line);
    md::Thermo t;
    double time_ps = 0, pressure_bar = 0;
    row >> t.step >> time_ps >> t.target_K >> t.temperature_K >> t.potential_eV >> t.kinetic_eV >>
        t.conserved_eV >> pressure_bar >> t.volume_A3;
    if (!row || t.step < settings.equilibration_steps || t.step > settings.total_steps()) continue;
    t.time_fs = 1000 * time_ps;
    t.pressure_bar = pressure_bar * Mat3::Identity();
    averages.add(t);
  }
  return averages;
}

/// What NPT and NVT left.
struct Moved {
  Expanded start;
  md::Averages averages;
  md::TrajectoryOutput trajectory;
};

/// NPT for the cell, NVT for the motion; both go on from their restart files.
Moved run_md(const Context& context, const Point& point, double production_ps, const Engine& engine,
             const Json& model, const std::function<void()>& tick) {
  const MdConfig& m = context.config.md;
  const std::filesystem::path folder = md_folder(context, model, point);
  Moved moved;
  moved.start = expand(context.config, point, engine, model, folder);

  md::Outputs nvt_files;
  nvt_files.log = folder / "nvt.log";
  nvt_files.restart = folder / "nvt.restart";
  md::TrajectoryOutput& trajectory = moved.trajectory;
  trajectory.file = folder / "trajectory.extxyz";
  trajectory.every = steps_of(m.frame_interval_fs / 1000, m.timestep_fs);
  nvt_files.trajectories = {trajectory};
  md::Settings nvt_settings =
      settings_at(context.config, point.temperature_K, md::Ensemble::nvt, m.equilibration_ps, production_ps);
  nvt_settings.draw_velocities = false;
  md::RunOptions options;
  options.potential_identity = model["hash"];
  options.mover = engine.mover;
  options.observers.push_back({trajectory.every, [&](const md::Simulation&) { tick(); }});
  if (went_beyond(nvt_files.restart, nvt_settings)) {
    moved.averages = averages_in(nvt_files.log, nvt_settings);
    for (std::size_t k = 0; k < frames_of(m, production_ps); ++k) tick();
  } else {
    moved.averages = md::run(nvt_settings, nvt_files, moved.start.frame, engine.potential, options).averages;
  }
  return moved;
}

/// What the ions did.
Json look_at(const Context& context, const Point& point, double production_ps, const Moved& moved) {
  const MdConfig& m = context.config.md;
  const auto& [start, averages, trajectory] = moved;
  const auto repeats = repeats_of(m, point.structure);
  const double cells = static_cast<double>(repeats[0]) * repeats[1] * repeats[2];
  const auto atoms = static_cast<double>(start.frame.n_atoms());
  Json result =
      analyse(context.config, trajectory.file, static_cast<double>(trajectory.every) * m.timestep_fs, point,
              frames_of(m, production_ps));
  result["formula"] = start.frame.formula();
  result["atoms"] = start.frame.n_atoms();
  result["production_ps"] = production_ps;
  result["lattice_A"] = std::cbrt(start.volume_A3 / cells);
  if (start.other_shape) result["cell_matrix_A"] = matrix_json(start.frame.cell->matrix());
  result["mean_temperature_K"] = averages.temperature_K.mean;
  result["mean_pressure_bar"] = averages.pressure_bar.mean;
  result["drift_meV_per_atom_per_ps"] = averages.drift_eV_per_ps() * 1000 / atoms;
  return result;
}

}  // namespace

std::string Point::name() const { return fmt::format("{}_{:g}K", structure, temperature_K); }

bool simulated(const Context& context, const Json& model, const Point& point, double production_ps) {
  const auto known =
      context.ledger.find(learn::Ledger::key_of("md", inputs_of(context, model, point, production_ps)));
  return known && known->outcome == "done";
}

std::filesystem::path md_folder(const Context& context, const Json& model, const Point& point) {
  Json inputs = inputs_of(context, model, point, 0);
  inputs.erase("production_ps");  // a longer run goes on, a shorter one is its beginning
  inputs.erase("transport");      // only looks
  return context.folder("md/" + point.name(), inputs);
}

void move_atoms(const Context& context, const Json& model, const Point& point, double production_ps,
                const Engine& engine, const std::function<void()>& tick) {
  (void)run_md(context, point, production_ps, engine, model, tick);
}

Json simulate(const Context& context, const Json& model, const Point& point, double production_ps,
              const Engine& engine, const std::function<void()>& tick) {
  return context.once("md", point.name(), inputs_of(context, model, point, production_ps), [&] {
    return look_at(context, point, production_ps, run_md(context, point, production_ps, engine, model, tick));
  });
}

}  // namespace solion::study
