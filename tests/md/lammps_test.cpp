// Step-by-step agreement with LAMMPS on the embedded Buckingham reference: NVE, and NVT with a Nosé–Hoover
// chain.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "solion/base/files.hpp"
#include "solion/base/random.hpp"
#include "solion/io/formats.hpp"
#include "solion/md/simulation.hpp"
#include "solion/potential/buckingham.hpp"

namespace solion::md {
namespace {

namespace fs = std::filesystem;

BuckinghamModel reference_model() {
  TomlTable table = TomlTable::read(fs::path(SOLION_SOURCE_DIR) / "examples/li3ocl/buckingham.toml");
  table.text("kind");
  return BuckinghamModel::from_toml(table);
}

/// 2×2×1 unit cells with displaced atoms.
Frame start_frame() {
  Frame frame =
      repeat(io::read_frame(fs::path(SOLION_SOURCE_DIR) / "examples/li3ocl/unit_cell.xyz"), {2, 2, 1});
  RandomStream random(3, "displacements");
  for (Vec3& r : frame.positions) r += 0.05 * Vec3(random.normal(), random.normal(), random.normal());
  return frame;
}

std::string lammps_data(const Frame& frame, const std::vector<double>& masses, const BuckinghamModel& model) {
  std::string text =
      fmt::format("start\n\n{} atoms\n{} atom types\n", frame.n_atoms(), model.type_map.size());
  const char* axis[] = {"x", "y", "z"};
  for (int k = 0; k < 3; ++k)
    text += fmt::format("0 {:.17g} {}lo {}hi\n", frame.cell->matrix()(k, k), axis[k], axis[k]);
  text += "\nMasses\n\n";
  for (int t = 0; t < model.type_map.size(); ++t) {
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      if (frame.element(i) != model.type_map.name(t)) continue;
      text += fmt::format("{} {:.17g}\n", t + 1, masses[i]);
      break;
    }
  }
  text += "\nAtoms # charge\n\n";
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const int t = model.type_map.find(frame.element(i));
    const Vec3& r = frame.positions[i];
    text += fmt::format("{} {} {:.17g} {:.17g} {:.17g} {:.17g}\n", i + 1, t + 1,
                        model.charges[static_cast<std::size_t>(t)], r[0], r[1], r[2]);
  }
  text += "\nVelocities\n\n";
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const Vec3 v = 1000 * frame.velocities[i];  // Å/ps
    text += fmt::format("{} {:.17g} {:.17g} {:.17g}\n", i + 1, v[0], v[1], v[2]);
  }
  return text;
}

std::string lammps_input(const BuckinghamModel& model, double dt_fs, int steps, const std::string& fix) {
  std::string text =
      "units metal\natom_style charge\nboundary p p p\nread_data start.data\n"
      "pair_style buck/coul/long " +
      fmt::format("{}\n", model.cutoff_A);
  for (int a = 0; a < model.type_map.size(); ++a) {
    for (int b = a; b < model.type_map.size(); ++b) {
      const BuckinghamPair& p = model.pair(a, b);
      text +=
          fmt::format("pair_coeff {} {} {:.17g} {:.17g} {:.17g}\n", a + 1, b + 1, p.a_eV, p.rho_A, p.c_eV_A6);
    }
  }
  text += "kspace_style ewald 1.0e-10\nneighbor 0.5 bin\n" + fix;
  text += fmt::format(
      "timestep {:.17g}\nthermo 1\nthermo_style custom step temp pe\nthermo_modify format float %.15g\n"
      "dump d all custom 1 dump.txt id xu yu zu vx vy vz\ndump_modify d sort id format float %.15g\nrun {}\n",
      dt_fs * 1e-3, steps);
  return text;
}

/// Unwrapped positions of every step, by LAMMPS.
std::vector<std::vector<Vec3>> lammps_positions(const fs::path& dump, std::size_t n) {
  std::vector<std::vector<Vec3>> steps;
  std::ifstream in(dump);
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind("ITEM: ATOMS", 0) != 0) continue;
    std::vector<Vec3> positions(n);
    for (Vec3& r : positions) {
      std::getline(in, line);
      std::istringstream fields(line);
      int id = 0;
      fields >> id >> r[0] >> r[1] >> r[2];
    }
    steps.push_back(positions);
  }
  return steps;
}

/// Largest distance between the two programs' atoms at any step, Å.
double compare(const Settings& settings, int steps, const std::string& fix, const char* name) {
  const BuckinghamModel model = reference_model();
  Buckingham potential(model);
  Simulation ours(settings, start_frame(), potential);
  const fs::path folder = fs::temp_directory_path() / fmt::format("solion-md-lammps-{}-{}", ::getpid(), name);
  fs::create_directories(folder);
  write_file(folder / "start.data", lammps_data(ours.state().frame, ours.state().masses, model));
  write_file(folder / "in.lmp", lammps_input(model, settings.timestep_fs, steps, fix));
  const std::string command =
      fmt::format("cd '{}' && OMP_NUM_THREADS=1 lmp -in in.lmp > out.txt 2>&1", folder.string());
  EXPECT_EQ(std::system(command.c_str()), 0) << read_file(folder / "out.txt");
  const auto theirs = lammps_positions(folder / "dump.txt", ours.state().masses.size());
  EXPECT_EQ(theirs.size(), static_cast<std::size_t>(steps) + 1);
  double largest = 0;
  double moved = 0;
  const auto start = ours.state().frame.positions;
  for (std::size_t s = 0; s < theirs.size(); ++s) {
    if (s > 0) ours.step();
    for (std::size_t i = 0; i < theirs[s].size(); ++i) {
      largest = std::max(largest, (theirs[s][i] - ours.state().frame.positions[i]).norm());
      moved = std::max(moved, (ours.state().frame.positions[i] - start[i]).norm());
    }
  }
  EXPECT_GT(moved, 0.1);
  fs::remove_all(folder);
  return largest;
}

bool have_lammps() { return std::system("command -v lmp > /dev/null 2>&1") == 0; }

Settings hot() {
  Settings s;
  s.stages = {{100, 900, 900}};
  s.seed = 17;
  return s;
}

TEST(Lammps, NveTrajectoryIsTheSameStepByStep) {
  if (!have_lammps()) GTEST_SKIP() << "needs the program lmp (LAMMPS)";
  Settings s = hot();
  s.timestep_fs = 1;
  const double largest = compare(s, 40, "fix f all nve\n", "nve");
  // LAMMPS's erfc is a polynomial with an error of 1.5e-7, so that its Coulomb forces are off by some 1e-6
  // eV/Å: ½·(1e-6 eV/Å / 6.94 amu)·(40 fs)² = 1.1e-6 Å for a lithium atom. (Its amu·Å²/ps² in eV, good to
  // 6e-8, does less.)
  EXPECT_LT(largest, 1.1e-6);
  RecordProperty("largest_A", fmt::format("{:.3g}", largest));
}

TEST(Lammps, NoseHooverChainTrajectoryIsTheSame) {
  if (!have_lammps()) GTEST_SKIP() << "needs the program lmp (LAMMPS)";
  Settings s = hot();
  s.ensemble = Ensemble::nvt;
  s.thermostat = Thermostat::nose_hoover;
  s.thermostat_time_fs = 50;
  s.timestep_fs = 1;
  const double largest = compare(s, 40, "fix f all nvt temp 900 900 0.05 tchain 3\n", "nvt");
  // LAMMPS moves the chain in one piece, we in three (Suzuki–Yoshida): they differ in third order of dt/τ =
  // 0.02, times the ~0.3 Å of the path.
  EXPECT_LT(largest, 3e-6);
  RecordProperty("largest_A", fmt::format("{:.3g}", largest));
}

}  // namespace
}  // namespace solion::md
