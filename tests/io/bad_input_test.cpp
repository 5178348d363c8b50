// Every wrong file is refused with a message that says where and what was expected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sample.hpp"
#include "solion/base/files.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/npy.hpp"

namespace solion::io {
namespace {

using testing::HasSubstr;

struct Bad {
  const char* file;
  std::string content;
  const char* message;  // a part of it
};

std::string dump(const std::string& n, const std::string& box, const std::string& atoms) {
  return "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n" + n + "\nITEM: BOX BOUNDS " + box +
         "\n0 4\n0 4\n0 4\nITEM: ATOMS " + atoms;
}

std::vector<Bad> bad_files() {
  const std::string lattice = "Lattice=\"3 0 0 0 3 0 0 0 3\"";
  const std::string poscar = "x\n1\n3 0 0\n0 3 0\n0 0 3\n";
  const std::string data = "x\n\n1 atoms\n1 atom types\n0 3 xlo xhi\n0 3 ylo yhi\n0 3 zlo zhi\n\n";
  return {
      {"a.xyz", "", "a.xyz: the file is empty; expected the number of atoms"},
      {"a.xyz", "hello\n", "a.xyz:1: 'hello' is not a number of atoms"},
      {"a.xyz", "2\n\nLi 0 0 0\n", "ends after line 3; expected atom 2 of 2"},
      {"a.xyz", "1000000000000000000\n\nLi 0 0 0\n", "1000000000000000000 atoms announced, but only"},
      {"a.xyz", "99999999999999999999999\n\n", "is not a number of atoms"},
      {"a.xyz", "0\n\n", "0 atoms; expected at least one"},
      {"a.xyz", "1\n\nXx 0 0 0\n", "a.xyz:3: 'Xx' is not an element symbol"},
      {"a.xyz", "1\n\nLi 0 nan 0\n", "a.xyz:3: expected three finite coordinates"},
      {"a.xyz", "1\n\nLi 0 1e999 0\n", "a.xyz:3: expected three finite coordinates"},
      {"a.xyz", "1\n\nLi 0 1.2.3 0\n", "expected three finite coordinates"},
      {"a.xyz", "2\n\nLi 0 0 0\nLi 0 0 .1\n", "0.100 Å apart"},
      {"a.xyz", "1\n" + lattice + " pbc=\"T T F\"\nLi 0 0 0\n", "mixed periodicity is not supported"},
      {"a.xyz", "1\n" + lattice + " pbc=\"maybe\"\nLi 0 0 0\n", "expected three of T or F"},
      {"a.xyz", "1\nProperties=species:S:1:pos:R:3 pbc=\"T T T\"\nLi 0 0 0\n", "without a Lattice"},
      {"a.xyz", "1\nLattice=\"3 0 0 0 3 0 0 0\"\nLi 0 0 0\n", "expected 9 finite number(s)"},
      {"a.xyz", "1\nLattice=\"3 0 0 0 3 0 0 0 0\"\nLi 0 0 0\n",
       "a.xyz:2: cell: the three vectors span no volume"},
      {"a.xyz", "1\nLattice=\"0 3 0 3 0 0 0 0 3\"\nLi 0 0 0\n", "left-handed"},
      {"a.xyz", "1\nLattice=\"0.4 0 0 0 0.4 0 0 0 0.4\"\nLi 0 0 0\n", "0.064 Å³ of cell per atom"},
      {"a.xyz", "1\nLattice=\"40 0 0 0 40 0 0 0 40\"\nLi 0 0 0\n", "Are the lengths in Å"},
      {"a.xyz", "1\nLattice=\"3 0 0 0 3 0 0 0 3\nLi 0 0 0\n", "never closed"},
      {"a.xyz", "1\n" + lattice + " energy=low\nLi 0 0 0\n", "energy='low'"},
      {"a.xyz", "1\n" + lattice + " a=1 a=2\nLi 0 0 0\n", "stands twice"},
      {"a.xyz", "1\n" + lattice + " Properties=species:S:1\nLi 0 0 0\n", "expected at least species:S:1"},
      {"a.xyz", "1\n" + lattice + " Properties=species:S:1:pos:R\nLi 0 0 0\n", "name:type:count triples"},
      {"a.xyz", "1\n" + lattice + " Properties=species:S:1:pos:R:2\nLi 0 0 0\n", "pos must be pos:R:3"},
      {"a.xyz", "1\n" + lattice + " Properties=species:S:1:pos:R:3:forces:R:3\nLi 0 0 0\n",
       "force components"},
      {"a.xyz", "1\n" + lattice + " Properties=species:S:1:pos:R:3\nLi 0 0 0 7\n", "the end of the line"},
      {"a.xyz", "1\n" + lattice + " stress=\"1 0 0 0 1 0 0 0 1\" virial=\"27 0 0 0 27 0 0 0 27\"\nLi 0 0 0\n",
       "do not belong together"},
      {"POSCAR", "", "the file is empty"},
      {"POSCAR", "x\none\n", "POSCAR:2: 'one' is no scale factor"},
      {"POSCAR", "x\n0\n3 0 0\n0 3 0\n0 0 3\n", "expected a positive number or minus the volume"},
      {"POSCAR", poscar + "1 2\nDirect\n", "holds numbers; expected element names"},
      {"POSCAR", poscar + "Li Xx\n1 2\nDirect\n", "'Xx' is not an element"},
      {"POSCAR", poscar + "Li O\n1\nDirect\n", "expected 2 atom numbers"},
      {"POSCAR", poscar + "Li\n1000000000\nDirect\n", "1000000000 atoms announced"},
      {"POSCAR", poscar + "Li\n1\nSomewhere\n0 0 0\n", "expected Direct or Cartesian"},
      {"POSCAR", poscar + "Li\n2\nDirect\n0 0 0 # a comment\n", "expected the position of atom 2 of 2"},
      {"a.data", "", "the file is empty"},
      {"a.data", "x\nfoo\n", "no \"N atoms\""},
      {"a.data", data, "no section Atoms"},
      {"a.data", data + "Atoms # atomic\n\n1 1 0 0\n", "is no atom line of style atomic"},
      {"a.data", data + "Atoms # dipole\n\n1 1 0 0 0\n", "atom style 'dipole'"},
      {"a.data", data + "Atoms\n\n1 1 0 0 0 0\n", "give the atom style"},
      {"a.data", data + "Atoms # atomic\n\n1 2 0 0 0\n", "type 2; the header says 1 to 1"},
      {"a.data", data + "Atoms # atomic\n\n1 1 0 0 0\n", "the element of type 1 is unknown"},
      {"a.data", data + "Masses\n\n1 6.94\n\nAtoms # atomic\n\n1 1 0 0 0\n2 1 1 1 1\n",
       "more than the 1 atoms"},
      {"a.data", data + "Masses\n\n1 6.94\n\nAtoms # atomic\n\n1 1 0 0 0\n\nVelocities\n\n2 0 0 0\n",
       "not those of Atoms"},
      {"a.data", "x\n\n1 atoms\n1 atom types\n3 0 xlo xhi\n", "the lower one first"},
      {"a.data",
       "LAMMPS data file via write_data, version 2 Aug 2023, timestep = 0, units = real" + data.substr(1),
       "a.data:1: the title says units 'real'; expected metal"},
      {"a.dump", "", "the file is empty; expected ITEM: TIMESTEP"},
      {"a.dump", "hello\n", "is no LAMMPS dump"},
      {"a.dump", dump("1", "pp pp ff", "id element x y z\n1 Li 0 0 0\n"), "box boundaries"},
      {"a.dump", dump("1", "pp pp pp", "id type x y z\n1 1 0 0 0\n"),
       "no column 'element'; give the elements"},
      {"a.dump", dump("1", "pp pp pp", "id element x y\n1 Li 0 0\n"), "no positions"},
      {"a.dump", dump("2", "pp pp pp", "id element x y z\n1 Li 0 0 0\n1 Li 2 2 2\n"),
       "the atom id 1 stands twice"},
      {"a.dump", dump("2", "pp pp pp", "id element x y z\n1 Li 0 0 0\nITEM: TIMESTEP\n"), "column 1 ('id')"},
      {"a.dump", dump("2", "pp pp pp", "id element x y z\n1 Li 0 0 0\n"), "expected atom 2 of 2"},
      {"a.dump", dump("1", "pp pp pp", "id element x y z\n1 Li 0 0 0"),
       "no end of line; the file is truncated"},
      {"a.dump", dump("999999999999", "pp pp pp", "id element x y z\n1 Li 0 0 0\n"), "announced, but only"},
      {"a.dump", dump("1", "pp pp pp", "id id element x y z\n1 1 Li 0 0 0\n"), "stands twice"},
      {"a.dump", "ITEM: UNITS\nreal\n", "units 'real'; expected metal"},
      {"POSCAR.gz", "\x1F\x8B\x08", "POSCAR.gz: compressed; unpack it first (gunzip)"},
      {"a.xyz.bz2", "BZh91AY&SY", "a.xyz.bz2: compressed; unpack it first (bunzip2)"},
      {"vasprun.xml", "\xFD\x37\x7AXZ", "vasprun.xml: compressed; unpack it first (unxz)"},
      {"a.cif", "\x1F\x8B\x08", "a.cif: compressed; unpack it first (gunzip)"},
      {"a.pdb", "data_", "no format goes by this name; expected *.xyz"},
  };
}

TEST(BadInput, IsRefusedWithItsPlace) {
  const TemporaryDirectory dir;
  for (const Bad& bad : bad_files()) {
    SCOPED_TRACE(bad.content);
    const auto path = dir.file(bad.file, bad.content);
    try {
      read_frames(path);
      ADD_FAILURE() << "accepted";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(bad.message));
      EXPECT_THAT(error.what(), HasSubstr(bad.file));
    }
  }
}

TEST(BadInput, CompressedTextIsSaidToBeSo) {
  const TemporaryDirectory dir;
  LineReader lines(dir.file("type.raw", "\x1F\x8B\x08"));
  std::string_view line;
  EXPECT_THROW(lines.next(line), InputError);
}

TEST(BadInput, AnyDensityCanBeAccepted) {
  const TemporaryDirectory dir;
  const auto path = dir.file("a.xyz", "1\nLattice=\"40 0 0 0 40 0 0 0 40\"\nLi 0 0 0\n");
  ReadOptions options;
  options.accept_any_density = true;
  EXPECT_EQ(read_frame(path, options).n_atoms(), 1U);
}

TEST(BadInput, ALastLineWithoutItsEndIsSaid) {
  const TemporaryDirectory dir;
  const LogCapture messages;
  EXPECT_EQ(read_frame(dir.file("POSCAR", "x\n1\n3 0 0\n0 3 0\n0 0 3\nLi\n1\nDirect\n0.5 0.5 0.")).n_atoms(),
            1U);
  EXPECT_THAT(messages.text(), HasSubstr("POSCAR:9: the last line has no end of line"));
  EXPECT_EQ(read_frame(dir.file("a.data",
                                "x\n\n1 atoms\n1 atom types\n0 3 xlo xhi\n0 3 ylo yhi\n0 3 zlo zhi\n\nMasses"
                                "\n\n1 6.94\n\nAtoms\n\n1 1 0 0 1."))
                .n_atoms(),
            1U);
  EXPECT_THAT(messages.text(), HasSubstr("a.data:15: the last line has no end of line"));
}

TEST(BadInput, MissingFilesAndFolders) {
  const TemporaryDirectory dir;
  EXPECT_THROW(read_frames(dir / "none.xyz"), InputError);
  EXPECT_THROW(read_frames(dir / ""), InputError);
  EXPECT_THROW(write_frames(dir / "a.xyz", {}), InputError);
  const std::vector<Frame> two{sample_frame(1), sample_frame(2)};
  EXPECT_THROW(write_frames(dir / "POSCAR", two), InputError);
  EXPECT_THROW(write_frames(dir / "a.data", two), InputError);
  EXPECT_THROW(write_frames(dir / "no/such/folder/a.xyz", two), WorkError);
  EXPECT_FALSE(std::filesystem::exists(dir / "POSCAR"));
}

class BadDeepmd : public testing::Test {
 protected:
  BadDeepmd() {
    const std::vector<Frame> frames{sample_frame(1), sample_frame(2)};
    write_frames(dir_ / "s", frames);
  }
  std::string message(const ReadOptions& options = {}) {
    try {
      read_frames(dir_ / "s", options);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  }
  TemporaryDirectory dir_;
};

TEST_F(BadDeepmd, LengthsThatDisagreeNameTheFile) {
  write_npy(dir_ / "s/set.000/energy.npy", {3}, std::vector<double>(3));
  EXPECT_THAT(message(), HasSubstr("energy.npy: 3 frames, but coord.npy"));
}
TEST_F(BadDeepmd, WrongNumberOfColumns) {
  write_npy(dir_ / "s/set.000/force.npy", {2, 5}, std::vector<double>(10));
  EXPECT_THAT(message(), HasSubstr("force.npy: 10 numbers in 2 frames; expected 24"));
}
TEST_F(BadDeepmd, RepeatedFrames) {
  write_npy(dir_ / "s/set.000/numb_copy.npy", {2}, std::vector<double>{1, 1});
  EXPECT_EQ(message(), "accepted");
  write_npy(dir_ / "s/set.000/numb_copy.npy", {2}, std::vector<double>{1, 3});
  EXPECT_THAT(message(), HasSubstr("numb_copy.npy: frame 1 counts 3 times; expected 1"));
}
TEST_F(BadDeepmd, NotANumber) {
  write_npy(dir_ / "s/set.000/energy.npy", {2}, std::vector<double>{1.0, std::nan("")});
  EXPECT_THAT(message(), HasSubstr("energy.npy: number 1 is nan"));
}
TEST_F(BadDeepmd, MixedType) {
  write_npy(dir_ / "s/set.000/real_atom_types.npy", {2}, std::vector<double>(2));
  EXPECT_THAT(message(), HasSubstr("real_atom_types.npy: 2 numbers in 2 frames"));
  write_npy(dir_ / "s/set.000/real_atom_types.npy", {2, 8}, std::vector<double>(16, 9.0));
  EXPECT_THAT(message(), HasSubstr("real_atom_types.npy has the type 9"));
}
TEST_F(BadDeepmd, RawLines) {
  std::filesystem::remove_all(dir_ / "s/set.000");
  write_file(dir_ / "s/coord.raw", "0 0 0\n0 0\n");
  EXPECT_THAT(message(), HasSubstr("coord.raw:2: 2 numbers; the first line has 3"));
  write_file(dir_ / "s/coord.raw", "0 0 0\n");
  EXPECT_THAT(message(), HasSubstr("coord.raw: 3 numbers in 1 frames; expected 24"));
}
TEST_F(BadDeepmd, NoTypeMap) {
  std::filesystem::remove(dir_ / "s/type_map.raw");
  EXPECT_THAT(message(), HasSubstr("give their names"));
  ReadOptions options;
  options.type_names = {"Cl", "Li", "O"};
  EXPECT_EQ(message(options), "accepted");
}
TEST_F(BadDeepmd, TypeOutsideTheMap) {
  write_file(dir_ / "s/type.raw", "0 1 2 3 0 0 0 0\n");
  EXPECT_THAT(message(), HasSubstr("type 3, but the type map names only 3"));
}
TEST_F(BadDeepmd, TypesAreWholeNumbers) {
  for (const char* none : {"-1", "0.5", "Li", "nan", "1e30"}) {
    write_file(dir_ / "s/type.raw", std::string("0 1\n") + none + " 2 0 0 0 0\n");
    EXPECT_THAT(message(), HasSubstr(fmt::format("type.raw:2: '{}' is no type", none)));
  }
  // As numpy.savetxt writes them without a format.
  write_file(dir_ / "s/type.raw", "0.000000000000000000e+00 1.000000000000000000e+00 2 0 0 0 0 0\n");
  EXPECT_EQ(message(), "accepted");
}
TEST_F(BadDeepmd, NoBox) {
  std::filesystem::remove(dir_ / "s/set.000/box.npy");
  EXPECT_THAT(message(), HasSubstr("nopbc"));
}
TEST_F(BadDeepmd, TruncatedArray) {
  const std::string bytes = read_file(dir_ / "s/set.000/coord.npy");
  write_file(dir_ / "s/set.000/coord.npy", bytes.substr(0, bytes.size() - 3));
  EXPECT_THAT(message(), HasSubstr("bytes of data, but the header's shape"));
}
TEST_F(BadDeepmd, OtherAtomsInOneSystem) {
  Frame other = sample_frame(2);
  other.types[0] = 1;
  EXPECT_THROW(write_frames(dir_ / "t", std::vector<Frame>{sample_frame(1), other}), InputError);
  Frame unlabelled = sample_frame(2);
  unlabelled.labels.energy_eV.reset();
  try {
    write_frames(dir_ / "t", std::vector<Frame>{sample_frame(1), unlabelled});
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("frame 2 lacks the energy, which frame 1 has;"));
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "t"));
}

std::string npy(const std::string& header) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header;
}

TEST(Npy, RefusesByName) {
  const auto message = [](const std::string& bytes) -> std::string {
    try {
      parse_npy(bytes, "x.npy");
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message(""), HasSubstr("not an npy file"));
  EXPECT_THAT(message("PK\x03\x04 something else"), HasSubstr("not an npy file"));
  EXPECT_THAT(message(npy("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }") + "12345678"),
              HasSubstr("big-endian"));
  EXPECT_THAT(message(npy("{'descr': '<f8', 'fortran_order': True, 'shape': (1,), }") + "12345678"),
              HasSubstr("Fortran-ordered"));
  EXPECT_THAT(message(npy("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }") + "12345678"),
              HasSubstr("type '<u8';"));
  EXPECT_THAT(
      message(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), }")),
      HasSubstr("0 bytes of data"));
  EXPECT_EQ(message(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }") + "1234567?"), "accepted");
}

}  // namespace
}  // namespace solion::io
