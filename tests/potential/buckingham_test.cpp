// Rigid ions: reference numbers, derivatives, symmetries, Madelung constants, accuracy, errors.
#include "solion/potential/buckingham.hpp"

#include <gmock/gmock.h>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "support/li3ocl.hpp"
#include "support/potential_checks.hpp"
#include "support/temp_folder.hpp"

namespace solion {
namespace {

using ::testing::HasSubstr;
using testing::hot_cell;
using testing::li3ocl_buckingham;
using testing::li3ocl_cell;
using testing::without;

double pressure_bar(const Evaluation& result, const Frame& frame) {
  return result.virial.trace() / (3 * frame.cell->volume()) * constants::eV_per_A3_in_GPa /
         constants::bar_in_GPa;
}

Frame displaced_reference_cell() {
  Frame frame;
  frame.cell = Cell::cubic(3.91);
  frame.add_atom("Li", Vec3(2.055, 1.905, 0.020));
  frame.add_atom("Li", Vec3(1.925, 0.070, 1.995));
  frame.add_atom("Li", Vec3(0.060, 1.965, 1.875));
  frame.add_atom("O", Vec3(1.975, 1.985, 1.945));
  frame.add_atom("Cl", Vec3(-0.040, 0.020, 0.050));
  return frame;
}

// The numbers of ../shared/reference/li3ocl-buckingham.md come from LAMMPS with its default table of the
// real-space Coulomb part (2^12 entries), which is off by 1.5e-5 eV and 0.5 bar here: with 2^20 entries
// LAMMPS gives −38.937199 eV and −799.98 bar, as solion does. lammps_test.cpp compares with such a table to
// 1e-8.
constexpr double table_error_eV = 3e-5;
constexpr double table_error_eV_per_A = 1e-6;
constexpr double table_error_bar = 1.0;

TEST(Buckingham, ReproducesTheReferenceCrystal) {
  const auto potential = li3ocl_buckingham();
  const Frame cell = li3ocl_cell();
  const Evaluation result = potential->evaluate(cell);
  EXPECT_NEAR(result.energy, -38.9372147214, table_error_eV);
  EXPECT_NEAR(pressure_bar(result, cell), -800.52, table_error_bar);
  for (const Vec3& f : result.forces) EXPECT_LT(f.norm(), 1e-9);
  EXPECT_NEAR(potential->evaluate(repeat(cell, {4, 4, 4})).energy / 64, result.energy, 2e-8);
}

TEST(Buckingham, ReproducesTheReferenceForces) {
  const Evaluation result = li3ocl_buckingham()->evaluate(displaced_reference_cell());
  EXPECT_NEAR(result.energy, -38.8792312940, table_error_eV);
  const std::vector<Vec3> expected{{-0.1021834030, 0.3594679321, -0.1683567433},
                                   {0.1687042166, -0.4310134614, -0.0369350608},
                                   {-0.1936787207, 0.2353929140, 0.2097606599},
                                   {-0.0498944098, -0.2377173949, 0.1305155236},
                                   {0.1770523169, 0.0738700101, -0.1349843795}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (int k = 0; k < 3; ++k)
      EXPECT_NEAR(result.forces[i][k], expected[i][k], table_error_eV_per_A) << i << " " << k;
  }
}

BuckinghamModel reference_model(double accuracy) {
  TomlTable table = TomlTable::read(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml");
  BuckinghamModel model = BuckinghamModel::from_toml(table);
  model.ewald_accuracy = accuracy;
  return model;
}

/// A Schottky pair (Li and Cl of the first cell are gone) in a hot triclinic cell smaller than the cutoff.
Frame hot_defective_cell() { return hot_cell(without(repeat(li3ocl_cell(), {1, 2, 2}), {0, 4})); }

TEST(Buckingham, ObeysWhatEveryPotentialMust) {
  BuckinghamModel model = reference_model(1e-13);
  // The plain truncation of −C/r⁶ makes steps of 7e-6 eV in the energy whenever a pair crosses 12 Å, which
  // finite differences see; the exponentials are below 1e-12 eV there.
  for (BuckinghamPair& pair : model.pairs) pair.c_eV_A6 = 0;
  Buckingham potential(model);
  testing::check_potential(potential, hot_defective_cell(),
                           {.force_tolerance = 1e-8, .virial_tolerance = 1e-7});
}

TEST(Buckingham, HasTheDerivativesOfItsDispersion) {
  Buckingham potential(reference_model(1e-13));
  // A step so small that no pair crosses the cutoff; rounding (1e-13 eV / step) limits it.
  const testing::PotentialChecks checks{.step = 1e-6, .force_tolerance = 1e-6, .virial_tolerance = 3e-6};
  testing::check_forces(potential, hot_defective_cell(), checks);
  testing::check_virial(potential, hot_defective_cell(), checks);
}

template <typename F>
void expect_input_error(const F& f, const std::string& part) {
  EXPECT_THAT(f, ::testing::ThrowsMessage<InputError>(HasSubstr(part)));
}

TEST(Buckingham, ChargedCellsInABackground) {
  BuckinghamModel model = reference_model(1e-13);
  for (BuckinghamPair& pair : model.pairs) pair.c_eV_A6 = 0;
  Buckingham neutral(model);
  model.background = true;
  Buckingham potential(model);
  // Errors of truncation, which neutrality cancels in part, are larger here: 1.4e-10 eV in the virial.
  testing::check_potential(potential, without(hot_defective_cell(), {0}),
                           {.force_tolerance = 1e-8, .virial_tolerance = 1e-7, .rounding = 1e-9});
  // One ion alone: −½·k·q²·2.8372975/L, the energy of the simple cubic lattice of charges in a background.
  Frame ion;
  ion.cell = Cell::cubic(10);
  ion.add_atom("Li", Vec3(1, 2, 3));
  EXPECT_NEAR(potential.evaluate(ion).energy, -0.5 * 14.399645 * 2.8372974795 / 10, 1e-8);
  // A neutral cell does not notice.
  const Frame cell = hot_defective_cell();
  EXPECT_NEAR(potential.evaluate(cell).energy, neutral.evaluate(cell).energy, 1e-11);
}

TEST(Buckingham, RefusesFramesItCannotDo) {
  const auto potential = li3ocl_buckingham();
  const auto evaluate = [&](const Frame& frame) { return [&] { (void)potential->evaluate(frame); }; };
  Frame open = li3ocl_cell();
  open.cell.reset();
  expect_input_error(evaluate(open), "no cell");
  const Frame charged = without(li3ocl_cell(), {1});
  expect_input_error(evaluate(charged), "net charge of -1 e");
  Frame foreign = li3ocl_cell();
  foreign.type_map = TypeMap({"Li", "S", "Cl"});
  expect_input_error(evaluate(foreign), "'S'");
  Frame close = li3ocl_cell();
  close.positions[3] = close.positions[0] + Vec3(0, 0, 0.7);
  expect_input_error(evaluate(close), "atoms 1 (Li) and 4 (O) are 0.700 Å apart");
  Frame nan = li3ocl_cell();
  nan.positions[2][1] = std::nan("");
  EXPECT_THROW((void)potential->evaluate(nan), Error);
}

TEST(Buckingham, RefusesWrongFiles) {
  const std::string good = R"(kind = "buckingham"
cutoff_A = 10
[charges]
Na = 1
Cl = -1
[[pairs]]
elements = ["Na", "Na"]
A_eV = 1
rho_A = 0.3
C_eV_A6 = 0
[[pairs]]
elements = ["Na", "Cl"]
A_eV = 1000
rho_A = 0.3
C_eV_A6 = 0
[[pairs]]
elements = ["Cl", "Cl"]
A_eV = 1
rho_A = 0.3
C_eV_A6 = 20
)";
  const auto read = [](std::string text, const std::string& from, const std::string& to) {
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    return [text] {
      TomlTable table = TomlTable::parse(text, "salt.toml");
      (void)BuckinghamModel::from_toml(table);
    };
  };
  EXPECT_NO_THROW(read(good, "", "")());
  expect_input_error(read(good, "cutoff_A", "cutof_A"), "salt.toml:2: cutof_A = 10: unknown key");
  expect_input_error(read(good, "cutoff_A = 10", "cutoff_A = -1"), "cutoff_A = -1");
  expect_input_error(read(good, "cutoff_A = 10", "ewald_accuracy = 1"), "1e-14 to 1e-2");
  expect_input_error(read(good, "cutoff_A = 10", "coulomb_eV_A = 332.06"), "14.3996");
  expect_input_error(read(good, "rho_A = 0.3", "rho_A = 0"), "rho_A = 0: expected a positive number");
  expect_input_error(read(good, "A_eV = 1\n", "A_eV = 'x'\n"), "expected a number");
  expect_input_error(read(good, "A_eV = 1\n", ""), "A_eV: missing");
  expect_input_error(read(good, "C_eV_A6 = 0", "C_eV_A6 = 0\ntail = 1"), "unknown key");
  expect_input_error(read(good, "[\"Na\", \"Cl\"]", "[\"Na\", \"Br\"]"), "'Br'");
  expect_input_error(read(good, "Na = 1", "na = 1"), "salt.toml:4: charges.na = 1: 'na' is not an element");
  expect_input_error(read(good, "[\"Na\", \"Cl\"]", "[\"Cl\", \"Cl\"]"), "given before");
  expect_input_error(read(good, "[\"Na\", \"Cl\"]", "[\"Na\"]"), "two elements");
  const std::size_t last = good.rfind("[[pairs]]");
  expect_input_error(read(good.substr(0, last), "", ""), "Cl and Cl is missing");
}

TEST(FromToml, RefusesAnotherKind) {
  const testing::TempFolder folder;
  write_file(folder / "m.toml", "kind = 'morse'\n");
  expect_input_error([&] { (void)potential_from_toml(folder / "m.toml"); },
                     "kind = 'morse': expected \"buckingham\"");
  expect_input_error([&] { (void)potential_from_toml(folder / "none.toml"); }, "none.toml");
}

}  // namespace
}  // namespace solion
