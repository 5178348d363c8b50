// The same band in LAMMPS (fix neb on partitions): barrier of the Li vacancy hop with the reference model.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/potential/buckingham.hpp"
#include "solion/relax/minimize.hpp"
#include "solion/relax/neb.hpp"
#include "solion/relax/path.hpp"
#include "support/li3ocl.hpp"
#include "support/temp_folder.hpp"

namespace solion::relax {
namespace {

std::string lammps_data(const Frame& frame, const BuckinghamModel& model) {
  const double a = frame.cell->matrix()(0, 0);
  std::string text = fmt::format(
      "test\n\n{} atoms\n{} atom types\n0 {:.17g} xlo xhi\n0 {:.17g} ylo yhi\n0 {:.17g} zlo zhi\n\nAtoms # "
      "charge\n\n",
      frame.n_atoms(), model.type_map.size(), a, a, a);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const int type = model.type_map.find(frame.element(i));
    const Vec3& r = frame.positions[i];
    text += fmt::format("{} {} {} {:.17g} {:.17g} {:.17g}\n", i + 1, type + 1,
                        model.charges[static_cast<std::size_t>(type)], r[0], r[1], r[2]);
  }
  return text;
}

TEST(NebLammps, GivesTheSameBarrier) {
  const std::string launch = "mpirun --allow-run-as-root --oversubscribe -np 5 lmp -partition 5x1";
  const solion::testing::TempFolder folder;
  write_file(folder / "probe", "print ok\n");
  if (std::system(
          fmt::format("cd '{}' && {} -in probe > /dev/null 2>&1", folder.path().string(), launch).c_str()) !=
      0)
    GTEST_SKIP() << "needs mpirun and lmp with partitions";
  TomlTable table = TomlTable::read(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml");
  BuckinghamModel model = BuckinghamModel::from_toml(table);
  model.background = true;
  Buckingham potential(model);
  const Frame crystal = repeat(solion::testing::li3ocl_cell(3.9085), {3, 3, 3});
  const Frame start = solion::testing::without(crystal, {0});
  Frame hopped = start;
  hopped.positions[0] = crystal.positions[0];
  const RelaxOptions tight{.force_eV_per_A = 1e-3};
  const Frame a = minimize(potential, start, tight).frame, b = minimize(potential, hopped, tight).frame;
  BandOptions options;
  options.force_eV_per_A = 5e-3;
  const NebResult ours = nudged_elastic_band(potential, idpp_path(a, b, 3), options);
  ASSERT_TRUE(ours.band.converged && ours.climbed);

  write_file(folder / "data", lammps_data(a, model));
  std::string last = fmt::format("{}\n", b.n_atoms());
  for (std::size_t i = 0; i < b.n_atoms(); ++i)
    last += fmt::format("{} {:.17g} {:.17g} {:.17g}\n", i + 1, b.positions[i][0], b.positions[i][1],
                        b.positions[i][2]);
  write_file(folder / "final", last);
  std::string input =
      "units metal\natom_style charge\natom_modify map array sort 0 0\nread_data data\nmass * 10\n"
      "pair_style buck/coul/long 12 12\n";
  for (int i = 0; i < model.type_map.size(); ++i) {
    for (int j = i; j < model.type_map.size(); ++j) {
      const BuckinghamPair& pair = model.pair(i, j);
      input += fmt::format("pair_coeff {} {} {} {} {}\n", i + 1, j + 1, pair.a_eV, pair.rho_A, pair.c_eV_A6);
    }
  }
  input +=
      "kspace_style ewald 1e-8\nfix band all neb 5.0\nmin_style fire\ntimestep 0.002\n"
      "neb 0.0 0.01 1000 1000 50 final final\n";
  write_file(folder / "in", input);
  const std::string command = fmt::format("cd '{}' && OMP_NUM_THREADS=1 timeout 120 {} -in in > out 2>&1",
                                          folder.path().string(), launch);
  ASSERT_EQ(std::system(command.c_str()), 0) << read_file(folder / "out");
  // Columns: step, two forces, three gradients, barrier forward and backward, …
  std::ifstream log(folder / "log.lammps");
  std::vector<double> row;
  for (std::string line; std::getline(log, line);) {
    std::istringstream words(line);
    std::vector<double> numbers;
    for (double x = 0; words >> x;) numbers.push_back(x);
    if (numbers.size() > 9) row = numbers;
  }
  ASSERT_GT(row.size(), 9U) << read_file(folder / "out");
  std::printf("barrier %.5f eV, LAMMPS %.5f eV forward %.5f eV backward\n", ours.forward_eV, row[6], row[7]);
  // Both bands are at rest to 0.01 eV/Å: over 0.6 eV/Å², the softest curvature, that is 0.1 meV.
  EXPECT_NEAR(ours.forward_eV, row[6], 5e-4);
  EXPECT_NEAR(ours.backward_eV, row[7], 5e-4);
}

}  // namespace
}  // namespace solion::relax
