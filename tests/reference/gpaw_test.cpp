// Templates, k-points, settings, results; and one real GPAW calculation where GPAW is installed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "fake_code.hpp"
#include "solion/base/constants.hpp"
#include "solion/reference/code_potential.hpp"
#include "solion/reference/process.hpp"
#include "solion/reference/settings.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::Scratch;

/// The message of the InputError that `body` throws.
std::string message(const std::function<void()>& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

Frame unit_cell() {
  Frame frame;
  frame.cell = Cell::cubic(3.915);
  for (const auto& [element, x, y, z] : {std::tuple{"Li", .5, .5, 0.},
                                         {"Li", .5, 0., .5},
                                         {"Li", 0., .5, .5},
                                         {"O", .5, .5, .5},
                                         {"Cl", 0., 0., 0.}})
    frame.add_atom(element, frame.cell->to_cartesian(Vec3(x, y, z)));
  return frame;
}

TEST(Template, FillsNamesBetweenAtSigns) {
  EXPECT_EQ(fill_template("a @X@ b@c @X@ @Y_Z@ @ A@", "t", {{"X", "1"}, {"Y_Z", "2"}}), "a 1 b@c 1 2 @ A@");
  EXPECT_THAT(message([] { fill_template("\n@CEL@", "my.in", {{"CELL", "1"}}); }), HasSubstr("my.in:2"));
  EXPECT_THAT(message([] { fill_template("", "my.in", {{"CELL", "1"}}); }), HasSubstr("no @CELL@"));
}

TEST(Template, TheBuiltInGpawTemplateIsTheOneOfTheExample) {
  EXPECT_EQ(gpaw().default_template(), read_file(fs::path(SOLION_SOURCE_DIR) / "examples/li3ocl/gpaw.py.in"));
}

TEST(KPointMesh, HasAtMostTheSpacing) {
  KPoints kpoints;
  kpoints.spacing_per_A = 2 * constants::pi / 8.0;
  EXPECT_EQ(kpoints.mesh(Cell::cubic(8.0)), (std::array{1, 1, 1}));
  EXPECT_EQ(kpoints.mesh(Cell::cubic(4.0)), (std::array{2, 2, 2}));
  EXPECT_EQ(kpoints.mesh(Cell::cubic(3.9)), (std::array{3, 3, 3}));
  Mat3 h = Mat3::Identity() * 8;
  h(2, 2) = 20;
  EXPECT_EQ(kpoints.mesh(Cell(h)), (std::array{1, 1, 1}));
}

TEST(KPointMesh, TheOnePointIsRefusedForOtherCells) {
  Settings settings;
  const Frame small = unit_cell();
  EXPECT_THAT(message([&] { choose_kpoints(settings, {&small, 1}); }), HasSubstr("[kpoints]"));
  const Frame right = repeat(small, {2, 2, 2});
  choose_kpoints(settings, {&right, 1});
  EXPECT_EQ(settings.kpoints.text(), "points 0.25 0.25 0.25");
}

TEST(KPoints, OnePointAloneIsForCellsOfItsShape) {
  KPoints one;
  one.points = {Vec3(0.25, 0.25, 0.25)};
  KPoints all;
  all.points = {Vec3(0.25, 0.25, 0.25), Vec3(-0.25, 0.25, 0.25), Vec3(0.25, -0.25, 0.25),
                Vec3(0.25, 0.25, -0.25)};
  KPoints gamma;
  gamma.points = {Vec3::Zero()};
  EXPECT_TRUE(one.lopsided());
  EXPECT_FALSE(all.lopsided());
  EXPECT_FALSE(gamma.lopsided());
  Mat3 sheared = Mat3::Identity() * 8;
  sheared(1, 0) = 8 * std::sin(7 * constants::pi / 180);
  sheared(1, 1) = 8 * std::cos(7 * constants::pi / 180);
  EXPECT_EQ(one.refuse(Cell(sheared)), std::nullopt);  // nobody said for which cells it is
  one.angle_deg = 6;
  one.widths_A = {6.5, 9.5};
  EXPECT_EQ(one.refuse(Cell::cubic(8)), std::nullopt);
  EXPECT_THAT(one.refuse(Cell(sheared)).value_or(""), HasSubstr("83.0°"));
  EXPECT_THAT(one.refuse(Cell::cubic(9.6)).value_or(""), HasSubstr("9.60, 9.60 and 9.60 Å"));
  EXPECT_THAT(one.refuse(Cell::cubic(6.4)).value_or(""), HasSubstr("kpoints.widths_A"));
}

TEST(KPoints, AbInitioDynamicsEndsInACellThatTheyAreNotFor) {
  LabelSettings settings = default_settings(gpaw());
  settings.settings.kpoints.points = {Vec3(0.25, 0.25, 0.25)};
  settings.settings.kpoints.widths_A = {6.5, 9.5};
  CodePotential potential(gpaw(), settings);
  EXPECT_THAT([&] { (void)potential.evaluate(unit_cell()); },
              ::testing::ThrowsMessage<WorkError>(HasSubstr("kpoints.widths_A")));
}

TEST(LabelSettings, ReadsTheExampleAndRefusesWhatItDoesNotKnow) {
  const LabelSettings read = read_settings(fs::path(SOLION_SOURCE_DIR) / "examples/li3ocl/gpaw.toml", gpaw());
  EXPECT_EQ(read.settings.template_text, gpaw().default_template());
  EXPECT_EQ(read.settings.kpoints.text(), "points 0.25 0.25 0.25");
  EXPECT_EQ(read.settings.kpoints.widths_A, (std::array{6.5, 9.5}));
  EXPECT_EQ(read.settings.kpoints.angle_deg, 6);
  EXPECT_EQ(read.options.audit.valence_electrons.at("Cl"), 7);
  const Scratch scratch("settings");
  const auto refuse = [&](const std::string& text) {
    write_file(scratch.path() / "s.toml", text);
    return message([&] { read_settings(scratch.path() / "s.toml", gpaw()); });
  };
  EXPECT_THAT(refuse("temlate = 'x'"), HasSubstr("s.toml:1: temlate"));
  EXPECT_THAT(refuse("code = 'cp2k'"), HasSubstr("gpaw"));
  EXPECT_THAT(refuse("[kpoints]\npoints = [0.25, 0.25]"), HasSubstr("three numbers"));
  EXPECT_THAT(refuse("[kpoints]\npoints = [0,0,0]\nspacing_per_A = 1"), HasSubstr("either"));
  EXPECT_THAT(refuse("[kpoints]\npoints = [0,0,0]\nwidths_A = [9, 6]"),
              HasSubstr("the smallest and the largest"));
  EXPECT_THAT(refuse("[audit]\nforce_eV_per_A = 0"), HasSubstr("above 0"));
  EXPECT_THAT(refuse("shear_correction_eV = [0.1]"), HasSubstr("three numbers: yz, xz, xy"));
  EXPECT_THAT(refuse("[virial_correction_eV]\nXx = 0"), HasSubstr("no element"));
  EXPECT_THAT(message([] { calculator("nocode"); }), HasSubstr("known: gpaw"));
}

TEST(Result, ComesBackFromItsJson) {
  const RawResult result = testing::fake_result();
  const RawResult back = parse_result(to_json(result).dump(), "r");
  EXPECT_EQ(back.energy_eV, result.energy_eV);
  EXPECT_EQ(back.forces_eV_per_A, result.forces_eV_per_A);
  EXPECT_EQ(*back.stress_eV_per_A3, *result.stress_eV_per_A3);
  EXPECT_EQ(back.converged, true);
  EXPECT_EQ(back.scf_iterations, 9);
  EXPECT_EQ(back.n_electrons, 2.0);
  EXPECT_EQ(back.code_version, "fake 1");
  EXPECT_EQ(parse_result(R"({"gpaw_version": "22.8.0"})", "r").code_version, "22.8.0");
  EXPECT_TRUE(std::isnan(*parse_result(R"({"energy_eV": null})", "r").energy_eV));
  // As Python writes them.
  const RawResult python =
      parse_result(R"({"gpaw_version": "NaN", "energy_eV": NaN, "n_electrons": -Infinity})", "r");
  EXPECT_TRUE(std::isnan(*python.energy_eV));
  EXPECT_TRUE(std::isnan(*python.n_electrons));
  EXPECT_EQ(python.code_version, "NaN");
}

TEST(Result, WhatIsNoResultIsRefused) {
  const std::string whole = to_json(testing::fake_result()).dump();
  for (std::size_t n = 0; n < whole.size(); n += 7)
    EXPECT_THAT(message([&] { parse_result(whole.substr(0, n), "r"); }), HasSubstr("r: ")) << n;
  for (const char* text :
       {"[]", "3", R"({"energy_eV": "-3"})", R"({"forces_eV_per_A": [[1,2]]})", R"({"forces_eV_per_A": 3})",
        R"({"stress_eV_per_A3": [[1,2,3]]})", R"({"converged": 1})", R"({"scf_iterations": -1})",
        R"({"scf_iterations": 1e300})"})
    EXPECT_THAT(message([&] { parse_result(text, "r"); }), HasSubstr("r: ")) << text;
}

TEST(Gpaw, AMissingProgramNamesTheDebianPackages) {
  Settings settings;
  settings.program = "/no/such/python";
  try {
    (void)gpaw().version(settings);
    FAIL();
  } catch (const WorkError& error) {
    EXPECT_THAT(error.what(), HasSubstr("apt-get install gpaw gpaw-data"));
  }
}

/// Labels one 5-atom cell with cheap settings.
LabelSummary label_cheaply(const fs::path& work, const Frame& frame, int maxiter, Label& label,
                           std::string& reason) {
  LabelSettings cheap = default_settings(gpaw());
  std::string& text = cheap.settings.template_text;
  text.replace(text.find("PW(600)"), 7, "PW(300)");
  text.replace(text.find("maxiter=120"), 11, fmt::format("maxiter={}", maxiter));
  cheap.settings.kpoints.points = {Vec3(0.25, 0.25, 0.25)};
  cheap.options.work = work;
  cheap.options.time_limit_s = 300;
  Receiver receiver;
  receiver.accept = [&](const Label& result) -> std::optional<std::string> {
    label = result;
    return std::nullopt;
  };
  receiver.fail = [&](const Failure& failure) { reason = failure.reason + "\n" + failure.log_tail; };
  return reference::label(gpaw(), cheap.settings, {&frame, 1}, cheap.options, receiver);
}

TEST(Gpaw, LabelsARealCell) {
  try {
    (void)gpaw().version({});
  } catch (const WorkError&) {
    GTEST_SKIP() << "needs gpaw";
  }
  const Scratch scratch("gpaw");
  Frame frame = unit_cell();
  frame.positions[0] += Vec3(0.1, 0.0, 0.05);
  Label label;
  std::string reason;
  const LabelSummary summary = label_cheaply(scratch.path() / "work", frame, 120, label, reason);
  ASSERT_EQ(summary.labelled, 1U) << reason;
  EXPECT_TRUE(label.raw.converged);
  EXPECT_EQ(label.raw.n_electrons, 16.0);  // Li 1, O 6, Cl 7
  // Bound against its atoms, the moved lithium pulled back.
  EXPECT_LT(*label.raw.energy_eV, -10.0);
  EXPECT_LT(label.raw.forces_eV_per_A[0][0], -0.1);
  // Three iterations are too few: a result, but one that the audit refuses.
  EXPECT_EQ(label_cheaply(scratch.path() / "work", frame, 3, label, reason).failed, 1U);
  EXPECT_THAT(reason, HasSubstr("did not converge"));
}

TEST(Gpaw, AsAPotentialItKeepsItsWavefunctions) {
  try {
    (void)gpaw().version({});
  } catch (const WorkError&) {
    GTEST_SKIP() << "needs gpaw";
  }
  LabelSettings cheap = default_settings(gpaw());
  std::string& text = cheap.settings.template_text;
  text.replace(text.find("PW(600)"), 7, "PW(250)");
  text.replace(text.find("maxiter=120"), 11, "maxiter=120, convergence={'density': 1e-6}");
  cheap.settings.kpoints.points = {Vec3(0.25, 0.25, 0.25)};
  cheap.options.pressure_correction_GPa = 1.0;
  CodePotential potential(gpaw(), cheap);
  Frame frame = unit_cell();
  (void)potential.evaluate(frame);
  frame.positions[0] += Vec3(0.02, 0, 0.01);
  const Evaluation warm = potential.evaluate(frame);  // from the wavefunctions of the frame before
  potential.reset();
  const Evaluation cold = potential.evaluate(frame);
  EXPECT_NEAR(warm.energy, cold.energy, 1e-4);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) EXPECT_LT((warm.forces[i] - cold.forces[i]).norm(), 2e-3);
  // Another cell and other atoms are another start.
  frame.cell = Cell(Mat3(frame.cell->matrix() * 1.01));
  const Evaluation larger = potential.evaluate(frame);
  EXPECT_LT(larger.virial.trace(), cold.virial.trace());
  Frame fewer = frame;
  fewer.types.pop_back();
  fewer.positions.pop_back();
  EXPECT_EQ(potential.evaluate(fewer).forces.size(), 4U);
}

}  // namespace
}  // namespace solion::reference
