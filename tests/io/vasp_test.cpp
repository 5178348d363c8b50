// VASP's trajectories and labelled steps: XDATCAR, OUTCAR, vasprun.xml, and what is refused of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sample.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/vasprun.hpp"

namespace solion::io {
namespace {

using testing::HasSubstr;

std::string message_of(const std::filesystem::path& file) {
  try {
    (void)read_frames(file);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Xdatcar, OneHeaderOrOneAStep) {
  const TemporaryDirectory dir;
  const std::string head = "LiCl\n2.0\n2 0 0\n0 2 0\n0.5 0 2\nLi Cl\n1 1\n";
  const std::string first = "Direct configuration=     1\n0 0 0\n0.5 0.5 0.5\n";
  const std::string second = "Direct configuration=     2\n0.1 0 0\n0.5 0.5 0.5\n";
  const auto fixed = read_frames(dir.file("XDATCAR", head + first + second));
  ASSERT_EQ(fixed.size(), 2U);
  EXPECT_EQ(fixed[0].formula(), "Li1 Cl1");
  EXPECT_EQ(fixed[0].cell->vector(2), Vec3(1, 0, 4));
  EXPECT_TRUE(fixed[1].positions[0].isApprox(Vec3(0.4, 0, 0), 1e-15));
  EXPECT_TRUE(fixed[1].positions[1].isApprox(Vec3(2.5, 2, 2), 1e-15));
  const std::string wider = "LiCl\n2.0\n2.1 0 0\n0 2 0\n0 0 2\nLi Cl\n1 1\n";
  const auto moving = read_frames(dir.file("XDATCAR_npt", head + first + wider + second));
  ASSERT_EQ(moving.size(), 2U);
  EXPECT_DOUBLE_EQ(moving[1].cell->vector(0)[0], 4.2);
  EXPECT_DOUBLE_EQ(moving[1].positions[1][0], 2.1);
}

TEST(Xdatcar, KeepsTheNumbersOfConfigurations) {
  const TemporaryDirectory dir;
  const std::string head = "LiCl\n2.0\n2 0 0\n0 2 0\n0 0 2\nLi Cl\n1 1\n";
  const auto step = [](const std::string& number) {
    return "Direct configuration=" + number + "\n0 0 0\n0.5 0.5 0.5\n";
  };
  const auto numbers = [&](const std::string& text) {
    std::vector<std::string> all;
    for (const Frame& frame : read_frames(dir.file("XDATCAR", text)))
      all.push_back(frame.info.at("vasp_configuration"));
    return all;
  };
  using testing::ElementsAre;
  EXPECT_THAT(numbers(head + step("     1") + step("     2") + step("     5")), ElementsAre("1", "2", "5"));
  // A second run, of a fixed and of a changing cell, goes on.
  const std::string run = head + step("    10") + step("    20");
  EXPECT_THAT(numbers(run + run + run), ElementsAre("10", "20", "30", "40", "50", "60"));
  const std::string breathing = head + step("     1") + head + step("     2");
  EXPECT_THAT(numbers(breathing + breathing), ElementsAre("1", "2", "3", "4"));
  // More digits than there is room for.
  EXPECT_THAT(numbers(head + step("999997") + step("999999") + step("******") + step("******")),
              ElementsAre("999997", "999999", "1000001", "1000003"));
}

TEST(Xdatcar, WrongFiles) {
  const TemporaryDirectory dir;
  const std::string head = "LiCl\n2.0\n2 0 0\n0 2 0\n0 0 2\nLi Cl\n1 1\n";
  EXPECT_THAT(message_of(dir.file("XDATCAR", "")), HasSubstr("no frames"));
  EXPECT_THAT(message_of(dir.file("XDATCAR", "Direct configuration= 1\n0 0 0\n")),
              HasSubstr("XDATCAR:1: 'Direct configuration= 1': expected a title"));
  EXPECT_THAT(message_of(dir.file("XDATCAR", head + "0 0 0\n0 0 0.5\n")),
              HasSubstr("expected Direct configuration="));
  EXPECT_THAT(message_of(dir.file("XDATCAR", head + "Direct configuration= 1\n0 0 0\n")),
              HasSubstr("expected the position of an atom"));
  EXPECT_THAT(message_of(dir.file("XDATCAR", head + "Direct configuration= 1\n0 0 0\n0 nan 0\n")),
              HasSubstr("XDATCAR:10: '0 nan 0': expected three finite coordinates"));
}

TEST(Xdatcar, BlankTitlesAndRunsThatWereKilled) {
  const TemporaryDirectory dir;
  const std::string head = "\n2.0\n2 0 0\n0 2 0\n0.5 0 2\nLi Cl\n1 1\n";
  const std::string first = "Direct configuration=     1\n0 0 0\n0.5 0.5 0.5\n";
  const std::string second = "Direct configuration=     2\n0.1 0 0\n0.5 0.5 0.5\n";
  const std::string whole = head + first + head + second;
  EXPECT_EQ(read_frames(dir.file("XDATCAR", whole)).size(), 2U);
  EXPECT_EQ(read_frames(dir.file("XDATCAR", head + first + "\n" + second)).size(), 2U);
  const LogCapture messages;
  for (std::size_t n = head.size() + first.size() + 2; n < whole.size(); ++n)
    EXPECT_EQ(read_frames(dir.file("XDATCAR", whole.substr(0, n))).size(), 1U) << n;
  EXPECT_THAT(messages.text(), HasSubstr("XDATCAR: the last ionic step is not whole and left out"));
}

std::string outcar_head(const std::string& counts = "1   2") {
  return "   VRHFIN =Li: 1s2s2p\n   VRHFIN =Cl: s2p5\n   ions per type =               " + counts +
         "\n   NELM   =     60;   NELMIN=  2; NELMDL= -5     # of ELM steps\n"
         "   EDIFF  = 0.1E-05   stopping-criterion for ELM\n";
}

std::string outcar_step(int scf, const std::string& change, double a, double energy, bool stress = true) {
  return fmt::format(
      "---------------------- Iteration      1({:4})  ---------------------------------------\n"
      "     total energy-change (2. order) :{}  (-0.3115123E-06)\n"
      "  free energy    TOTEN  =       -99.00000000 eV\n"
      "------------------------ aborting loop because EDIFF is reached ----------------------\n{}"
      "      direct lattice vectors                 reciprocal lattice vectors\n"
      "     {:.9f}  0.000000000  0.000000000     0.200000000  0.000000000  0.000000000\n"
      "     0.000000000  5.000000000  0.000000000     0.000000000  0.200000000  0.000000000\n"
      "     0.000000000  0.000000000  5.000000000     0.000000000  0.000000000  0.200000000\n"
      " POSITION                                       TOTAL-FORCE (eV/Angst)\n"
      " -----------------------------------------------------------------------------------\n"
      "      0.00000      0.00000      0.00000         0.100000      0.200000      0.300000\n"
      "      0.00000      2.50000      0.00000        -0.400000      0.500000     -0.600000\n"
      "      2.50000      0.00000      0.00000         0.300000     -0.700000      0.300000\n"
      " -----------------------------------------------------------------------------------\n"
      "  free  energy   TOTEN  =       {:.8f} eV\n\n"
      "  energy  without entropy=      -12.34560000  energy(sigma->0) =      -12.34563945\n",
      scf, change,
      stress ? "  in kB      12.34000   -5.00000     3.00000     1.00000    -2.00000     0.50000\n" : "", a,
      energy);
}

void expect_labels(const Frame& frame, double energy, double volume) {
  EXPECT_EQ(frame.formula(), "Li1 Cl2");
  EXPECT_DOUBLE_EQ(*frame.labels.energy_eV, energy);
  EXPECT_EQ(frame.positions[1], Vec3(0, 2.5, 0));
  EXPECT_EQ(frame.labels.forces_eV_per_A[1], Vec3(-0.4, 0.5, -0.6));
  const Mat3 GPa = *frame.labels.virial_eV / volume * constants::eV_per_A3_in_GPa;
  EXPECT_NEAR(GPa(0, 0), 1.234, 1e-9);  // VASP's positive kB wants to expand, and so does W
  EXPECT_NEAR(GPa(1, 2), -0.2, 1e-9);
  EXPECT_NEAR(GPa(2, 0), 0.05, 1e-9);
}

TEST(Outcar, StepsThatConverged) {
  const TemporaryDirectory dir;
  const auto frames = read_frames(dir.file(
      "OUTCAR", outcar_head() + outcar_step(14, "-0.1284535E-06", 5, -12.3456789) +
                    outcar_step(60, "-0.1284535E-02", 5, -12.0) + outcar_step(60, "-0.1E-07", 5.2, -12.25)));
  ASSERT_EQ(frames.size(), 2U);  // the second used up NELM, and said that EDIFF is reached
  expect_labels(frames[0], -12.3456789, 125);
  expect_labels(frames[1], -12.25, 130);
}

TEST(Outcar, WithoutStressThereIsNoVirial) {
  const TemporaryDirectory dir;
  const Frame frame =
      read_frame(dir.file("OUTCAR.md", outcar_head() + outcar_step(9, "-0.1E-06", 5, -12.5, false)));
  EXPECT_DOUBLE_EQ(*frame.labels.energy_eV, -12.5);
  EXPECT_FALSE(frame.labels.virial_eV);
}

TEST(Outcar, AJobThatWasKilledKeepsItsWholeSteps) {
  const TemporaryDirectory dir;
  const std::string one = outcar_head() + outcar_step(14, "-0.1E-06", 5, -12.5);
  const std::string two = outcar_step(14, "-0.1E-06", 5, -12.4);
  for (const char* last : {"Iteration", "in kB", "direct lattice", "-0.400000", "  free  energy"}) {
    const auto at = two.find(last);
    ASSERT_NE(at, std::string::npos) << last;
    const auto line = two.rfind('\n', at);  // cut before the line that has it
    const std::string cut = two.substr(0, line == std::string::npos ? 0 : line + 1);
    const std::string file = dir.file("OUTCAR", one + cut);
    const LogCapture messages;
    EXPECT_EQ(read_frames(file).size(), 1U) << last;
    if (!cut.empty()) {
      EXPECT_THAT(messages.text(), HasSubstr("OUTCAR: the last ionic step is not whole")) << last;
    }
  }
  // At any byte; a number that may have lost digits is not taken.
  const LogCapture messages;
  const std::size_t end = two.find('\n', two.find("free  energy"));
  for (std::size_t n = end; n > 20; n -= 11)
    EXPECT_EQ(read_frames(dir.file("OUTCAR", one + two.substr(0, n))).size(), 1U) << n;
  EXPECT_EQ(read_frames(dir.file("OUTCAR", one + two.substr(0, end + 1))).size(), 2U);
}

TEST(Outcar, RunsOneBehindTheOther) {
  const TemporaryDirectory dir;
  const std::string first = outcar_head() + outcar_step(14, "-0.1E-06", 5, -12.5);
  const std::string other = "   VRHFIN =O: s2p4\n   ions per type =               3\n" +
                            outcar_head().substr(outcar_head().find("   NELM"));
  const auto frames = read_frames(
      dir.file("OUTCAR", first + other + outcar_step(14, "-0.1E-06", 5.2, -12.25, false) + first));
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[1].formula(), "O3");
  EXPECT_EQ(frames[1].cell->matrix()(0, 0), 5.2);
  EXPECT_FALSE(frames[1].labels.virial_eV);
  EXPECT_EQ(frames[2].formula(), "Li1 Cl2");
  // Nothing of the first run is left for the second one.
  EXPECT_THAT(
      message_of(dir.file("OUTCAR", first + "   VRHFIN =O: s2p4\n" + outcar_step(14, "-0.1E-06", 5, -1))),
      HasSubstr("forces before VASP said its ions per type"));
}

TEST(Outcar, WithoutVrhfinThePotcarsNameTheElements) {
  const TemporaryDirectory dir;
  const std::string rest = outcar_head().substr(outcar_head().find("   ions per type"));
  const std::string step = outcar_step(14, "-0.1E-06", 5, -12.5);
  const std::string two = " POTCAR:    PAW_PBE Li_sv 10Sep2004\n POTCAR:    US Cl1.25\n";
  for (const std::string& head : {two, two + two})
    EXPECT_EQ(read_frame(dir.file("OUTCAR", head + rest + step)).formula(), "Li1 Cl2");
  EXPECT_THAT(message_of(dir.file("OUTCAR", two + two + two + rest + step)),
              HasSubstr("vasprun.xml of the same run"));
  // NWRITE = 0 prints the forces of the first and the last step alone.
  std::string silent = step;
  silent.erase(silent.find(" POSITION"), silent.find("  free  energy") - silent.find(" POSITION"));
  const LogCapture messages;
  EXPECT_EQ(read_frames(dir.file("OUTCAR", two + rest + step + silent + silent + step)).size(), 2U);
  EXPECT_THAT(messages.text(), HasSubstr("2 ionic steps have no forces"));
}

TEST(Outcar, NumbersWithoutABlankBetween) {
  const TemporaryDirectory dir;
  std::string step = outcar_step(14, "-0.1E-06", 50, -12.5);
  const auto replace = [&](const std::string& a, const std::string& b) {
    ASSERT_NE(step.find(a), std::string::npos);
    step.replace(step.find(a), a.size(), b);
  };
  replace("50.000000000  0.000000000  0.000000000", "50.000000000-17.320508076  0.000000000");
  replace("0.000000000  5.000000000  0.000000000", "0.000000000  5.000000000100.000000000");
  replace("12.34000   -5.00000     3.00000", "-1234.56789-54321.12345-10000.00000");
  ReadOptions any;
  any.accept_any_density = true;
  const Frame frame = read_frame(dir.file("OUTCAR", outcar_head() + step), any);
  EXPECT_EQ(frame.cell->vector(0), Vec3(50, -17.320508076, 0));
  EXPECT_EQ(frame.cell->vector(1), Vec3(0, 5, 100));
  const Mat3 kbar = *frame.labels.virial_eV / frame.cell->volume() * constants::eV_per_A3_in_GPa * 10;
  EXPECT_NEAR(kbar(0, 0), -1234.56789, 1e-8);
  EXPECT_NEAR(kbar(1, 1), -54321.12345, 1e-8);
  EXPECT_NEAR(kbar(2, 2), -10000, 1e-8);
}

TEST(Outcar, StepsOfTheMachineLearnedForceFieldAreNoLabels) {
  const TemporaryDirectory dir;
  const std::string learned =
      "  ML FORCE on cell =-STRESS in cart. coord. units (eV/cell)\n"
      "  in kB      99.00000    99.00000    99.00000     9.00000     9.00000     9.00000\n"
      "  POSITION                                       TOTAL-FORCE (eV/Angst) (ML)\n"
      " -----------------------------------------------------------------------------------\n"
      "      0.00000      0.00000      0.00000         9.000000      9.000000      9.000000\n"
      "      0.00000      2.50000      0.00000        -9.000000     -9.000000     -9.000000\n"
      "      2.50000      0.00000      0.00000         0.000000      0.000000      0.000000\n"
      " -----------------------------------------------------------------------------------\n"
      "  ML FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n"
      "  free  energy ML TOTEN  =       -99.00000000 eV\n";
  const std::string stress = "  FORCE on cell =-STRESS in cart. coord.  units (eV):\n";
  const auto step = [&](double energy, bool with_stress) {
    return learned + (with_stress ? stress : "") + outcar_step(14, "-0.1E-06", 5, energy, with_stress);
  };
  const LogCapture messages;
  const auto frames = read_frames(dir.file(
      "OUTCAR", outcar_head() + step(-12.5, true) + learned + step(-12.25, false) + learned + learned));
  ASSERT_EQ(frames.size(), 2U);
  expect_labels(frames[0], -12.5, 125);
  EXPECT_FALSE(frames[1].labels.virial_eV);
  EXPECT_EQ(messages.text(), "");
}

TEST(Outcar, WrongFiles) {
  const TemporaryDirectory dir;
  const std::string step = outcar_step(14, "-0.1E-06", 5, -12.5);
  EXPECT_THAT(message_of(dir.file("OUTCAR", "")), HasSubstr("OUTCAR: no whole ionic step"));
  EXPECT_THAT(message_of(dir.file("OUTCAR", step)), HasSubstr("forces before VASP said its ions per type"));
  EXPECT_THAT(
      message_of(dir.file("OUTCAR", outcar_head("3") + step)),
      HasSubstr("OUTCAR:3: 1 numbers of atoms for 2 elements (VRHFIN); VASP prints ten here, vasprun.xml"));
  EXPECT_THAT(message_of(dir.file("OUTCAR", outcar_head("1000000000 2") + step)),
              HasSubstr("1000000002 atoms announced"));
  const std::string no_nelm = outcar_head().substr(0, outcar_head().find("   NELM"));
  EXPECT_THAT(message_of(dir.file("OUTCAR", no_nelm + step)),
              HasSubstr("an ionic step before VASP said its"));
}

std::string vasprun(int scf, double change, const std::string& element = "Cl", const std::string& more = "") {
  std::string text =
      "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<modeling>\n <parameters>\n"
      "   <i type=\"int\" name=\"NELM\">    60</i>\n   <i name=\"EDIFF\">      0.00000100</i>\n" +
      more +
      " </parameters>\n"
      " <atominfo>\n  <array name=\"atoms\" >\n   <set>\n    <rc><c>Li</c><c>   1</c></rc>\n    <rc><c>" +
      element +
      "</c><c>   2</c></rc>\n    <rc><c>Cl</c><c>   2</c></rc>\n   </set>\n  </array>\n </atominfo>\n";
  for (int step = 0; step < 2; ++step) {
    text += " <calculation>\n";
    for (int n = 0; n < (step == 0 ? scf : 12); ++n)
      text += fmt::format("<scstep><energy><i name=\"e_fr_energy\"> {:.8f} </i></energy></scstep>\n",
                          -12.3456789 - (step == 0 ? change : 1e-7) * n);
    text += fmt::format(
        "  <structure>\n   <crystal>\n    <varray name=\"basis\" >\n     <v> {} 0 0 </v>\n     <v> 0 5 0 "
        "</v>\n"
        "     <v> 0 0 5 </v>\n    </varray>\n   </crystal>\n   <varray name=\"positions\" >\n    <v> 0 0 0 "
        "</v>\n"
        "    <v> 0 0.5 0 </v>\n    <v> 0.5 0 0 </v>\n   </varray>\n  </structure>\n"
        "  <varray name=\"forces\" >\n   <v> 0.1 0.2 0.3 </v>\n   <v> -0.4 0.5 -0.6 </v>\n   <v> 0.3 -0.7 "
        "0.3 </v>\n"
        "  </varray>\n  <varray name=\"stress\" >\n   <v> 12.34 1.0 0.5 </v>\n   <v> 1.0 -5.0 -2.0 </v>\n"
        "   <v> 0.5 -2.0 3.0 </v>\n  </varray>\n"
        "  <energy><i name=\"e_fr_energy\"> {:.8f} </i></energy>\n </calculation>\n",
        5 + 0.2 * step, -12.3456789 + step);
  }
  return text + "</modeling>\n";
}

TEST(VasprunFile, StepsThatConverged) {
  const TemporaryDirectory dir;
  auto frames = read_frames(dir.file("vasprun.xml", vasprun(14, 1e-7)));
  ASSERT_EQ(frames.size(), 2U);
  expect_labels(frames[0], -12.3456789, 125);
  expect_labels(frames[1], -11.3456789, 130);
  frames = read_frames(dir.file("vasprun.xml", vasprun(60, 1e-3)));
  ASSERT_EQ(frames.size(), 1U);
  expect_labels(frames[0], -11.3456789, 130);
}

TEST(VasprunFile, WrongFiles) {
  const TemporaryDirectory dir;
  const std::string whole = vasprun(14, 1e-7);
  for (std::size_t n = 0; n < whole.find("</calculation>"); n += 61)
    EXPECT_THROW((void)read_frames(dir.file("vasprun.xml", whole.substr(0, n))), InputError) << n;
  EXPECT_THAT(message_of(dir.file("vasprun.xml", vasprun(14, 1e-7, "Xx"))),
              HasSubstr("'Xx' in <atominfo> is not"));
  std::string stars = whole;  // of the second step
  stars.replace(stars.rfind("<v> 0.1 0.2 0.3 </v>"), 20, "<v> ******* 0.2 0.3 </v>");
  EXPECT_THAT(
      message_of(dir.file("vasprun.xml", stars)),
      HasSubstr("vasprun.xml: step 2: expected three finite numbers in <varray name=\"forces\">, found "
                "' ******* 0.2 0.3 '"));
  EXPECT_THAT(message_of(dir.file("other.xml", "<a/>")), HasSubstr("expected <modeling>, as VASP writes"));
}

TEST(VasprunFile, ARunThatWasKilledKeepsItsWholeSteps) {
  const TemporaryDirectory dir;
  const std::string whole = vasprun(14, 1e-7);
  const std::size_t first = whole.find("</calculation>") + 14, last = whole.rfind("</calculation>") + 14;
  for (std::size_t n = first; n < last; n += 37) {
    const LogCapture messages;
    const auto frames = read_frames(dir.file("vasprun.xml", whole.substr(0, n)));
    ASSERT_EQ(frames.size(), 1U) << n;
    expect_labels(frames[0], -12.3456789, 125);
    EXPECT_THAT(messages.text(), HasSubstr("vasprun.xml: the file is cut off"));
  }
  EXPECT_EQ(read_frames(dir.file("vasprun.xml", whole.substr(0, last))).size(), 2U);
  // One label is whole or none.
  EXPECT_THROW(Vasprun(dir.file("vasprun.xml", whole.substr(0, last))), InputError);
}

TEST(Vasprun, AnExternalPressureIsNoPartOfTheEnergy) {
  const TemporaryDirectory dir;
  const auto file = [&](const std::string& kbar) {
    return dir.file("vasprun.xml", vasprun(14, 1e-7, "Cl", "   <i name=\"PSTRESS\">" + kbar + "</i>\n"));
  };
  const auto none = read_frames(file("      0.00000000")), pressed = read_frames(file("    100.00000000"));
  ASSERT_EQ(pressed.size(), 2U);
  EXPECT_DOUBLE_EQ(*none[0].labels.energy_eV, -12.3456789);
  // P·V of 100 kbar, of the volume of each step.
  EXPECT_NEAR(*pressed[0].labels.energy_eV, -12.3456789 - 100 * 125 / 1602.17733, 1e-9);
  EXPECT_NEAR(*pressed[1].labels.energy_eV, -11.3456789 - 100 * 130 / 1602.17733, 1e-9);
  EXPECT_EQ(*pressed[1].labels.virial_eV, *none[1].labels.virial_eV);
}

TEST(VasprunFile, StepsOfTheMachineLearnedForceFieldAreNoLabels) {
  const TemporaryDirectory dir;
  std::string text = vasprun(14, 1e-7);
  text.insert(text.find(" <calculation>"),
              " <calculation>\n  <energy><i name=\"e_fr_energy\"> -9 </i></energy>\n </calculation>\n");
  const std::string structure =
      text.substr(text.find("  <structure>"),
                  text.find("</calculation>", text.find("  <structure>")) - text.find("  <structure>"));
  text.insert(text.find("</modeling>"), " <calculation>\n" + structure + "</calculation>\n");
  const LogCapture messages;
  EXPECT_EQ(read_frames(dir.file("vasprun.xml", text)).size(), 2U);
  EXPECT_THAT(messages.text(),
              HasSubstr("2 of 4 ionic steps are left out, they have no SCF or no structure"));
  EXPECT_THAT(messages.text(), testing::Not(HasSubstr("converge")));
}

TEST(VaspFiles, AreReadAndNotWritten) {
  const TemporaryDirectory dir;
  const Frame frame = read_frame(dir.file("POSCAR", "x\n1\n3 0 0\n0 3 0\n0 0 3\nLi\n1\nDirect\n0 0 0\n"));
  for (const char* name : {"XDATCAR", "OUTCAR", "new.xml"})
    EXPECT_THROW(write_frames(dir / name, {&frame, 1}), InputError) << name;
}

}  // namespace
}  // namespace solion::io
