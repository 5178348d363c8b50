// Extended XYZ of other programs: units, names of labels, ways to write the comment line; nothing is lost
// silently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sample.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"

namespace solion::io {
namespace {

using testing::HasSubstr;

constexpr const char* lattice = R"(Lattice="5 0 0 0 5 0 0 0 5" )";
constexpr const char* forces = "Properties=species:S:1:pos:R:3:forces:R:3 ";

/// Two atoms with the given comment line; the first has (1, 2, 3) behind its position.
std::string two_atoms(const std::string& comment) {
  return "2\n" + comment + "\nSi 0 0 0 1 2 3\nSi 2.5 2.5 2.5 -1 -2 -3\n";
}

Frame read_text(const std::string& text) {
  const TemporaryDirectory dir;
  return read_frame(dir.file("a.xyz", text));
}

Frame read_comment(const std::string& comment) { return read_text(two_atoms(comment)); }

std::string refusal(const std::string& comment) {
  try {
    (void)read_comment(comment);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ExtxyzUnits, StatedUnitsAreConverted) {
  const Frame atomic = read_comment(std::string(lattice) + forces +
                                    "energy=-0.5 energy-unit=hartree force_unit=Hartree/Bohr "
                                    "stress=\"1 0 0 0 2 0 0 0 3\" stress-unit=GPa length-unit=Angstrom");
  EXPECT_NEAR(*atomic.labels.energy_eV, -13.605693122994, 1e-11);
  EXPECT_NEAR(atomic.labels.forces_eV_per_A[0][2], 3 * 51.4220674763, 1e-8);  // CODATA 2018
  EXPECT_NEAR((*atomic.labels.virial_eV)(1, 1), -125 * 2 / 160.2176634, 1e-12);
  EXPECT_TRUE(atomic.info.empty());  // the frame is in eV now, and so will it be written
  const Frame molar = read_comment(std::string(lattice) + forces +
                                   "energy=-23.0605478 energy_unit=kcal/mol force-unit=kJ/mol/ang "
                                   "virial=\"1 0 0 0 2 0 0 0 3\" virial-unit=Ry");
  EXPECT_NEAR(*molar.labels.energy_eV, -1, 1e-8);
  EXPECT_NEAR(molar.labels.forces_eV_per_A[0][0], 1 / 96.48533212, 1e-10);
  EXPECT_NEAR((*molar.labels.virial_eV)(0, 0), 13.605693122994, 1e-11);
  // Without a unit of its own the virial has that of the energy.
  const Frame virial =
      read_comment(std::string(lattice) + forces + "energy-unit=hartree virial=\"1 0 0 0 1 0 0 0 1\"");
  EXPECT_NEAR((*virial.labels.virial_eV)(0, 0), constants::hartree_eV, 1e-12);
  const Frame kbar =
      read_comment(std::string(lattice) + forces + "stress=\"1 0 0 0 1 0 0 0 1\" stress_unit=kbar");
  EXPECT_NEAR((*kbar.labels.virial_eV)(0, 0), -125 * 0.1 / 160.2176634, 1e-12);
  for (const char* same : {"eV/Å", "ev/angstrom", "eV/Ang", "eV/A"})
    EXPECT_EQ(
        read_comment(fmt::format("{}{}force_units={}", lattice, forces, same)).labels.forces_eV_per_A[0],
        Vec3(1, 2, 3))
        << same;
  for (const char* same : {"eV/Å^3", "eV/angstrom^3", "eV/Ang**3", "eV/A^3"})
    EXPECT_EQ(
        (*read_comment(fmt::format("{}{}stress=\"1 0 0 0 1 0 0 0 1\" stress-unit={}", lattice, forces, same))
              .labels.virial_eV)(0, 0),
        -125)
        << same;
  EXPECT_EQ(read_comment(std::string(lattice) + forces + "temperature_unit=K").info.at("temperature_unit"),
            "K");
}

TEST(ExtxyzUnits, OthersAreRefusedByName) {
  const std::string start = std::string(lattice) + forces + "energy=-1 ";
  EXPECT_THAT(refusal(start + "energy-unit=foe"),
              HasSubstr("a.xyz:2: energy-unit='foe': expected eV, hartree, Ry, kcal/mol or kJ/mol"));
  EXPECT_THAT(refusal(start + "force_unit=hartree"), HasSubstr("force_unit='hartree': expected eV/Å"));
  EXPECT_THAT(refusal(start + "stress-unit=psi"), HasSubstr("expected eV/Å^3"));
  EXPECT_THAT(refusal(start + "stress-unit=eV/A"), HasSubstr("expected eV/Å^3"));
  EXPECT_THAT(refusal(start + "length_unit=bohr"), HasSubstr("length_unit='bohr': expected Å"));
  EXPECT_THAT(refusal(start + "velocity-unit=Å/ps"), HasSubstr("expected Å/fs"));
  EXPECT_THAT(refusal(start + "units=real"), HasSubstr("units='real': expected metal or eV"));
  EXPECT_EQ(refusal(start + "units=metal"), "accepted");
}

TEST(ExtxyzLabels, BlanksAroundTheEqualSign) {
  const Frame frame = read_comment(
      "Lattice = \"5 0 0 0 5 0 0 0 5\" Properties = species:S:1:pos:R:3:forces:R:3 energy= -1.5 note= flag= "
      "T last=");
  ASSERT_TRUE(frame.cell);
  EXPECT_EQ(frame.labels.energy_eV, -1.5);
  EXPECT_EQ(frame.info.at("note"), "");
  EXPECT_EQ(frame.info.at("flag"), "T");
  EXPECT_EQ(frame.info.at("last"), "");
  // GPUMD reads keys in any case.
  const Frame lower =
      read_comment("lattice=\"5 0 0 0 5 0 0 0 5\" properties=Species:S:1:Pos:R:3:Force:R:3 Energy=-2");
  ASSERT_TRUE(lower.cell);
  EXPECT_EQ(lower.labels.energy_eV, -2);
  EXPECT_EQ(lower.labels.forces_eV_per_A.size(), 2U);
}

TEST(ExtxyzLabels, ListsInBracketsAndSixComponents) {
  const std::string start = std::string(lattice) + forces;
  for (const char* pbc : {"[T, T, T]", "\"[T, T, T]\"", "\"T, T, T\""})
    EXPECT_TRUE(read_comment(fmt::format("{}pbc={}", start, pbc)).cell) << pbc;
  EXPECT_FALSE(read_comment(start + "pbc=[F, F, F]").cell);
  const Frame voigt = read_comment(start + "stress=\"1 2 3 4 5 6\"");  // xx yy zz yz xz xy
  EXPECT_EQ(*voigt.labels.virial_eV, (Mat3{{-125, -750, -625}, {-750, -250, -500}, {-625, -500, -375}}));
  EXPECT_THAT(refusal(start + "stress=\"1 2 3 4 5\""), HasSubstr("expected 9 or 6 finite number(s)"));
  EXPECT_THAT(refusal(start + "virial=\"1 2 3 4 5 6\""), HasSubstr("expected 9 finite number(s)"));
}

TEST(ExtxyzLabels, AKeyStandsOnce) {
  EXPECT_THAT(refusal(std::string(lattice) + forces + "energy=-1 energy=-2"),
              HasSubstr("the key 'energy' stands twice"));
  EXPECT_THAT(refusal(std::string(lattice) + lattice + forces), HasSubstr("the key 'Lattice' stands twice"));
}

TEST(ExtxyzLabels, TheEnergyIsTheOneWhoseSlopeTheForcesAre) {
  const Frame both = read_comment(std::string(lattice) + forces + "energy=-1.25 free_energy=-1.5");
  EXPECT_EQ(both.labels.energy_eV, -1.5);
  EXPECT_EQ(both.info.at("energy_sigma0"), "-1.25");
  const TemporaryDirectory dir;
  const LogCapture messages;
  write_frames(dir / "b.xyz", {&both, 1});
  const Frame again = read_frame(dir / "b.xyz");
  expect_same(again, both, {});
  EXPECT_EQ(messages.text(), "");
  EXPECT_TRUE(read_comment(std::string(lattice) + forces + "energy=-1.5 free_energy=-1.5").info.empty());
}

TEST(ExtxyzLabels, NamesWithRefOrDftCountWherePlainOnesAreAbsent) {
  const LogCapture messages;
  const std::string columns = "Properties=species:S:1:pos:R:3:REF_forces:R:3 ";
  const Frame mace = read_comment(lattice + columns + "REF_energy=-0.5 REF_stress=\"1 0 0 0 1 0 0 0 1\"");
  EXPECT_EQ(mace.labels.energy_eV, -0.5);
  EXPECT_EQ(mace.labels.forces_eV_per_A[0], Vec3(1, 2, 3));
  EXPECT_EQ((*mace.labels.virial_eV)(0, 0), -125);
  // As ASE writes a matrix and a list of Atoms.info.
  const Frame json = read_comment(
      lattice + columns + "REF_energy=-0.5 REF_virials=\"_JSON [[1.0, 2.0, 3.0], [4, 5, 6], [7, 8, 9e0]]\"");
  EXPECT_EQ((*json.labels.virial_eV)(1, 2), 6);
  EXPECT_EQ((*json.labels.virial_eV)(2, 0), 7);
  const Frame list = read_comment(lattice + columns + "REF_energy=1 REF_stress=\"_JSON [1, 1, 1, 0, 0, 0]\"");
  EXPECT_EQ((*list.labels.virial_eV)(2, 2), -125);
  const Frame gap = read_comment(std::string(lattice) +
                                 "Properties=species:S:1:pos:R:3:dft_force:R:3 dft_energy=-2 "
                                 "DFT_virial=\"1 0 0 0 1 0 0 0 1\"");
  EXPECT_EQ(gap.labels.energy_eV, -2);
  EXPECT_EQ(gap.labels.forces_eV_per_A.size(), 2U);
  EXPECT_EQ((*gap.labels.virial_eV)(0, 0), 1);
  EXPECT_EQ(messages.text(), "");
  // Plain names win, and nothing of the others is mixed in.
  const Frame plain = read_comment(lattice + columns + "energy=-1 REF_energy=-0.5");
  EXPECT_EQ(plain.labels.energy_eV, -1);
  EXPECT_TRUE(plain.labels.forces_eV_per_A.empty());
  EXPECT_THAT(messages.text(), HasSubstr("not read as labels: REF_energy, REF_forces;"));
}

TEST(ExtxyzLabels, WhatSoundsLikeALabelAndIsNotReadIsSaidOnce) {
  const std::string frame =
      two_atoms(std::string(lattice) +
                "Properties=species:S:1:pos:R:3:mace_forces:R:3 virials=\"1 0 0 0 1 0 0 0 1\" MACE_energy=-1 "
                "energy_unit=eV name=x");
  const TemporaryDirectory dir;
  const LogCapture messages;
  EXPECT_EQ(read_frames(dir.file("a.xyz", frame + frame)).size(), 2U);
  EXPECT_THAT(messages.text(), HasSubstr("not read as labels: MACE_energy, virials, mace_forces;"));
  EXPECT_EQ(messages.text().find("not read"), messages.text().rfind("not read"));
  EXPECT_THAT(messages.text(), testing::Not(HasSubstr("left out")));
}

TEST(ExtxyzLabels, AStressWithoutACellIsSaidToBeLeftOnce) {
  const std::string frame =
      two_atoms(std::string(lattice) + forces + "energy=-1 stress=\"1 0 0 0 1 0 0 0 1\" pbc=\"F F F\"");
  const TemporaryDirectory dir;
  const LogCapture messages;
  const auto frames = read_frames(dir.file("a.xyz", frame + frame));
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_FALSE(frames[1].labels.virial_eV);
  EXPECT_EQ(frames[1].labels.energy_eV, -1);
  EXPECT_THAT(messages.text(), HasSubstr("a.xyz:2: a stress without a periodic cell is left out"));
  EXPECT_EQ(messages.text().find("left out"), messages.text().rfind("left out"));
}

TEST(Extxyz, MomentaAreDividedByTheMassesBesideThem) {
  const std::string start = std::string("1\n") + lattice + "Properties=species:S:1:pos:R:3";
  const LogCapture messages;
  const Frame light = read_text(start + ":masses:R:1:momenta:R:3\nLi 0 0 0 6 3 0 0\n");
  const Frame heavy = read_text(start + ":momenta:R:3:masses:R:1\nLi 0 0 0 3 0 0 12\n");
  const Frame standard = read_text(start + ":momenta:R:3\nLi 0 0 0 3 0 0\n");
  EXPECT_NEAR(light.velocities[0][0], 2 * heavy.velocities[0][0], 1e-15);
  EXPECT_NEAR(light.velocities[0][0] * 6, standard.velocities[0][0] * 6.94, 1e-15);
  EXPECT_EQ(messages.text(), "");
  try {
    (void)read_text(start + ":masses:R:1:momenta:R:3\nLi 0 0 0 0 3 0 0\n");
    ADD_FAILURE() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("a.xyz:3: expected a mass above 0"));
  }
  EXPECT_TRUE(read_text(start + ":masses:R:1\nLi 0 0 0 6\n").velocities.empty());
  EXPECT_THAT(messages.text(), HasSubstr("left out: the column(s) masses"));
}

// What OVITO writes of a LAMMPS dump: atoms in another order in every frame.
TEST(ExtxyzIds, AtomsAreSortedByIdWithAllThatIsTheirs) {
  const TemporaryDirectory dir;
  const LogCapture messages;
  const std::string head =
      std::string("2\n") + lattice +
      "Properties=ID:I:1:species:S:1:pos:R:3:images:I:3:vel:R:3:forces:R:3:energies:R:1\n";
  const std::string li = "1 Li 0 0 0 0 0 1 .1 0 0 .2 0 0 -1\n", o = "2 O 2 2 2 0 0 2 .3 0 0 .4 0 0 -2\n";
  const auto frames =
      read_frames(dir.file("a.xyz", head + li + o + head + o + li + head + "9" + li.substr(1) + o));
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[1].element(0), "Li");
  EXPECT_EQ(frames[1].types, frames[0].types);
  EXPECT_EQ(frames[1].positions, frames[0].positions);
  EXPECT_EQ(frames[1].images, frames[0].images);
  EXPECT_EQ(frames[1].velocities, frames[0].velocities);
  EXPECT_EQ(frames[1].labels.forces_eV_per_A, frames[0].labels.forces_eV_per_A);
  EXPECT_EQ(frames[1].labels.atomic_energies_eV, frames[0].labels.atomic_energies_eV);
  EXPECT_FALSE(frames[1].info.contains("atom_ids_changed"));
  EXPECT_EQ(frames[2].info.at("atom_ids_changed"), "id 1 is gone, id 9 is new");
  EXPECT_EQ(messages.text(), "");
}

TEST(ExtxyzIds, MomentaAreDividedByTheMassOfTheirOwnAtom) {
  const std::string head =
      std::string("2\n") + lattice + "Properties=id:I:1:species:S:1:pos:R:3:momenta:R:3\n";
  const Frame sorted = read_text(head + "1 Li 0 0 0 1 0 0\n2 Cl 2 2 2 1 0 0\n");
  const Frame turned = read_text(head + "2 Cl 2 2 2 1 0 0\n1 Li 0 0 0 1 0 0\n");
  EXPECT_EQ(turned.velocities, sorted.velocities);
  EXPECT_EQ(turned.element(0), "Li");
}

TEST(ExtxyzIds, WhatIsNoIdOfAnAtomGivesNoOrder) {
  const LogCapture messages;
  const std::string head = std::string("2\n") + lattice;
  const std::string of_molecules = "Properties=id:I:1:species:S:1:pos:R:3\n",
                    words = "Properties=id:S:1:species:S:1:pos:R:3\n";
  EXPECT_EQ(read_text(head + of_molecules + "7 O 0 0 0\n7 Li 2 2 2\n").element(0), "O");
  EXPECT_THAT(messages.text(), HasSubstr("the id 7 stands twice: atoms stay in the order of their lines"));
  EXPECT_EQ(read_text(head + words + "b O 0 0 0\na Li 2 2 2\n").element(0), "O");
  EXPECT_THAT(messages.text(), HasSubstr("left out: the column(s) id"));
}

TEST(ExtxyzLabels, AnEnergyInAPlainXyzIsSaidToBeLeft) {
  const LogCapture messages;
  EXPECT_EQ(read_text("1\nenergy=-1.5\nSi 0 0 0\n").info.at("comment"), "energy=-1.5");
  EXPECT_THAT(messages.text(), HasSubstr("the energy in the comment is not read"));
}

}  // namespace
}  // namespace solion::io
