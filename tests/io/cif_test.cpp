// CIF: symmetry multiplied out, thirds, settings by name, and what is refused.
#include "solion/io/cif.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "io/sample.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/formats.hpp"
#include "support/temp_folder.hpp"

namespace solion::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Frame> frames_of(const std::string& text) {
  const auto reader = read_cif(text, "a.cif", {});
  std::vector<Frame> frames;
  for (Frame frame; reader->next(frame);) frames.push_back(frame);
  return frames;
}

std::string problem_of(const std::string& text) {
  try {
    frames_of(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string cubic(const std::string& rest, const std::string& a = "3.907(2)") {
  return "data_x\n_cell_length_a " + a + "\n_cell_length_b " + a + "\n_cell_length_c " + a +
         "\n_cell_angle_alpha 90\n_cell_angle_beta 90.0\n_cell_angle_gamma 90\n" + rest;
}

const std::string sites =
    "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
    "_atom_site_fract_z\n_atom_site_occupancy\n";
const std::string anti_perovskite =
    sites + "Li1 Li1+ 0.5 0.5 0 1\nO1 O2- 0.5 0.5 0.5 1.0\nCl1 Cl1- 0 0 0 1.00(1)\n";

TEST(Cif, TheSpaceGroupsSymbolMultipliesOut) {
  for (const char* group : {"_symmetry_space_group_name_H-M 'P m -3 m'", "_space_group_name_H-M_alt Pm-3m",
                            "_space_group_IT_number 221", "_space_group_name_Hall '-P 4 2 3'"}) {
    const auto frames = frames_of(cubic(std::string(group) + "\n" + anti_perovskite));
    ASSERT_EQ(frames.size(), 1U) << group;
    EXPECT_EQ(frames[0].formula(), "Li3 O1 Cl1") << group;
    EXPECT_NEAR(frames[0].cell->volume(), std::pow(3.907, 3), 1e-9);
    EXPECT_EQ(find_symmetry(frames[0]).space_group, 221);
  }
}

TEST(Cif, OperationsThirdsAndBlocks) {
  // Wurtzite with four decimals: a third of a cell is meant; the oxygen's y is named by its label alone.
  const std::string wurtzite =
      "data_zincite\n_cell_length_a 3.2495\n_cell_length_b 3.2495\n_cell_length_c 5.2069\n_cell_angle_alpha "
      "90\n"
      "_cell_angle_beta 90\n_cell_angle_gamma 120\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n'-y, x-y, z'\n"
      "-x+y,-x,z\n-x,-y,z+1/2\ny,-x+y,0.5+z\n'x - y, x, 1/2 + "
      "z'\nloop_\n_atom_site_label\n_atom_site_fract_x\n"
      "_atom_site_fract_y\n_atom_site_fract_z\nZn1 0.3333 0.6667 0\nO1 0.3333 0.6667 0.3821(1)\n";
  const auto frames =
      frames_of("#\\#CIF_1.1\n" + wurtzite + cubic("_space_group_IT_number 221\n" + anti_perovskite));
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].formula(), "Zn2 O2");
  EXPECT_EQ(find_symmetry(frames[0], 1e-5).space_group, 186);
  EXPECT_NEAR(frames[0].cell->matrix()(1, 1), 3.2495 * std::sqrt(0.75), 1e-12);
  // Types of a file are numbered alike.
  EXPECT_EQ(frames[1].element(0), "Li");
  EXPECT_EQ(frames[1].type_map.name(0), "Zn");
  // The dictionary's newer names.
  std::string newer =
      "data_x\n_cell.length_a 4\n_cell.length_b 5\n_cell.length_c 6\n_cell.angle_alpha 80\n"
      "_cell.angle_beta 85\n_cell.angle_gamma 95\n_space_group.IT_number 1\nloop_\n_atom_site.label\n"
      "_atom_site.fract_x\n_atom_site.fract_y\n_atom_site.fract_z\nCl1 0.1 -0.2 1.3\n";
  const Frame triclinic = frames_of(newer).front();
  EXPECT_EQ(triclinic.formula(), "Cl1");
  const Mat3& h = triclinic.cell->matrix();
  EXPECT_NEAR(h.row(1).norm(), 5, 1e-12);
  EXPECT_NEAR(h.row(2).norm(), 6, 1e-12);
  EXPECT_NEAR(h.row(1).dot(h.row(2)) / 30, std::cos(80 * M_PI / 180), 1e-12);
  EXPECT_NEAR(h.row(0).dot(h.row(2)) / 24, std::cos(85 * M_PI / 180), 1e-12);
}

TEST(Cif, RefusesByName) {
  const std::string group = "_space_group_IT_number 221\n";
  EXPECT_THAT(problem_of(""), HasSubstr("a.cif: empty"));
  EXPECT_THAT(problem_of("data_x\n_a 1\n"), HasSubstr("no data block has atoms"));
  EXPECT_THAT(problem_of("data_x\n_a 1\n_a 2\n"), HasSubstr("a.cif:3: an item stands twice"));
  EXPECT_THAT(problem_of("nonsense\n"), HasSubstr("a.cif:1: "));
  EXPECT_THAT(problem_of(cubic(anti_perovskite)), HasSubstr("no symmetry operations and no space group"));
  EXPECT_THAT(problem_of(cubic("_space_group_IT_number 227\n" + anti_perovskite)),
              HasSubstr("one of several settings"));
  EXPECT_THAT(problem_of(cubic("_space_group_name_H-M_alt Qm3\n" + anti_perovskite)),
              HasSubstr("'Qm3' is not known"));
  EXPECT_THAT(problem_of(cubic(group + sites + "Li1 Li 0.5 0.5 0 0.5\n")),
              HasSubstr("data_x: site Li1 is occupied by 0.5 Li"));
  EXPECT_THAT(problem_of(cubic(group + sites + "Li1 Li 0.5 ? 0 1\n")),
              HasSubstr("site Li1: _atom_site_fract_y = ?: expected a number"));
  EXPECT_THAT(problem_of(cubic(group + sites + "Li1 Li 0.5 1/3 0 1\n")),
              HasSubstr("_atom_site_fract_y = 1/3"));
  EXPECT_THAT(problem_of(cubic(group + sites + "Li1 Li 0.5 0.5 0\n")),
              HasSubstr("the last row of a loop_ has fewer values"));
  EXPECT_THAT(problem_of(cubic(group + sites + "Xx1 Xx 0.5 0.5 0 1\n")), HasSubstr("'Xx' is no element"));
  // Symbols that only begin with an element's: a vacancy, water, a hydroxide ion.
  for (const char* symbol : {"Va", "Wat", "OH", "OH1-"})
    EXPECT_THAT(problem_of(cubic(group + sites + "X1 " + symbol + " 0.5 0.5 0 1\n")),
                HasSubstr(std::string("'") + symbol + "' is no element"));
  EXPECT_EQ(frames_of(cubic(group + sites + "X1 CL1- 0.5 0.5 0.5 1\n"))[0].formula(), "Cl1");
  EXPECT_THAT(problem_of(cubic(group + anti_perovskite, "abc")), HasSubstr("_cell_length_a = abc"));
  EXPECT_THAT(problem_of(cubic(group + anti_perovskite, "-4")), HasSubstr("no cell has these"));
  EXPECT_THAT(problem_of(cubic("_symmetry_equiv_pos_as_xyz x,y\n" + anti_perovskite)),
              HasSubstr("'x,y' is no symmetry operation"));
  for (const char* text :
       {"x,y,z,", "x,y,z+", "x,y,2", "x,y,z/2", "x y,y,z", "x,,z", "x,y,z+1/0", "w,y,z", ",,"})
    EXPECT_THROW(parse_operation(text, "here"), InputError) << text;
  testing::TempFolder folder;
  write_file(folder / "a.cif", cubic(group + anti_perovskite));
  const Frame frame = read_frame(folder / "a.cif");
  EXPECT_THROW(write_frames(folder / "b.cif", std::span(&frame, 1)), InputError);
}

std::string cell_of(const std::string& lengths_and_gamma) {
  std::istringstream words(lengths_and_gamma);
  std::string a, b, c, gamma;
  words >> a >> b >> c >> gamma;
  return "data_x\n_cell_length_a " + a + "\n_cell_length_b " + b + "\n_cell_length_c " + c +
         "\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma " + gamma + "\n";
}

TEST(Cif, OperationsMustFitTheCell) {
  const std::string hexagonal = "_space_group_name_H-M_alt 'R -3 c :H'\n";
  const std::string atoms = sites + "Ti1 Ti 0 0 0.14175 1\nO1 O 0.1847 0.9933 0.1901 1\n";
  EXPECT_EQ(problem_of(cell_of("8.511 8.511 20.843 120") + hexagonal + atoms), "");
  EXPECT_EQ(problem_of(cell_of("8.511 8.513 20.843 119.98") + hexagonal + atoms), "");  // as measured
  // The other axes of the group, another angle, another length.
  EXPECT_THAT(
      problem_of(cell_of("8.511 8.511 20.843 120") + "_space_group_name_H-M_alt 'R -3 c :R'\n" + atoms),
      AllOf(
          HasSubstr("data_x: the symmetry operation z,x,y of the space group 'R-3c:R' does not fit the cell"),
          HasSubstr("a = 8.511 Å, b = 8.511 Å, c = 20.843 Å"), HasSubstr("gamma = 120°")));
  EXPECT_THAT(problem_of(cell_of("8.511 8.511 20.843 90") + hexagonal + atoms), HasSubstr("gamma = 90°"));
  EXPECT_THAT(problem_of(cell_of("8.511 8.7 20.843 120") + hexagonal + atoms), HasSubstr("b = 8.7 Å"));
  // Operations that the file lists itself.
  const std::string listed = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n'-y, x-y, z+1/2'\n";
  EXPECT_EQ(problem_of(cell_of("4 4 9 120") + listed + atoms), "");
  EXPECT_THAT(problem_of(cell_of("4 5 9 90") + listed + atoms),
              HasSubstr("the symmetry operation -y,x-y,z+0.5 does not fit the cell"));
}

TEST(Cif, LinesEndAsOnOtherSystems) {
  const std::string text = cubic("_space_group_IT_number 221\n_a\n;\nseveral\nlines\n;\n" + anti_perovskite);
  for (const std::string end : {"\r\n", "\r"}) {
    std::string other;
    for (const char c : text) other += c == '\n' ? end : std::string(1, c);
    const auto frames = frames_of(other);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].formula(), "Li3 O1 Cl1");
  }
}

TEST(Cif, RoundedCoordinatesStayOnTheirSymmetryElements) {
  // Li3YCl6 with four decimals: x, 2x and x, -x are off by one in the last, as in the paper's table.
  const std::string chloride =
      cell_of("11.202 11.202 6.032 120") + "_space_group_name_H-M_alt 'P -3 m 1'\n" + sites +
      "Li1 Li 0.34 0 0 1\nLi2 Li 0.5 0 0.5 1\nY1 Y 0 0 0 1\nY2 Y 0.3333 0.6667 0.488 1\n"
      "Cl1 Cl 0.1116 0.8884 0.77 1\nCl2 Cl 0.2209 0.4419 0.267 1\nCl3 Cl 0.4437 0.5563 0.732 1\n";
  const Frame frame = frames_of(chloride)[0];
  EXPECT_EQ(frame.formula(), "Li9 Y3 Cl18");
  EXPECT_EQ(find_symmetry(frame, 1e-5).space_group, 164);
  // Thirds of three decimals.
  const Frame nitride = frames_of(cell_of("3.648 3.648 3.875 120") + "_space_group_IT_number 191\n" + sites +
                                  "Li1 Li 0 0 0.5 1\nLi2 Li .333 .667 0 1\nN1 N 0 0 0 1\n")[0];
  EXPECT_EQ(nitride.formula(), "Li3 N1");
  EXPECT_EQ(find_symmetry(nitride, 1e-5).space_group, 191);
  EXPECT_NEAR(nitride.cell->to_fractional(nitride.positions[1])[0], 1.0 / 3, 1e-12);
}

TEST(Cif, TheCellAndTheCodeChooseTheSetting) {
  const std::string layered = sites + "Li1 Li 0 0 0.5 1\nCo1 Co 0 0 0 1\nO1 O 0 0 0.2605 1\n";
  for (const char* group : {"_symmetry_space_group_name_H-M 'R -3 m'\n", "_space_group_IT_number 166\n"})
    EXPECT_EQ(frames_of(cell_of("2.816 2.816 14.054 120") + group + layered)[0].formula(), "Li3 Co3 O6");
  const std::string rhombohedral =
      "data_x\n_cell_length_a 4.958\n_cell_length_b 4.958\n_cell_length_c 4.958\n_cell_angle_alpha 33\n"
      "_cell_angle_beta 33\n_cell_angle_gamma 33\n_symmetry_space_group_name_H-M 'R -3 m'\n" +
      sites + "Li1 Li 0.5 0.5 0.5 1\nCo1 Co 0 0 0 1\nO1 O 0.2605 0.2605 0.2605 1\n";
  EXPECT_EQ(frames_of(rhombohedral)[0].formula(), "Li1 Co1 O2");
  EXPECT_THAT(problem_of(cell_of("2.816 2.9 14.054 120") + "_space_group_IT_number 166\n" + layered),
              HasSubstr("'166' is none of this cell"));
  // Origins fit any cell: only the file can say which. Spinel Li2ScCl4's framework at origins 2 and 1.
  const std::string spinel = "_space_group_name_H-M_alt 'F d -3 m'\n_space_group.IT_coordinate_system_code ";
  const std::string second = sites + "Li1 Li 0.125 0.125 0.125 1\nSc1 Sc 0.5 0.5 0.5 1\n";
  EXPECT_EQ(frames_of(cubic(spinel + "2\n" + second, "10.38"))[0].formula(), "Li8 Sc16");
  EXPECT_EQ(
      frames_of(cubic(spinel + "1\n" + sites + "Li1 Li 0 0 0 1\nSc1 Sc 0.625 0.625 0.625 1\n", "10.38"))[0]
          .formula(),
      "Li8 Sc16");
}

TEST(Cif, AListShorterThanTheGroupIsSaid) {
  const LogCapture messages;
  frames_of(cubic("_space_group_IT_number 221\nloop_\n_space_group_symop_operation_xyz\nx,y,z\n" +
                  anti_perovskite));
  EXPECT_THAT(messages.text(), HasSubstr("lists 1 symmetry operations, and the space group '221' has 48"));
}

TEST(Cif, SitesThatMeetAreNamed) {
  const std::string group = "_space_group_IT_number 221\n";
  EXPECT_THAT(problem_of(cubic(group + anti_perovskite + "Br1 Br1- 0 0 0 1\n")),
              AllOf(HasSubstr("data_x: sites Cl1 (Cl) and Br1 (Br) are 0.000 Å apart"),
                    HasSubstr("the site is disordered or listed twice")));
  EXPECT_THAT(problem_of(cubic(group + anti_perovskite + "Br1 Br1- 0 0 0.05 1\n")),
              AllOf(HasSubstr("Cl1 (Cl) and Br1 (Br) are 0.195 Å apart"), HasSubstr("are the units right?")));
}

TEST(Cif, DeuteriumIsHydrogen) {
  const std::string group = "_space_group_IT_number 1\n";
  const LogCapture messages;
  EXPECT_EQ(
      frames_of(cubic(group + sites + "O1 O 0 0 0 1\nD1 D 0.25 0 0 1\nD2 D1+ 0 0.25 0 1\n"))[0].formula(),
      "O1 H2");
  EXPECT_THAT(messages.text(), HasSubstr("a.cif, data_x: site D1: deuterium is read as hydrogen"));
  EXPECT_THAT(messages.text(), Not(HasSubstr("site D2")));
  EXPECT_EQ(frames_of(cubic(group + sites + "O1 O 0 0 0 1\nDy1 Dy 0.5 0 0 1\n"))[0].formula(), "O1 Dy1");
}

TEST(Cif, OperationsAsTheTablesWriteThem) {
  const SymmetryOperation o = parse_operation("-Y+1/4, x - y ,.75-z", "here");
  EXPECT_EQ(o.rotation, (IntMat3() << 0, -1, 0, 1, -1, 0, 0, 0, -1).finished());
  EXPECT_NEAR((o.translation - Vec3(0.25, 0, 0.75)).norm(), 0, 1e-15);
}

}  // namespace
}  // namespace solion::io
