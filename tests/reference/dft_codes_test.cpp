// CP2K, Quantum ESPRESSO and ABINIT run for real on two atoms of silicon: energy, forces against finite
// differences of the energy, stress against a volume change, and an SCF that is stopped early. VASP's files
// as its documentation has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "fake_code.hpp"
#include "solion/base/constants.hpp"
#include "solion/reference/code_potential.hpp"
#include "solion/reference/stress_check.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::Scratch;

/// Diamond silicon, the second atom out of its place, so that forces and stress have every component.
Frame silicon(const Vec3& shift = Vec3(0.05, 0.02, -0.03)) {
  Frame frame;
  Mat3 h;
  h << 0, 2.7, 2.7, 2.7, 0, 2.7, 2.7, 2.7, 0;
  h(0, 0) = 0.02;
  if (h.determinant() < 0) h.row(0).swap(h.row(1));
  frame.cell = Cell(h);
  frame.add_atom("Si", Vec3::Zero());
  frame.add_atom("Si", Vec3(1.35, 1.35, 1.35) + shift);
  return frame;
}

struct RealCode {
  const Calculator* code;
  std::string input;
  std::string loose;  ///< what of the input stops the SCF early, and
  std::string early;  ///< what stands there instead
  const char* debian;
  bool has_silicon;  ///< its pseudopotential is installed
  /// Of this input (eV): pseudopotentials leave each code another zero. Silicon with 8 valence electrons has
  /// about −8 hartree; ABINIT's tutorial has −8.87 hartree for 14si.pspnc.
  double energy_eV;
  const char* unconverged;  ///< what is said when the SCF was stopped early
};

const char* cp2k_input = R"(
&GLOBAL
  PROJECT calculate
  RUN_TYPE ENERGY_FORCE
&END GLOBAL
&FORCE_EVAL
  STRESS_TENSOR ANALYTICAL
  &DFT
    BASIS_SET_FILE_NAME BASIS_MOLOPT
    POTENTIAL_FILE_NAME GTH_POTENTIALS
    &MGRID
      CUTOFF 120
    &END MGRID
    &KPOINTS
      @KPOINTS@
    &END KPOINTS
    &SCF
      EPS_SCF 1.0E-8
      MAX_SCF 40
      &MIXING
        METHOD BROYDEN_MIXING
      &END MIXING
    &END SCF
    &XC
      &XC_FUNCTIONAL PADE
      &END XC_FUNCTIONAL
    &END XC
  &END DFT
  &SUBSYS
    &CELL
      @CELL@
    &END CELL
    &COORD
      @ATOMS@
    &END COORD
    &KIND Si
      BASIS_SET SZV-MOLOPT-SR-GTH
      POTENTIAL GTH-PADE-q4
    &END KIND
  &END SUBSYS
  &PRINT
    &FORCES ON
    &END FORCES
    &STRESS_TENSOR ON
    &END STRESS_TENSOR
  &END PRINT
&END FORCE_EVAL
)";

const char* espresso_input = R"(
&control
  calculation = 'scf', tprnfor = .true., tstress = .true., disk_io = 'none'
  pseudo_dir = '/usr/share/espresso/pseudo', outdir = './'
/
&system
  ibrav = 0, nat = @NAT@, ntyp = 1, ecutwfc = 16, nosym = .true., noinv = .true.
/
&electrons
  conv_thr = 1d-10
  electron_maxstep = 60
/
ATOMIC_SPECIES
Si 28.086 Si.pz-vbc.UPF
CELL_PARAMETERS angstrom
@CELL@
ATOMIC_POSITIONS angstrom
@ATOMS@
@KPOINTS@
)";

const char* abinit_input = R"(
ntypat 1 znucl 14  # silicon
pp_dirpath "/usr/share/abinit/psp"
pseudos "14si.pspnc"
ixc 1 ecut 8 toldff 1.0d-6
nstep 30
nsym 1 optforces 1 optstress 1 prtwf 0 prtden 0 prteig 0
@CELL@
@ATOMS@
@KPOINTS@
)";

std::vector<RealCode> real_codes() {
  return {{&cp2k(), cp2k_input, "MAX_SCF 40", "MAX_SCF 3", "cp2k cp2k-data",
           fs::exists("/usr/share/cp2k/GTH_POTENTIALS"), -206.6, "did not converge"},
          {&espresso(), espresso_input, "electron_maxstep = 60", "electron_maxstep = 2",
           "quantum-espresso quantum-espresso-data", fs::exists("/usr/share/espresso/pseudo/Si.pz-vbc.UPF"),
           -207.9, "did not converge"},
          {&abinit(), abinit_input, "nstep 30", "nstep 3", "abinit abinit-data",
           fs::exists("/usr/share/abinit/psp/14si.pspnc"), -233.8, "did not converge"}};
}

class RealCodes : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    real_ = real_codes()[static_cast<std::size_t>(GetParam())];
    settings_ = default_settings(*real_.code);
    settings_.settings.template_text = real_.input;
    settings_.settings.kpoints.points = {Vec3(0.25, 0.25, 0.25)};
    try {
      version_ = real_.code->version(settings_.settings);
    } catch (const WorkError&) {
      GTEST_SKIP() << "needs " << real_.debian;
    }
    if (!real_.has_silicon) GTEST_SKIP() << "needs " << real_.debian;
  }
  RawResult label_one(const fs::path& work, const Frame& frame, std::string& reason) {
    LabelOptions options = settings_.options;
    options.work = work;
    options.time_limit_s = 300;
    // Coarse grids: the sum of the forces is not the point here.
    options.audit.net_force_eV_per_A_per_atom = 0.2;
    RawResult result;
    Receiver receiver;
    receiver.accept = [&](const Label& label) -> std::optional<std::string> {
      result = label.raw;
      return std::nullopt;
    };
    receiver.fail = [&](const Failure& failure) { reason = failure.reason + "\n" + failure.log_tail; };
    label(*real_.code, settings_.settings, {&frame, 1}, options, receiver);
    return result;
  }
  RealCode real_{};
  LabelSettings settings_;
  std::string version_;
};

TEST_P(RealCodes, LabelsSiliconAndItsForcesAreTheSlopeOfItsEnergy) {
  const Scratch scratch("real-" + real_.code->name());
  std::string reason;
  const RawResult label = label_one(scratch.path(), silicon(), reason);
  ASSERT_TRUE(label.energy_eV) << reason;
  EXPECT_TRUE(label.converged);
  EXPECT_EQ(label.n_electrons, 8.0);
  EXPECT_FALSE(label.code_version.empty());
  EXPECT_EQ(label.code_version.substr(0, 1), version_.substr(0, 1));
  EXPECT_GT(*label.scf_iterations, 3);
  EXPECT_NEAR(*label.energy_eV, real_.energy_eV, 3.0);
  const double d = 0.02;
  const Vec3 e(0, 0, d);
  const Vec3 shift(0.05, 0.02, -0.03);
  const RawResult up = label_one(scratch.path(), silicon(shift + e), reason);
  const RawResult down = label_one(scratch.path(), silicon(shift - e), reason);
  ASSERT_TRUE(up.energy_eV && down.energy_eV) << reason;
  // 2 %: the cubic term over 0.02 Å, and the coarse grids of this test.
  const double force = -(*up.energy_eV - *down.energy_eV) / (2 * d);
  EXPECT_NEAR(label.forces_eV_per_A[1][2], force, 0.02 * std::abs(force) + 0.01);
}

TEST_P(RealCodes, ItsStressHasTheSignOfAVolumeChange) {
  const Scratch scratch("stress-" + real_.code->name());
  LabelOptions options = settings_.options;
  options.work = scratch.path();
  options.audit.net_force_eV_per_A_per_atom = 0.2;
  const std::vector<Frame> frames{silicon()};
  const StressCheck check = check_stress(*real_.code, settings_.settings, frames, options);
  EXPECT_TRUE(check.passed) << check.text();
  EXPECT_GT(check.pressure_of_stress_GPa, 5.0);
  // Once per settings: without the program it is answered from the file.
  Settings absent = settings_.settings;
  absent.program = "/no/such/program";
  EXPECT_EQ(check_stress(*real_.code, absent, frames, options).pressure_of_stress_GPa,
            check.pressure_of_stress_GPa);
}

TEST_P(RealCodes, AnScfThatIsStoppedEarlyIsNoLabel) {
  const Scratch scratch("early-" + real_.code->name());
  std::string& text = settings_.settings.template_text;
  text.replace(text.find(real_.loose), real_.loose.size(), real_.early);
  std::string reason;
  const RawResult label = label_one(scratch.path(), silicon(), reason);
  EXPECT_FALSE(label.energy_eV);
  EXPECT_THAT(reason, HasSubstr(real_.unconverged));
}

// pw.x ends with status 0 after a relaxation, and its last forces belong to other positions.
TEST(Espresso, ATemplateThatMovesTheAtomsIsRefused) {
  const Scratch scratch("moves");
  LabelSettings settings = default_settings(espresso());
  settings.settings.template_text = espresso_input;
  std::string& text = settings.settings.template_text;
  text.replace(text.find("'scf'"), 5, "'relax'");
  text.replace(text.find("ATOMIC_SPECIES"), 0, "&ions\n/\n");
  settings.settings.kpoints.points = {Vec3(0.25, 0.25, 0.25)};
  settings.options.work = scratch.path();
  try {
    (void)espresso().version(settings.settings);
  } catch (const WorkError&) {
    GTEST_SKIP() << "needs quantum-espresso";
  }
  if (!fs::exists("/usr/share/espresso/pseudo/Si.pz-vbc.UPF")) GTEST_SKIP() << "needs quantum-espresso-data";
  std::string reason;
  Receiver receiver;
  receiver.accept = [](const Label&) { return std::optional<std::string>("accepted"); };
  receiver.fail = [&](const Failure& failure) { reason = failure.reason; };
  const Frame frame = silicon();
  label(espresso(), settings.settings, {&frame, 1}, settings.options, receiver);
  EXPECT_THAT(reason, HasSubstr("must not move the atoms"));
}

// The layouts that CP2K prints before 8.1, from 8.1 and from 2025 on, with the same numbers.
TEST(Cp2k, AllLayoutsGiveTheSameNumbers) {
  const Scratch scratch("cp2k-layouts");
  const std::string head =
      " CP2K| version string:  CP2K version 2025.1\n  *** SCF run converged in    11 steps ***\n"
      " Number of electrons:   8\n";
  const std::string tail = " **** PROGRAM ENDED AT 2026-01-01 ****\n";
  const std::string older =
      " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:              -7.593750000000000\n"
      " ATOMIC FORCES in [a.u.]\n\n # Atom   Kind   Element          X              Y              Z\n"
      "      1      1      Si          0.01000000     -0.02000000      0.03000000\n"
      "      2      1      Si         -0.01000000      0.02000000     -0.03000000\n"
      " SUM OF ATOMIC FORCES           0.0 0.0 0.0 0.0\n"
      " STRESS| Analytical stress tensor [GPa]\n STRESS|                        x y z\n"
      " STRESS|      x    1.0 0.1 0.2\n STRESS|      y    0.1 2.0 0.3\n STRESS|      z    0.2 0.3 3.0\n";
  const std::string oldest =
      " ENERGY| Total FORCE_EVAL ( QS ) energy (a.u.):              -7.593750000000000\n\n\n"
      " ATOMIC FORCES in [a.u.]\n\n # Atom   Kind   Element          X              Y              Z\n"
      "      1      1      Si          0.01000000     -0.02000000      0.03000000\n"
      "      2      1      Si         -0.01000000      0.02000000     -0.03000000\n"
      " SUM OF ATOMIC FORCES           0.0 0.0 0.0 0.0\n\n"
      " STRESS TENSOR [GPa]\n\n            X               Y               Z\n"
      "  X       1.00000000      0.10000000      0.20000000\n  Y       0.10000000      2.00000000      "
      "0.30000000\n"
      "  Z       0.20000000      0.30000000      3.00000000\n\n  1/3 Trace(stress tensor):   2.0E+00\n\n"
      " EIGENVECTORS AND EIGENVALUES OF THE STRESS TENSOR\n";
  const std::string recent =
      " ENERGY| Total FORCE_EVAL ( QS ) energy [hartree]            -7.593750000000000\n"
      " FORCES| Atomic forces [hartree/bohr]\n FORCES| Atom         x          y          z        |f|\n"
      " FORCES|    1  0.01000000 -0.02000000  0.03000000  0.03741657\n"
      " FORCES|    2 -0.01000000  0.02000000 -0.03000000  0.03741657\n"
      " FORCES| Sum   0.0 0.0 0.0 0.0\n"
      " STRESS| Analytical stress tensor [bar]\n STRESS|                        x y z\n"
      " STRESS|      x    10000 1000 2000\n STRESS|      y    1000 20000 3000\n STRESS|      z    2000 3000 "
      "30000\n";
  const auto parse = [&](const std::string& text) {
    write_file(scratch.path() / "log", text);
    return cp2k().parse(silicon(), scratch.path());
  };
  const RawResult a = parse(head + older + tail), b = parse(head + recent + tail),
                  c = parse(head + oldest + tail);
  EXPECT_TRUE(a.converged && b.converged);
  EXPECT_NEAR(*a.energy_eV, -7.59375 * constants::hartree_eV, 1e-9);
  EXPECT_EQ(*a.energy_eV, *b.energy_eV);
  EXPECT_EQ(a.forces_eV_per_A, b.forces_eV_per_A);
  EXPECT_EQ(*a.energy_eV, *c.energy_eV);
  EXPECT_EQ(a.forces_eV_per_A, c.forces_eV_per_A);
  EXPECT_EQ(*a.stress_eV_per_A3, *c.stress_eV_per_A3);
  EXPECT_NEAR(a.forces_eV_per_A[1][1], 0.02 * constants::hartree_eV / constants::bohr_A, 1e-12);
  EXPECT_NEAR((*a.stress_eV_per_A3 - *b.stress_eV_per_A3).norm(), 0, 1e-12);
  EXPECT_NEAR((*a.stress_eV_per_A3)(2, 2), -3 / constants::eV_per_A3_in_GPa, 1e-12);
  EXPECT_THROW(parse(head + recent + recent + tail), InputError) << "forces of two geometries";
  EXPECT_THROW(parse(head + recent), InputError) << "it did not end";
  EXPECT_FALSE(parse(head + " *** WARNING SCF run NOT converged ***\n").converged)
      << "from 2024 it stops there";
}

TEST_P(RealCodes, HalfAnOutputIsSaid) {
  const Scratch scratch("half-" + real_.code->name());
  std::string reason;
  ASSERT_TRUE(label_one(scratch.path(), silicon(), reason).energy_eV) << reason;
  fs::path tried;
  for (const auto& entry : fs::recursive_directory_iterator(scratch.path())) {
    if (entry.path().filename() == "try1") tried = entry.path();
  }
  const std::string name = fs::exists(tried / "calculate.abo") ? "calculate.abo" : "log";
  const std::string whole = read_file(tried / name);
  (void)real_.code->parse(silicon(), tried);
  for (const double part : {0.0, 0.3, 0.6, 0.9}) {
    write_file(tried / name,
               whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
    EXPECT_THROW((void)real_.code->parse(silicon(), tried), InputError) << part;
  }
}

TEST_P(RealCodes, IsAPotential) {
  CodePotential potential(*real_.code, settings_);
  const Evaluation a = potential.evaluate(silicon());
  ASSERT_EQ(a.forces.size(), 2U);
  EXPECT_NEAR(a.energy, real_.energy_eV, 3.0);
  EXPECT_GT(a.forces[1].norm(), 0.1);
  settings_.settings.program = "/no/such/program";
  CodePotential absent(*real_.code, settings_);
  EXPECT_THROW((void)absent.evaluate(silicon()), WorkError);
}

INSTANTIATE_TEST_SUITE_P(Codes, RealCodes, ::testing::Values(0, 1, 2),
                         [](const ::testing::TestParamInfo<int>& test) {
                           return real_codes()[static_cast<std::size_t>(test.param)].code->name();
                         });

TEST(Codes, AMissingProgramNamesTheDebianPackages) {
  Settings settings;
  settings.program = "/no/such/program";
  for (const auto& [code, text] : {std::pair{&cp2k(), "apt-get install cp2k"},
                                   {&espresso(), "apt-get install quantum-espresso"},
                                   {&abinit(), "apt-get install abinit"},
                                   {&vasp(), "SOLION_VASP"}}) {
    try {
      (void)code->version(settings);
      FAIL() << code->name();
    } catch (const WorkError& error) {
      EXPECT_THAT(error.what(), HasSubstr(text));
      EXPECT_THAT(error.what(), HasSubstr(settings.program));
    }
  }
}

TEST(Codes, TheTableHasThemAll) {
  std::vector<std::string> names;
  for (const Calculator* code : calculators()) names.push_back(code->name());
  EXPECT_THAT(names, ::testing::ElementsAre("gpaw", "cp2k", "espresso", "abinit", "vasp"));
}

TEST(Abinit, TypesFollowTheTemplate) {
  const Scratch scratch("abinit");
  Settings settings;
  settings.template_text = "znucl 17 3.0 ! chlorine first\n@CELL@\n@ATOMS@\n@KPOINTS@\n";
  settings.kpoints.spacing_per_A = 0.6;
  Frame frame;
  frame.cell = Cell::cubic(4);
  frame.add_atom("Li", Vec3::Zero());
  frame.add_atom("Cl", Vec3(2, 2, 2));
  abinit().prepare(frame, settings, scratch.path());
  const std::string input = read_file(scratch.path() / "calculate.abi");
  EXPECT_THAT(input, HasSubstr("typat 2 1\n"));
  EXPECT_THAT(input, HasSubstr("ngkpt 3 3 3\nnshiftk 1\nshiftk 0 0 0"));
  // ABINIT refuses lines of more than 264 characters.
  Frame large = frame;
  for (int i = 0; i < 200; ++i) large.add_atom(i % 2 == 0 ? "Li" : "Cl", Vec3(0.01 * i, 2, 0));
  settings.kpoints.points.assign(64, Vec3(0.25, 0.25, 0.25));
  abinit().prepare(large, settings, scratch.path());
  std::istringstream lines(read_file(scratch.path() / "calculate.abi"));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 132U) << line;
  settings.kpoints.points.clear();
  frame.add_atom("O", Vec3(0, 2, 2));
  EXPECT_THROW(abinit().prepare(frame, settings, scratch.path()), InputError);
  settings.template_text = "@CELL@\n@ATOMS@\n@KPOINTS@\n";
  EXPECT_THROW(abinit().prepare(frame, settings, scratch.path()), InputError);
}

// VASP: two atoms of Cl and one of Li; the frame has them in another order than POSCAR.
Frame salt() {
  Frame frame;
  frame.cell = Cell::cubic(5);
  frame.add_atom("Cl", Vec3(0, 0, 0));
  frame.add_atom("Li", Vec3(2.5, 0, 0));
  frame.add_atom("Cl", Vec3(0, 2.5, 0));
  return frame;
}

/// The parts of OUTCAR that are read, in VASP's layout.
std::string outcar(int last_step, const std::string& change,
                   const std::string& end = "General timing and accounting informations for this job:") {
  return " vasp.6.3.2 27Jun22 (build Sep  9 2022) complex\n"
         "   NELM   =     60;   NELMIN=  2; NELMDL= -5     # of ELM steps\n"
         "   EDIFF  = 0.1E-05   stopping-criterion for ELM\n"
         "   NELECT =      15.0000    total number of electrons\n" +
         fmt::format(
             "--------------------------------------- Iteration      1({:4})  "
             "---------------------------------------\n",
             last_step) +
         "     total energy-change (2. order) :" + change +
         "  (-0.3115123E-06)\n"
         "------------------------ aborting loop because EDIFF is reached "
         "----------------------------------------\n"
         "  FORCE on cell =-STRESS in cart. coord.  units (eV):\n"
         "  Direction    XX          YY          ZZ          XY          YZ          ZX\n"
         "  in kB      12.34000   -5.00000     3.00000     1.00000    -2.00000     0.50000\n"
         " POSITION                                       TOTAL-FORCE (eV/Angst)\n"
         " -----------------------------------------------------------------------------------\n"
         "      0.00000      0.00000      0.00000         0.100000      0.200000      0.300000\n"
         "      0.00000      2.50000      0.00000        -0.400000      0.500000     -0.600000\n"
         "      2.50000      0.00000      0.00000         0.300000     -0.700000      0.300000\n"
         " -----------------------------------------------------------------------------------\n"
         "  free  energy   TOTEN  =       -12.34567890 eV\n"
         "  energy  without entropy=      -12.34560000  energy(sigma->0) =      -12.34563945\n" +
         end + "\n";
}

std::string vasprun(int steps, double change) {
  std::string text =
      "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<modeling>\n <generator>\n"
      "  <i name=\"version\" type=\"string\">6.3.2  </i>\n </generator>\n <parameters>\n"
      "   <i type=\"int\" name=\"NELM\">    60</i>\n   <i name=\"EDIFF\">      0.00000100</i>\n"
      "   <i name=\"NELECT\">     15.00000000</i>\n </parameters>\n <calculation>\n";
  for (int n = 0; n < steps; ++n)
    text += fmt::format(
        "  <scstep>\n   <energy>\n    <i name=\"e_fr_energy\"> {:.8f} </i>\n   </energy>\n  </scstep>\n",
        -12.3456789 - change * (steps - 1 - n));
  return text +
         "  <varray name=\"forces\" >\n   <v>       0.10000000       0.20000000       0.30000000 </v>\n"
         "   <v>      -0.40000000       0.50000000      -0.60000000 </v>\n"
         "   <v>       0.30000000      -0.70000000       0.30000000 </v>\n  </varray>\n"
         "  <varray name=\"stress\" >\n   <v>      12.34000000       1.00000000       0.50000000 </v>\n"
         "   <v>       1.00000000      -5.00000000      -2.00000000 </v>\n"
         "   <v>       0.50000000      -2.00000000       3.00000000 </v>\n  </varray>\n"
         "  <energy>\n   <i name=\"e_fr_energy\">    -12.34567890 </i>\n  </energy>\n "
         "</calculation>\n</modeling>\n";
}

void expect_salt(const RawResult& r) {
  EXPECT_NEAR(*r.energy_eV, -12.3456789, 1e-9);
  EXPECT_EQ(r.n_electrons, 15.0);
  ASSERT_EQ(r.forces_eV_per_A.size(), 3U);
  EXPECT_EQ(r.forces_eV_per_A[0], Vec3(0.1, 0.2, 0.3));   // first Cl
  EXPECT_EQ(r.forces_eV_per_A[1], Vec3(0.3, -0.7, 0.3));  // Li, last in POSCAR
  EXPECT_EQ(r.forces_eV_per_A[2], Vec3(-0.4, 0.5, -0.6));
  const Mat3 GPa = *r.stress_eV_per_A3 * constants::eV_per_A3_in_GPa;
  EXPECT_NEAR(GPa(0, 0), -1.234, 1e-9);  // VASP's positive kB pushes outwards
  EXPECT_NEAR(GPa(1, 1), 0.5, 1e-9);
  EXPECT_NEAR(GPa(0, 1), -0.1, 1e-9);
  EXPECT_NEAR(GPa(2, 1), 0.2, 1e-9);
  EXPECT_NEAR(GPa(0, 2), -0.05, 1e-9);
}

TEST(Vasp, WritesItsFourFiles) {
  const Scratch scratch("vasp");
  for (const char* element : {"Li", "Cl"}) {
    fs::create_directories(scratch.path() / "pot" / element);
    write_file(scratch.path() / "pot" / element / "POTCAR", std::string("PAW_PBE ") + element + "\n");
  }
  fs::create_directories(scratch.path() / "run");
  Settings settings;
  settings.template_text = vasp().default_template();
  settings.kpoints.points = {Vec3(0.25, 0.25, 0.25)};
  settings.environment["SOLION_VASP_POTCARS"] = (scratch.path() / "pot").string();
  vasp().prepare(salt(), settings, scratch.path() / "run");
  EXPECT_EQ(
      read_file(scratch.path() / "run/POSCAR"),
      "written by solion\n1.0\n5 0 0\n0 5 0\n0 0 5\nCl Li \n2 1 \nCartesian\n0 0 0\n0 2.5 0\n2.5 0 0\n");
  EXPECT_EQ(read_file(scratch.path() / "run/KPOINTS"),
            "written by solion\n1\nReciprocal\n0.25 0.25 0.25 1\n");
  EXPECT_EQ(read_file(scratch.path() / "run/POTCAR"), "PAW_PBE Cl\nPAW_PBE Li\n");
  EXPECT_EQ(read_file(scratch.path() / "run/INCAR"), vasp().default_template());

  // Values by element want their order fixed, and forces come back from that order.
  settings.template_text = "ENCUT = 500\n# MAGMOM = 3*0\nLDAU = .TRUE. ; LDAUU = 0 3.9\n";
  settings.template_name = "INCAR.in";
  const auto refusal = [&](const Frame& frame) -> std::string {
    try {
      vasp().prepare(frame, settings, scratch.path() / "run");
    } catch (const InputError& error) {
      return error.what();
    }
    return "(not refused)";
  };
  EXPECT_THAT(refusal(salt()), HasSubstr("INCAR.in:3: LDAUU has values in the order"));
  settings.species = {"Li", "Cl"};
  EXPECT_EQ(refusal(salt()), "(not refused)");
  EXPECT_EQ(
      read_file(scratch.path() / "run/POSCAR"),
      "written by solion\n1.0\n5 0 0\n0 5 0\n0 0 5\nLi Cl \n1 2 \nCartesian\n2.5 0 0\n0 0 0\n0 2.5 0\n");
  EXPECT_EQ(read_file(scratch.path() / "run/POTCAR"), "PAW_PBE Li\nPAW_PBE Cl\n");
  write_file(scratch.path() / "run/OUTCAR", outcar(14, "-0.1284535E-06"));
  const RawResult r = vasp().parse(salt(), scratch.path() / "run");
  EXPECT_EQ(r.forces_eV_per_A[1], Vec3(0.1, 0.2, 0.3)) << "lithium, first in this POSCAR";
  settings.species = {"Li", "O", "Cl"};
  EXPECT_THAT(refusal(salt()), HasSubstr("LDAUU has values for Li O Cl"));
  settings.template_text = vasp().default_template();
  EXPECT_EQ(refusal(salt()), "(not refused)") << "without such values no element must be there";

  settings.environment["SOLION_VASP_POTCARS"] = "/nowhere";
  EXPECT_THROW(vasp().prepare(salt(), settings, scratch.path() / "run"), InputError);
}

TEST(Vasp, ReadsOutcarAndVasprun) {
  const Scratch scratch("vasp");
  write_file(scratch.path() / "OUTCAR", outcar(14, "-0.1284535E-06"));
  RawResult r = vasp().parse(salt(), scratch.path());
  EXPECT_TRUE(r.converged);
  EXPECT_EQ(r.scf_iterations, 14);
  EXPECT_THAT(r.code_version, HasSubstr("6.3.2"));
  expect_salt(r);
  write_file(scratch.path() / "vasprun.xml", vasprun(14, 1e-7));
  r = vasp().parse(salt(), scratch.path());
  EXPECT_TRUE(r.converged);
  EXPECT_EQ(r.scf_iterations, 14);
  expect_salt(r);
}

TEST(Vasp, ReachedEdiffAtNelmIsNotConverged) {
  const Scratch scratch("vasp");
  // The message stands there in both cases.
  write_file(scratch.path() / "OUTCAR", outcar(60, "-0.1284535E-02"));
  EXPECT_FALSE(vasp().parse(salt(), scratch.path()).converged);
  write_file(scratch.path() / "OUTCAR", outcar(60, "-0.1284535E-06"));
  EXPECT_TRUE(vasp().parse(salt(), scratch.path()).converged);
  write_file(scratch.path() / "vasprun.xml", vasprun(60, 1e-3));
  EXPECT_FALSE(vasp().parse(salt(), scratch.path()).converged);
  write_file(scratch.path() / "vasprun.xml", vasprun(60, 1e-7));
  EXPECT_TRUE(vasp().parse(salt(), scratch.path()).converged);
}

TEST(Vasp, HalfAFileIsSaid) {
  const Scratch scratch("vasp");
  for (const auto& [name, whole] : {std::pair<std::string, std::string>{"OUTCAR", outcar(14, "-0.1E-06")},
                                    {"vasprun.xml", vasprun(14, 1e-7)}}) {
    for (std::size_t n = 0; n + 30 < whole.size(); n += 97) {
      write_file(scratch.path() / name, whole.substr(0, n));
      EXPECT_THROW((void)vasp().parse(salt(), scratch.path()), InputError) << name << " " << n;
    }
  }
}

}  // namespace
}  // namespace solion::reference
