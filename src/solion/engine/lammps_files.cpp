// LAMMPS's language: commands for every ensemble, and the columns of its log.
#include "solion/engine/lammps_files.hpp"

#include <fstream>
#include <iterator>
#include <numeric>
#include <sstream>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/lammps_cell.hpp"
#include "solion/structure/elements.hpp"

namespace solion::engine {
namespace {

namespace fs = std::filesystem;
constexpr double fs_in_ps = 1e-3;
constexpr double mass_factor =
    constants::amu_A2_per_fs2_in_eV * io::A_per_ps_in_A_per_fs * io::A_per_ps_in_A_per_fs / metal::mv2_in_eV;
constexpr double temperature_factor = constants::boltzmann_eV_per_K / metal::boltzmann;
constexpr double bar_per_eV_A3 = constants::eV_per_A3_in_GPa / constants::bar_in_GPa;
constexpr double pressure_factor = metal::bar_per_eV_A3 / bar_per_eV_A3;

/// Every step that log, trajectories or restart file show is a multiple of this on LAMMPS's clock.
std::int64_t row_interval(const md::Input& input, std::int64_t offset) {
  std::int64_t every = std::gcd(input.outputs.thermo_every, offset);
  for (const auto& t : input.outputs.trajectories) every = std::gcd(every, t.every);
  return every;
}

/// The fix that moves the atoms during `piece`.
std::string mover(const md::Settings& s, md::Thermostat thermostat, double from_K, double to_K) {
  if (thermostat == md::Thermostat::none) return "fix move all nve\n";
  std::string text = fmt::format("fix move all {} temp {} {} {} tchain {}",
                                 s.ensemble == md::Ensemble::npt ? "npt" : "nvt", from_K * temperature_factor,
                                 to_K * temperature_factor, s.thermostat_time_fs * fs_in_ps, s.chain_length);
  if (s.ensemble == md::Ensemble::npt) {
    const double p = s.pressure_bar * pressure_factor;
    text += fmt::format(" {} {} {} {} pchain {} fixedpoint 0 0 0 flip no",
                        s.barostat == md::Barostat::full ? "tri" : "iso", p, p, s.barostat_time_fs * fs_in_ps,
                        s.chain_length);
  }
  return text + "\n";
}

/// `fix` and `run` for every stage, or what is left of it.
std::string stages(const md::Settings& s, const Clock& clock) {
  std::string text;
  std::int64_t first = 0;
  const auto add = [&](const md::Stage& stage) {
    const std::int64_t begin = std::max(first, clock.begin);
    const std::int64_t end = std::min(first + stage.steps, clock.end);
    // Where one stage ends and the next begins, the target may step: each has its own line.
    const auto target_K = [&](std::int64_t step) {
      const double f = static_cast<double>(step - first) / static_cast<double>(stage.steps);
      return stage.temperature_K + f * (stage.temperature_end_K - stage.temperature_K);
    };
    if (begin < end) {
      text += mover(s, s.thermostat_at(begin + 1), target_K(begin), target_K(end));
      text += fmt::format("run {}\n", end - begin);
    }
    first += stage.steps;
  };
  const double start_K = s.stages.front().temperature_K;
  add({s.equilibration_steps, start_K, start_K});
  for (const md::Stage& stage : s.stages) add(stage);
  return text;
}

}  // namespace

std::string trajectory_dump(std::size_t trajectory) {
  return fmt::format("trajectory{}.dump", trajectory + 1);
}

std::string lammps_input(const md::Input& input, const TypeMap& types, const Clock& clock,
                         const std::string& kim_name) {
  const md::Settings& s = input.settings;
  std::string text = fmt::format(
      "# Written by solion md --engine lammps. Masses, temperatures and pressures are scaled by the ratios "
      "of the\n"
      "# CODATA 2018 constants to LAMMPS's (1 - {:.2g}, 1 + {:.2g}, 1 - {:.2g}).\n"
      "kim init {} metal\nboundary p p p\nbox tilt large\nread_data {}\nkim interactions {}\n",
      1 - mass_factor, temperature_factor - 1, 1 - pressure_factor, kim_name, data_file,
      fmt::join(types.names(), " "));
  // A cell that starts with right angles may leave them.
  if (s.barostat == md::Barostat::full) text += "change_box all triclinic\n";
  for (int t = 0; t < types.size(); ++t)
    text += fmt::format("mass {} {}\n", t + 1, atomic_mass_amu(types.name(t)) * mass_factor);
  text += fmt::format(
      "neighbor 1.0 bin\nneigh_modify delay 0 every 1 check yes\ntimestep {}\nreset_timestep {}\n"
      "compute virial all pressure NULL virial\n"
      "thermo_style custom step pe ke econserve "
      "c_thermo_temp[1] c_thermo_temp[2] c_thermo_temp[3] c_thermo_temp[4] c_thermo_temp[5] c_thermo_temp[6] "
      "c_virial[1] c_virial[2] c_virial[3] c_virial[4] c_virial[5] c_virial[6] lx ly lz xy xz yz vol\n"
      "thermo_modify norm no lost error format float %.17g flush yes\nthermo {}\n",
      s.timestep_fs * fs_in_ps, clock.begin - clock.offset, row_interval(input, clock.offset));
  const char* columns = "id type x y z ix iy iz vx vy vz fx fy fz";
  if (clock.begin >= s.equilibration_steps && clock.end > s.equilibration_steps) {
    for (std::size_t i = 0; i < input.outputs.trajectories.size(); ++i) {
      text += fmt::format(
          "dump t{0} all custom {1} {2} {3}\ndump_modify t{0} sort id format float %.17g flush yes\n", i + 1,
          input.outputs.trajectories[i].every, trajectory_dump(i), columns);
    }
  }
  text += fmt::format("restart {} {} {}\n", input.outputs.restart_every, restart_files[0], restart_files[1]);
  text += stages(s, clock);
  text += fmt::format("write_dump all custom {} {} modify sort id format float %.17g\n", final_dump, columns);
  return text;
}

std::map<std::int64_t, Row> read_log(const fs::path& file) {
  std::map<std::int64_t, Row> rows;
  std::ifstream stream(file);
  std::string line;
  bool table = false;
  double lost_eV = 0;  // with the fixes of the stages before
  while (std::getline(stream, line)) {
    // A line without its end may lack digits.
    if (stream.eof()) break;
    std::istringstream words(line);
    const std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
    if (word.empty()) continue;
    if (word[0] == "Step") table = true;
    if (word[0] == "Loop") table = false;
    if (!table || word[0] == "Step") continue;
    std::vector<double> v;
    try {
      for (const std::string& w : word) v.push_back(std::stod(w));
    } catch (const std::exception&) {
      continue;  // a warning between the rows
    }
    if (v.size() != 23) continue;
    Row row;
    row.potential_eV = v[1];
    row.kinetic_eV = v[2];
    row.conserved_eV = v[3];
    const auto symmetric = [&](std::size_t k) {
      Mat3 m;
      m << v[k], v[k + 3], v[k + 4], v[k + 3], v[k + 1], v[k + 5], v[k + 4], v[k + 5], v[k + 2];
      return m;
    };
    row.kinetic = symmetric(4);
    row.virial = symmetric(10) * (v[22] / metal::bar_per_eV_A3);
    row.cell << v[16], 0, 0, v[19], v[17], 0, v[20], v[21], v[18];
    // A step that is shown again begins a stage, whose fix counts from its own beginning.
    const auto [at, fresh] = rows.try_emplace(static_cast<std::int64_t>(v[0]), row);
    if (!fresh) lost_eV = at->second.conserved_eV - row.conserved_eV;
    row.conserved_eV += lost_eV;
    at->second = row;
  }
  return rows;
}

Orientation::Orientation(const Frame& start) {
  const Mat3& h = start.cell->matrix();
  const Mat3 turned = io::to_lammps_orientation(start).cell->matrix();
  same_ = turned == h;
  if (!same_) back_ = turned.inverse() * h;
}

void Orientation::turn(Frame& frame, const Frame& start) const {
  frame.type_map = start.type_map;
  frame.types = start.types;
  if (same_) return;
  frame.cell = Cell(cell(frame.cell->matrix()));
  for (auto* list : {&frame.positions, &frame.velocities, &frame.labels.forces_eV_per_A}) {
    for (Vec3& v : *list) v = back_.transpose() * v;
  }
}

}  // namespace solion::engine
