// CP2K: the template is its input file; cell, coordinates and k-points go into their sections.
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/reference/calculator.hpp"
#include "solion/reference/log_text.hpp"
#include "solion/reference/program.hpp"

namespace solion::reference {
namespace {

constexpr const char* input_name = "calculate.inp";
constexpr const char* advice =
    "On Debian: apt-get install cp2k cp2k-data; another program is given with --program or SOLION_CP2K";

constexpr const char* built_in_template =
    R"(! Li3OCl with CP2K: PBE, GTH pseudopotentials and MOLOPT basis sets of Debian's cp2k-data, a full diagonalisation.
! solion fills in the three words between @ signs; everything else is CP2K's own language. Forces and stress must be
! printed to the standard output, as below.
&GLOBAL
  PROJECT calculate
  RUN_TYPE ENERGY_FORCE
  PRINT_LEVEL MEDIUM
&END GLOBAL
&FORCE_EVAL
  METHOD QUICKSTEP
  STRESS_TENSOR ANALYTICAL
  &DFT
    BASIS_SET_FILE_NAME BASIS_MOLOPT
    POTENTIAL_FILE_NAME GTH_POTENTIALS
    &MGRID
      CUTOFF 600
      REL_CUTOFF 60
    &END MGRID
    &QS
      EPS_DEFAULT 1.0E-12
    &END QS
    &KPOINTS
      @KPOINTS@
    &END KPOINTS
    &SCF
      EPS_SCF 1.0E-7
      MAX_SCF 80
      &MIXING
        METHOD BROYDEN_MIXING
        ALPHA 0.3
      &END MIXING
      &PRINT
        &RESTART OFF
        &END RESTART
      &END PRINT
    &END SCF
    &XC
      &XC_FUNCTIONAL PBE
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
    &KIND Li
      BASIS_SET DZVP-MOLOPT-SR-GTH
      POTENTIAL GTH-PBE-q3
    &END KIND
    &KIND O
      BASIS_SET DZVP-MOLOPT-SR-GTH
      POTENTIAL GTH-PBE-q6
    &END KIND
    &KIND Cl
      BASIS_SET DZVP-MOLOPT-SR-GTH
      POTENTIAL GTH-PBE-q7
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

std::string kpoints_text(const KPoints& kpoints, const Cell& cell) {
  if (kpoints.points.empty()) {
    const auto n = kpoints.mesh(cell);
    return fmt::format("SCHEME MONKHORST-PACK {} {} {}", n[0], n[1], n[2]);
  }
  std::string text = "SCHEME GENERAL\n      SYMMETRY F\n      FULL_GRID T\n      UNITS B_VECTOR";
  for (const Vec3& k : kpoints.points)
    text += fmt::format("\n      KPOINT {} {} {} {}", k[0], k[1], k[2],
                        1.0 / static_cast<double>(kpoints.points.size()));
  return text;
}

class Cp2k final : public Calculator {
 public:
  [[nodiscard]] std::string name() const override { return "cp2k"; }
  [[nodiscard]] std::string default_template() const override { return built_in_template; }

  [[nodiscard]] std::string version(const Settings& settings) const override {
    return word_behind(probe("CP2K", {program(settings), "--version"}, settings, advice), "CP2K version");
  }

  void prepare(const Frame& frame, const Settings& settings,
               const std::filesystem::path& folder) const override {
    if (!frame.cell) throw InputError("CP2K: the frame has no cell");
    std::string cell, atoms;
    const char* name = "ABC";
    for (int k = 0; k < 3; ++k) {
      const Vec3 v = frame.cell->vector(k);
      cell += fmt::format("{}{} {} {} {}", k == 0 ? "" : "\n      ", name[k], v[0], v[1], v[2]);
    }
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      const Vec3& r = frame.positions[i];
      atoms += fmt::format("{}{} {} {} {}", i == 0 ? "" : "\n      ", frame.element(i), r[0], r[1], r[2]);
    }
    write_file(
        folder / input_name,
        fill_template(
            settings.template_text, settings.template_name,
            {{"CELL", cell}, {"ATOMS", atoms}, {"KPOINTS", kpoints_text(settings.kpoints, *frame.cell)}}));
  }

  [[nodiscard]] std::vector<std::string> command(const Settings& settings) const override {
    std::vector<std::string> argv = settings.launcher;
    argv.insert(argv.end(), {program(settings), "-i", input_name});
    return argv;
  }

  [[nodiscard]] RawResult parse(const Frame& frame, const std::filesystem::path& folder) const override {
    const LogText log(folder / "log");
    const auto failed = log.last("SCF run NOT converged");
    // From 2024 on CP2K stops there, with status 1.
    if (!failed) (void)log.need_last("PROGRAM ENDED AT");
    RawResult result;
    if (const auto n = log.last("CP2K| version string:"))
      result.code_version = word_behind(log.line(*n), "CP2K version");
    const auto converged = log.last("SCF run converged in");
    result.converged = converged && !failed;
    if (converged) result.scf_iterations = log.count(*converged, "converged in");
    if (const auto n = log.last("Number of electrons:")) {
      result.n_electrons = 0;
      // Two spins have a line each.
      for (std::size_t i = log.first("Number of electrons:").value_or(*n); i <= *n; ++i) {
        if (log.line(i).find("Number of electrons:") != std::string::npos)
          *result.n_electrons += log.number(i, "electrons:");
      }
    }
    if (failed) return result;
    const std::size_t energy = log.need_last("ENERGY| Total FORCE_EVAL");
    // Before 8.1 "(a.u.):", then "[a.u.]:", from 2025 "[hartree]".
    result.energy_eV = log.number(energy, "energy") * constants::hartree_eV;
    result.forces_eV_per_A = forces(log, frame.n_atoms());
    result.stress_eV_per_A3 = stress(log);
    return result;
  }

 private:
  /// Two layouts: "ATOMIC FORCES in [a.u.]" with atom, kind, element, x, y, z; from 2025 "FORCES| Atomic
  /// forces [hartree/bohr]" with "FORCES|", atom, x, y, z and the length.
  static std::vector<Vec3> forces(const LogText& log, std::size_t n_atoms) {
    constexpr const char* recent = "FORCES| Atomic forces [hartree/bohr]";
    const bool is_recent = log.last(recent).has_value();
    const std::size_t title = log.need_only(is_recent ? recent : "ATOMIC FORCES in [a.u.]");
    std::vector<Vec3> values;
    for (std::size_t i = 0; i < n_atoms; ++i) {
      const Vec3 f = is_recent ? log.vector(title + 2 + i, 1) : log.vector(title + 3 + i, 2);
      values.emplace_back(f * constants::hartree_eV / constants::bohr_A);
    }
    return values;
  }

  /// In GPa or, from 2025, bar. CP2K prints the pressure tensor; before 8.1 with an empty line above its
  /// head.
  static Mat3 stress(const LogText& log) {
    constexpr const char *in_bar = "STRESS| Analytical stress tensor [bar]",
                         *in_GPa = "STRESS| Analytical stress tensor [GPa]", *old = "STRESS TENSOR [GPa]";
    const bool is_bar = log.last(in_bar).has_value();
    const bool is_old = !is_bar && !log.last(in_GPa) && log.last(old);
    const std::size_t title = log.need_last(is_bar ? in_bar : is_old ? old : in_GPa);
    Mat3 sigma;
    for (int k = 0; k < 3; ++k)
      sigma.row(k) = log.vector(title + (is_old ? 3 : 2) + static_cast<std::size_t>(k)).transpose();
    return -sigma * (is_bar ? constants::bar_in_GPa : 1.0) / constants::eV_per_A3_in_GPa;
  }

  static std::string program(const Settings& settings) {
    return chosen_program(settings, "SOLION_CP2K", "cp2k.psmp");
  }
};

}  // namespace

const Calculator& cp2k() {
  static const Cp2k instance;
  return instance;
}

}  // namespace solion::reference
