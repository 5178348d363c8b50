// What each reader accepts of files made by others, and the units and signs it gives them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sample.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/gather.hpp"
#include "solion/io/npy.hpp"

namespace solion::io {
namespace {

constexpr const char* lattice = R"(Lattice="4 0 0 0 4 0 0 0 4" )";

TEST(Extxyz, UnitsAndSignsOfAse) {
  const TemporaryDirectory dir;
  const auto path =
      dir.file("ase.xyz", std::string("2\n") + lattice +
                              "Properties=momenta:R:3:pos:R:3:species:S:1:force:R:3 free_energy=-7.5 "
                              "stress=\"0.01 0 0 0 0.02 0 0 0 0.03\" pbc=\"T T T\" config='a b' flag "
                              "j=[[1, 2], [3, 4]]\n1 0 0 0 0 0 Li 1 2 3\n0 0 0 2 2 2 O 4 5 6\n\n");
  const Frame frame = read_frame(path);
  EXPECT_EQ(frame.labels.energy_eV, -7.5);
  EXPECT_NEAR((*frame.labels.virial_eV)(1, 1), -64 * 0.02, 1e-12);
  EXPECT_EQ(frame.element(1), "O");
  EXPECT_EQ(frame.labels.forces_eV_per_A[1], Vec3(4, 5, 6));
  // p = m·v: 1 √(amu·eV) on 6.94 amu; its kinetic energy is p²/2m = 0.5/6.94 eV.
  const double energy = 0.5 * 6.94 * frame.velocities[0].squaredNorm() * constants::amu_A2_per_fs2_in_eV;
  EXPECT_NEAR(energy, 0.5 / 6.94, 1e-12);
  EXPECT_EQ(frame.info.at("config"), "a b");
  EXPECT_EQ(frame.info.at("flag"), "T");
  EXPECT_EQ(frame.info.at("j"), "[[1, 2], [3, 4]]");
}

TEST(Extxyz, PlainXyz) {
  const TemporaryDirectory dir;
  const Frame frame =
      read_frame(dir.file("w.xyz", "3\r\nwater, E = -1 \"\r\nO 0 0 0\r\nH +0.96 0 0 0.4\r\nH -.24 .93 0"));
  EXPECT_FALSE(frame.cell);
  EXPECT_EQ(frame.formula(), "O1 H2");
  EXPECT_EQ(frame.info.at("comment"), "water, E = -1 \"");
  EXPECT_EQ(frame.positions[2], Vec3(-0.24, 0.93, 0));
}

TEST(Extxyz, PlainXyzOfOtherProgramsHasTheStepInItsComment) {
  const TemporaryDirectory dir;
  const auto step = [&](const std::string& comment) -> std::string {
    const Frame frame = read_frame(dir.file("s.xyz", "1\n" + comment + "\nO 0 0 0\n"));
    EXPECT_TRUE(frame.info.contains("comment")) << comment;
    return frame.info.contains("step") ? frame.info.at("step") : "none";
  };
  EXPECT_EQ(step("Atoms. Timestep: 1200"), "1200");                                      // LAMMPS
  EXPECT_EQ(step(" i =        5, time =        2.500, E =       -17.1643447508"), "5");  // CP2K
  EXPECT_EQ(step("i = often"), "none");
  EXPECT_EQ(step("Timestep of 2 fs"), "none");
}

TEST(Extxyz, FramesKeepOneTypeMapAndMayDifferInSize) {
  const TemporaryDirectory dir;
  const auto path = dir.file("a.xyz", "1\n\nLi 0 0 0\n2\n\nO 0 0 0\nLi 2 0 0\n");
  const auto frames = read_frames(path);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[1].types, (std::vector<int>{1, 0}));
  EXPECT_EQ(frames[1].type_map.names(), (std::vector<std::string>{"Li", "O"}));
}

TEST(Poscar, ScaleFactors) {
  const TemporaryDirectory dir;
  const std::string body = "\n1 0 0\n0 1 0\n0 0 2\nLi_sv O/abc\n1 1\nSelective dynamics\n";
  const Frame one =
      read_frame(dir.file("POSCAR1", "x\n3.0" + body + "Direct\n0 0 0 T T F\n.5 .5 .5 F F F\n"));
  EXPECT_EQ(one.positions[1], Vec3(1.5, 1.5, 3.0));
  EXPECT_EQ(one.element(0), "Li");
  const Frame volume = read_frame(dir.file("POSCAR2", "x\n-54" + body + "Cartesian\n0 0 0\n.5 .5 1\n"));
  EXPECT_NEAR(volume.cell->volume(), 54, 1e-12);
  EXPECT_NEAR(volume.positions[1][2], 3.0, 1e-12);
  const Frame three = read_frame(dir.file("POSCAR3", "x\n2 3 4" + body + "c\n0 0 0\n.5 .5 1\n"));
  EXPECT_EQ(three.cell->matrix().diagonal(), Vec3(2, 3, 8));
  EXPECT_EQ(three.positions[1], Vec3(1, 1.5, 4));
}

TEST(Poscar, CommentsBehindElementsAndNumbers) {
  const TemporaryDirectory dir;
  const std::string cell = "x\n3.0 ! scale\n1 0 0\n0 1 0\n0 0 2\n";
  const std::string atoms = "Direct ! so\n0 0 0\n.5 .5 .5\n";
  EXPECT_EQ(read_frame(dir.file("POSCAR", cell + "Li Cl ! elements\n1 1 # counts\n" + atoms)).formula(),
            "Li1 Cl1");
  EXPECT_EQ(read_frame(dir.file("POSCAR", cell + "Li Cl# 2\n1 1!\n" + atoms)).formula(), "Li1 Cl1");
}

TEST(LammpsDump, ColumnsInAnyOrderSortedById) {
  const TemporaryDirectory dir;
  const std::string head = "ITEM: TIMESTEP\n500\nITEM: NUMBER OF ATOMS\n2\n";
  const auto tilted =
      dir.file("a.dump", head +
                             "ITEM: BOX BOUNDS xy xz yz pp pp pp\n-1 5.5 0.5\n1 5 0\n0 4 0\n"
                             "ITEM: ATOMS type xs q id ys zs vx vy vz ix iy iz\n"
                             "2 0.5 -1 7 0.5 0.25 1000 0 0 1 0 0\n1 0 1 3 0 0 0 2000 0 0 0 -1\n");
  ReadOptions options;
  options.type_names = {"Li", "O"};
  const Frame frame = read_frame(tilted, options);
  EXPECT_EQ(frame.info.at("timestep"), "500");
  EXPECT_EQ(frame.element(0), "Li");
  // xlo = -1, xhi = 5.5 − 0.5: the cell is 6 long and starts at (−1, 1, 0).
  EXPECT_EQ(frame.cell->matrix()(0, 0), 6.0);
  EXPECT_EQ(frame.positions[0], Vec3(-1, 1, 0));
  EXPECT_EQ(frame.positions[1], Vec3(-1 + 3 + 0.25, 3, 1));
  EXPECT_EQ(frame.velocities[0], Vec3(0, 2, 0));
  EXPECT_EQ(frame.images[1], Int3(1, 0, 0));
  const auto general =
      dir.file("b.lammpstrj", head +
                                  "ITEM: BOX BOUNDS abc origin pp pp pp\n0 4 0 1\n-4 0 0 1\n0 0 4 1\n"
                                  "ITEM: ATOMS id element xu yu zu ix iy iz\n1 Li 0 0 0 0 0 0\n"
                                  "2 O 9 1 1 2 0 0\n");
  const Frame other = read_frame(general);
  EXPECT_EQ(other.cell->vector(1), Vec3(-4, 0, 0));
  EXPECT_EQ(other.positions[1], Vec3(9, 1, 1));
  EXPECT_EQ(other.images, (std::vector<Int3>(2, Int3::Zero())));  // xu is unwrapped already
}

TEST(LammpsDump, TimeInPicoseconds) {
  const TemporaryDirectory dir;
  const std::string rest =
      "ITEM: TIMESTEP\n500\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 4\n0 4\n0 4\n"
      "ITEM: ATOMS id element x y z\n1 Li 0 0 0\n";
  const Frame frame = read_frame(dir.file("a.dump", "ITEM: UNITS\nmetal\nITEM: TIME\n0.25\n" + rest));
  EXPECT_EQ(frame.info.at("time_fs"), "250");
  EXPECT_EQ(frame.info.at("units"), "metal");
  EXPECT_TRUE(frame.images.empty());
  EXPECT_FALSE(read_frame(dir.file("c.dump", "ITEM: TIME\n0.25\n" + rest)).info.contains("units"));
  EXPECT_THROW(read_frame(dir.file("b.dump", "ITEM: TIME\nnow\n" + rest)), InputError);
}

TEST(LammpsDump, OtherIdsThanInTheFirstFrameAreNoted) {
  const TemporaryDirectory dir;
  const std::string head =
      "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n0 4\n0 4\n0 4\n"
      "ITEM: ATOMS id element x y z\n";
  const auto frames =
      read_frames(dir.file("a.dump", head + "1 Li 0 0 0\n2 O 2 2 2\n" + head + "2 O 2 2 2\n1 Li 0 0 0\n" +
                                         head + "9 Li 0 0 0\n2 O 2 2 2\n"));
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_FALSE(frames[0].info.contains("atom_ids_changed"));
  EXPECT_FALSE(frames[1].info.contains("atom_ids_changed"));  // in another order alone
  ASSERT_TRUE(frames[2].info.contains("atom_ids_changed"));
  EXPECT_EQ(frames[2].info.at("atom_ids_changed"), "id 1 is gone, id 9 is new");
  EXPECT_EQ(frames[2].element(1), "Li");  // sorted by id
}

TEST(LammpsDump, ChargesAreSaidToBeLeftOutOnce) {
  const TemporaryDirectory dir;
  const std::string frame =
      "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 4\n0 4\n0 4\n"
      "ITEM: ATOMS id element q x y z\n1 Li 1 0 0 0\n";
  const LogCapture messages;
  EXPECT_EQ(read_frames(dir.file("q.dump", frame + frame)).size(), 2U);
  EXPECT_THAT(messages.text(), testing::HasSubstr("q.dump: charges are left out"));
  EXPECT_EQ(messages.text().find("charges"), messages.text().rfind("charges"));
}

TEST(LammpsDump, FramesWithoutAStepAreNumbered) {
  const TemporaryDirectory dir;
  std::vector<Frame> frames{sample_frame(1), sample_frame(2), sample_frame(3)};
  const auto steps = [&] {
    write_frames(dir / "a.dump", frames);
    auto writer = FrameWriter::create(dir / "b.dump");
    for (const Frame& frame : frames) writer.write(frame);
    writer.flush();
    EXPECT_EQ(read_file(dir / "a.dump"), read_file(dir / "b.dump"));
    std::string all;
    for (const Frame& frame : read_frames(dir / "a.dump")) all += frame.info.at("timestep") + " ";
    return all;
  };
  for (Frame& frame : frames) frame.info = {};
  EXPECT_EQ(steps(), "0 1 2 ");
  for (int f = 0; f < 3; ++f)
    frames[static_cast<std::size_t>(f)].info["vasp_configuration"] = std::to_string(5 + 2 * f);
  EXPECT_EQ(steps(), "5 7 9 ");
  frames[1].info = {{"timestep", "70"}, {"step", "6"}};
  frames[2].info = {{"step", "last"}};
  EXPECT_EQ(steps(), "5 6 7 ");
}

TEST(LammpsData, StylesAndElements) {
  const TemporaryDirectory dir;
  const std::string head =
      "title\n\n2 atoms\n2 atom types\n0 4 xlo xhi\n0 4.0 ylo yhi\n-2 2 zlo zhi\n1 0 0 xy xz yz\n";
  const std::string velocities = "\nVelocities\n\n1 0 0 0\n2 1 2 3\n";
  const Frame charge =
      read_frame(dir.file("c.data", head +
                                        "\nMasses\n\n1 6.941\n2 15.9994\n\nPair Coeffs # x\n\n1 1 2\n"
                                        "\nAtoms # charge\n\n2 2 -2 2 2 0 0 1 0\n1 1 1.0 0 0 0 0 0 0\n" +
                                        velocities));
  EXPECT_EQ(charge.element(0), "Li");
  EXPECT_EQ(charge.element(1), "O");
  EXPECT_EQ(charge.images[1], Int3(0, 1, 0));
  EXPECT_NEAR((charge.velocities[1] - Vec3(0.001, 0.002, 0.003)).norm(), 0, 1e-18);
  EXPECT_EQ(charge.cell->matrix()(1, 0), 1.0);
  const Frame full = read_frame(dir.file(
      "f.data",
      head + "\nAtom Type Labels\n\n1 Cl\n2 Li\n\nAtoms # full\n\n1 1 Li 0 0 0 0\n2 1 Cl 0 2 2 2\n"));
  EXPECT_EQ(full.element(0), "Li");
  EXPECT_EQ(full.type_map.names(), (std::vector<std::string>{"Cl", "Li"}));
  const Frame comment = read_frame(
      dir.file("m.data", head + "\nMasses\n\n1 1.5 # O\n2 2 # Cl\n\nAtoms\n\n1 1 0 0 0\n2 2 2 2 2\n"));
  EXPECT_EQ(comment.element(1), "Cl");
}

TEST(LammpsData, MassesByTypeLabelCount) {
  const TemporaryDirectory dir;
  const auto read = [&](const std::string& a, const std::string& b) {
    return read_frame(dir.file(
        "l.data",
        "x\n\n2 atoms\n2 atom types\n0 3 xlo xhi\n0 3 ylo yhi\n0 3 zlo zhi\n\nAtom Type Labels\n\n1 " + a +
            "\n2 " + b + "\n\nMasses\n\n" + a + " 12.011\n" + b + " 15.999\n\nPair Coeffs # lj/cut\n\n" + a +
            " 0.1 2.5\n" + b + " 0.1 2.5\n\nAtoms # charge\n\n1 " + a + " 0 0 0 0\n2 " + b +
            " 0 1.5 1.5 1.5\n\nVelocities\n\n1 1 2 3\n2 0 0 0\n"));
  };
  const Frame force_field = read("c3", "oh");
  EXPECT_EQ(force_field.formula(), "C1 O1");
  EXPECT_NEAR(force_field.velocities[0][2], 0.003, 1e-15);
  const LogCapture log;
  EXPECT_EQ(read("Ca", "Co").formula(), "C1 O1");  // no calcium has a mass of 12
  EXPECT_NE(log.text().find("label 'Ca' is not taken for an element"), std::string::npos) << log.text();
}

TEST(LammpsData, AMassAndAnElementThatContradictEachOther) {
  const TemporaryDirectory dir;
  const auto read = [&](const std::string& mass, std::vector<std::string> names) {
    ReadOptions how;
    how.type_names = std::move(names);
    const std::string text =
        "x\n\n1 atoms\n1 atom types\n0 3 xlo xhi\n0 3 ylo yhi\n0 3 zlo zhi\n\nMasses\n\n1 " + mass +
        "\n\nAtoms # charge\n\n1 1 0.5 0 0 0\n";
    return std::string(read_frame(dir.file("a.data", text), how).element(0));
  };
  const auto refusal = [&](const std::string& mass, const std::string& name) -> std::string {
    try {
      return read(mass, {name});
    } catch (const InputError& error) {
      return error.what();
    }
  };
  const LogCapture messages;
  EXPECT_THAT(
      refusal("6.94", "O"),
      testing::HasSubstr("a.data:11: type 1 has mass 6.94 (Li), but the type map (--type-map) says O"));
  EXPECT_THAT(refusal("100", "O"), testing::HasSubstr("type 1 has mass 100, but the type map"));
  // Isotopes are elements.
  EXPECT_EQ(refusal("7.016", "Li"), "Li");
  EXPECT_EQ(refusal("6.015", "Li"), "Li");
  EXPECT_EQ(refusal("2.014", "H"), "H");
  EXPECT_EQ(refusal("3.016", "H"), "H");
  EXPECT_EQ(refusal("18", "O"), "O");
  EXPECT_EQ(refusal("58.933", "Ni"), "Ni");
  EXPECT_THAT(messages.text(), testing::HasSubstr("a.data: charges are left out"));
  // A word that is an element's name by chance, such as Ca for an alpha carbon.
  EXPECT_EQ(read("12.011 # Ca", {}), "C");
  EXPECT_THAT(messages.text(), testing::HasSubstr("its label 'Ca' is not taken for an element"));
  EXPECT_EQ(read("2.014 # H", {}), "H");
  EXPECT_THAT(
      messages.text(),
      testing::HasSubstr("a.data:11: type 1 has mass 2.014; the standard mass of H, 1.008 amu, is taken"));
  const LogCapture quiet;
  for (const char* rounded : {"7 # Li", "6.9 # Li", "16 # O", "35.5 # Cl"}) (void)read(rounded, {});
  EXPECT_THAT(quiet.text(), testing::Not(testing::HasSubstr("standard mass")));
}

TEST(LammpsData, TheFileGoesBeforeTheModelAtHand) {
  const TemporaryDirectory dir;
  const std::string head = "title\n\n2 atoms\n2 atom types\n0 4 xlo xhi\n0 4 ylo yhi\n0 4 zlo zhi\n";
  const std::string atoms = "\nAtoms # atomic\n\n1 1 0 0 0\n2 2 2 2 2\n";
  ReadOptions how;
  how.fallback_names = {"Li", "O"};
  const Frame named =
      read_frame(dir.file("a.data", head + "\nMasses\n\n1 35.45 # Cl\n2 6.94\n" + atoms), how);
  EXPECT_EQ(named.element(0) + named.element(1), "ClLi");
  const Frame none = read_frame(dir.file("b.data", head + atoms), how);
  EXPECT_EQ(none.element(0) + none.element(1), "LiO");
  EXPECT_THROW(read_frame(dir.file("c.data", head + atoms)), InputError);
}

TEST(Deepmd, WaterOfDeepmdKit) {
  const std::filesystem::path water = SOLION_SHARED_DIR "/reference/deepmd/water/data_0";
  if (!std::filesystem::exists(water)) GTEST_SKIP() << "needs " << water;
  const auto frames = read_frames(water);
  ASSERT_EQ(frames.size(), 80U);
  EXPECT_EQ(frames[0].formula(), "O64 H128");
  // Values as NumPy reads them.
  EXPECT_EQ(frames[79].labels.energy_eV, -29944.8515625);
  EXPECT_EQ(frames[79].positions[191][2], 7.020653247833252);
  EXPECT_NEAR(frames[0].cell->matrix()(1, 1), 12.444661, 1e-6);
}

TEST(Deepmd, ArraysOfAnyShapeThatFitsTheirFrames) {
  const TemporaryDirectory dir;
  const std::vector<Frame> frames{sample_frame(1), sample_frame(2)};
  write_frames(dir / "s/", frames);
  const std::vector<Frame> before = read_frames(dir / "s");
  const std::size_t n = frames[0].n_atoms();
  const auto reshape = [&](const char* name, const std::vector<std::size_t>& shape) {
    const auto path = dir / fmt::format("s/set.000/{}.npy", name);
    write_npy(path, shape, read_npy(path).data);
  };
  reshape("coord", {2, n, 3});
  reshape("force", {2 * n, 3});
  reshape("energy", {1, 2});
  reshape("box", {2, 3, 3});
  reshape("virial", {18});
  const std::vector<Frame> after = read_frames(dir / "s");
  ASSERT_EQ(after.size(), 2U);
  for (std::size_t f = 0; f < 2; ++f) expect_same(after[f], before[f], {});

  write_frames(dir / "one/", {frames.data(), 1});
  const std::vector<Frame> one = read_frames(dir / "one");
  const auto coord = dir / "one/set.000/coord.npy";
  write_npy(coord, {3 * n}, read_npy(coord).data);  // a plain row is one frame
  ASSERT_EQ(read_frames(dir / "one").size(), 1U);
  expect_same(read_frames(dir / "one")[0], one[0], {});
}

TEST(Deepmd, RawTextIsReadAsTheSets) {
  const TemporaryDirectory dir;
  const std::vector<Frame> frames{sample_frame(1), sample_frame(2)};
  write_frames(dir / "s/", frames);
  const std::vector<Frame> sets = read_frames(dir / "s");
  for (const char* name : {"coord", "box", "energy", "force", "virial", "atom_ener"}) {
    const NpyArray array = read_npy(dir / fmt::format("s/set.000/{}.npy", name));
    std::string text;
    for (std::size_t i = 0; i < array.data.size(); ++i) {
      const bool last = (i + 1) % (array.data.size() / frames.size()) == 0;
      text += fmt::format("{}{}", array.data[i], last ? "\n" : " ");
    }
    write_file(dir / fmt::format("s/{}.raw", name), text);
  }
  std::filesystem::remove_all(dir / "s/set.000");
  const std::vector<Frame> raw = read_frames(dir / "s");
  ASSERT_EQ(raw.size(), sets.size());
  for (std::size_t f = 0; f < raw.size(); ++f) expect_same(raw[f], sets[f], {});
}

TEST(Deepmd, FramesOfMixedTypeHaveAtomsOfTheirOwn) {
  const TemporaryDirectory dir;
  Frame frame;
  frame.cell = Cell::cubic(5);
  frame.add_atom("Li", Vec3(0, 0, 0));
  frame.add_atom("Cl", Vec3(2, 0, 0));
  frame.add_atom("O", Vec3(0, 2, 0));
  frame.labels.energy_eV = -1;
  frame.labels.forces_eV_per_A = {Vec3(1, 0, 0), Vec3(2, 0, 0), Vec3(3, 0, 0)};
  write_frames(dir / "s/", std::vector<Frame>{frame, frame});
  // Li Cl O, and O O with the middle atom left out.
  write_npy(dir / "s/set.000/real_atom_types.npy", {2, 3}, std::vector<double>{0, 1, 2, 2, -1, 2});
  const std::vector<Frame> frames = read_frames(dir / "s");
  EXPECT_EQ(frames[0].formula(), frame.formula());
  ASSERT_EQ(frames[1].n_atoms(), 2U);
  EXPECT_EQ(frames[1].element(0), "O");
  EXPECT_EQ(frames[1].positions[1], Vec3(0, 2, 0));
  EXPECT_EQ(frames[1].labels.forces_eV_per_A[1], Vec3(3, 0, 0));
  // Types are whole numbers there.
  std::string bytes("\x93NUMPY\x01\x00", 8);
  std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }";
  header.resize(127 - 10, ' ');
  bytes += std::string("\x76\x00", 2) + header + "\n" + std::string("\x02\0\0\0\xff\xff\xff\xff", 8);
  EXPECT_EQ(parse_npy(bytes, "types").data, (std::vector<double>{2, -1}));
}

TEST(LammpsData, TitlesThatSayMetal) {
  const TemporaryDirectory dir;
  const std::string rest =
      "\n\n1 atoms\n1 atom types\n0 3 xlo xhi\n0 3 ylo yhi\n0 3 zlo zhi\n\nMasses\n\n1 6.94\n\nAtoms"
      "\n\n1 1 0 0 1\n";
  for (const char* title :
       {"LAMMPS data file via write_data, version 2 Aug 2023, timestep = 0, units = metal",
        "LAMMPS data file by solion, units metal: Li1", "LiCl, in units of mine"})
    EXPECT_EQ(read_frame(dir.file("a.data", title + rest)).n_atoms(), 1U) << title;
}

TEST(Deepmd, OneSystemACompositionWhateverTheOrder) {
  const TemporaryDirectory dir;
  const auto frame = [](std::initializer_list<const char*> elements) {
    Frame result;
    result.cell = Cell::cubic(6);
    for (const char* element : elements) {
      const auto n = static_cast<double>(result.n_atoms());
      result.add_atom(element, Vec3(2 * n, 0, 0));
      result.labels.forces_eV_per_A.emplace_back(n, 0, 0);
      result.labels.atomic_energies_eV.push_back(n);
    }
    return result;
  };
  const LogCapture messages;
  write_deepmd_systems(dir / "s", {frame({"Li", "Cl", "Cl"}), frame({"Li", "O"}), frame({"Cl", "Li", "Cl"})});
  EXPECT_THAT(messages.text(), testing::HasSubstr("Li1Cl2: the frames have their atoms in different orders"));
  const auto salt = read_frames(dir / "s/Li1Cl2"), oxide = read_frames(dir / "s/Li1O1");
  ASSERT_EQ(salt.size(), 2U);
  EXPECT_EQ(salt[1].element(0), "Li");
  EXPECT_EQ(salt[1].positions[0], Vec3(2, 0, 0));
  EXPECT_EQ(salt[1].labels.forces_eV_per_A[0], Vec3(1, 0, 0));
  EXPECT_EQ(salt[1].labels.atomic_energies_eV, (std::vector<double>{1, 0, 2}));
  EXPECT_EQ(oxide[0].type_map.names(), salt[0].type_map.names());
  // The next systems come beside the older ones; that is said.
  write_deepmd_systems(dir / "s", {frame({"Li", "O"}), frame({"Li", "O", "O"})});
  EXPECT_THAT(messages.text(), testing::HasSubstr("systems from before stay beside the new ones: Li1Cl2\n"));
  EXPECT_THAT(messages.text(), testing::HasSubstr("systems from before are replaced: Li1O1\n"));
  EXPECT_THROW(write_deepmd_systems(dir / "s/Li1O1", {frame({"Li", "O"}), frame({"Li", "O", "O"})}),
               InputError);
  // One that cannot be written keeps the others from being written.
  Frame unlabelled = frame({"Li", "O", "O"});
  unlabelled.labels = {};
  EXPECT_THROW(write_deepmd_systems(dir / "t", {frame({"Li", "O"}), frame({"Li", "O", "O"}), unlabelled}),
               InputError);
  EXPECT_FALSE(std::filesystem::exists(dir / "t"));
  // One order that is not sorted stays as it is.
  write_deepmd_systems(dir / "one", {frame({"Cl", "Li", "Cl"}), frame({"Cl", "Li", "Cl"})});
  EXPECT_EQ(read_frames(dir / "one")[1].element(1), "Li");
  EXPECT_TRUE(arrays_beside_frames(dir / "one").empty());
  write_npy(dir / "one/set.000/fparam.npy", {2, 1}, std::vector<double>(2));
  EXPECT_EQ(arrays_beside_frames(dir / "one"), (std::vector<std::string>{"fparam"}));
}

TEST(Deepmd, ASystemIsReplacedOnlyIfNothingElseIsLost) {
  const TemporaryDirectory dir;
  const Frame frame = sample_frame(1);
  const auto refusal = [&]() -> std::string {
    try {
      write_deepmd(dir / "s", {&frame, 1});
    } catch (const InputError& error) {
      return error.what();
    }
    return "replaced";
  };
  EXPECT_EQ(refusal(), "replaced");
  write_file(dir / "s/set.000/provenance.jsonl", "{}\n");
  EXPECT_EQ(refusal(), "replaced");
  EXPECT_FALSE(std::filesystem::exists(dir / "s/set.000/provenance.jsonl"));
  write_file(dir / "s/input.json", "{}\n");
  write_npy(dir / "s/set.000/fparam.npy", {1, 1}, std::vector<double>(1));
  EXPECT_THAT(refusal(), testing::HasSubstr("because input.json would be lost"));
  std::filesystem::remove(dir / "s/input.json");
  EXPECT_THAT(refusal(), testing::HasSubstr("because set.000/fparam.npy would be lost"));
  std::filesystem::remove(dir / "s/set.000/fparam.npy");
  write_deepmd(dir / "s/models", {&frame, 1});
  EXPECT_THAT(refusal(), testing::HasSubstr("because models would be lost"));
  EXPECT_THROW(require_writable(dir / "s", 1), InputError);
  EXPECT_TRUE(std::filesystem::exists(dir / "s/models/type.raw"));
}

TEST(FrameWriter, AppendCutsOffWhatFollows) {
  const TemporaryDirectory dir;
  for (const char* name : {"t.xyz", "t.dump"}) {
    SCOPED_TRACE(name);
    std::uint64_t second = 0;
    {
      auto writer = FrameWriter::create(dir / name);
      for (unsigned f = 0; f < 4; ++f) {
        writer.write(sample_frame(f));
        if (f == 1) second = writer.offset();
      }
      writer.flush(true);
      EXPECT_EQ(writer.offset(), std::filesystem::file_size(dir / name));
    }
    EXPECT_EQ(end_of_frame(dir / name, 2), second);
    {
      auto writer = FrameWriter::append(dir / name, second);
      writer.write(sample_frame(9));
      writer.flush();
    }
    const auto frames = read_frames(dir / name);
    ASSERT_EQ(frames.size(), 3U);
    // The third frame is the new one: its forces keep their length in any orientation.
    EXPECT_NEAR(frames[2].labels.forces_eV_per_A[0].norm(), sample_frame(9).labels.forces_eV_per_A[0].norm(),
                1e-13);
    EXPECT_THROW(FrameWriter::append(dir / name, 1'000'000'000), InputError);
  }
}

TEST(FrameWriter, ReportsAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  const TemporaryDirectory dir;
  std::filesystem::create_symlink("/dev/full", dir / "t.xyz");
  auto writer = FrameWriter::create(dir / "t.xyz");
  writer.write(sample_frame(1));
  EXPECT_THROW(writer.flush(), WorkError);
}

TEST(LineReader, LinesAcrossBuffers) {
  const TemporaryDirectory dir;
  std::string text;
  for (int i = 0; i < 300000; ++i) text += "line " + std::to_string(i) + (i % 3 == 0 ? "\r\n" : "\n");
  text += std::string(3 << 20, 'x');
  LineReader lines(dir.file("long.txt", text));
  std::string_view line;
  for (int i = 0; i < 300000; ++i) {
    ASSERT_TRUE(lines.next(line));
    ASSERT_EQ(line, "line " + std::to_string(i));
  }
  EXPECT_EQ(lines.offset(), text.size() - (3 << 20));
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line.size(), std::size_t{3} << 20);
  EXPECT_TRUE(lines.cut_off());
  EXPECT_FALSE(lines.next(line));
}

}  // namespace
}  // namespace solion::io
