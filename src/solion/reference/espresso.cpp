// Quantum ESPRESSO: the template is the input of pw.x; nat, cell, positions and k-points are filled in.
#include <regex>
#include <sstream>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/reference/calculator.hpp"
#include "solion/reference/log_text.hpp"
#include "solion/reference/program.hpp"

namespace solion::reference {
namespace {

constexpr const char* input_name = "calculate.in";
constexpr const char* advice =
    "On Debian: apt-get install quantum-espresso; another pw.x is given with --program or SOLION_PW";

constexpr const char* built_in_template =
    R"(! Li3OCl with Quantum ESPRESSO: PBE, ultrasoft or PAW pseudopotentials at 60 Ry.
! Debian packages pseudopotentials of O (PBE) and Li (PBEsol) but none of Cl: put Li.upf, O.upf and Cl.upf of one library
! into a folder that ESPRESSO_PSEUDO names, in the environment or under [environment] of the settings. solion fills in the four words between @ signs; everything else is the language of pw.x. tprnfor and
! tstress must stay.
&control
  calculation = 'scf'
  tprnfor = .true.
  tstress = .true.
  outdir = './'
  disk_io = 'none'
/
&system
  ibrav = 0
  nat = @NAT@
  ntyp = 3
  ecutwfc = 60
  ecutrho = 480
  nosym = .true.
  noinv = .true.
/
&electrons
  conv_thr = 1d-9
  electron_maxstep = 100
/
ATOMIC_SPECIES
Li  6.94    Li.upf
O   15.999  O.upf
Cl  35.45   Cl.upf
CELL_PARAMETERS angstrom
@CELL@
ATOMIC_POSITIONS angstrom
@ATOMS@
@KPOINTS@
)";

/// Monkhorst and Pack's points: an even mesh is shifted by half a step, an odd one holds Γ.
std::string kpoints_text(const KPoints& kpoints, const Cell& cell) {
  if (kpoints.points.empty()) {
    const auto n = kpoints.mesh(cell);
    const auto shift = [](int m) { return m % 2 == 0 ? 1 : 0; };
    return fmt::format("K_POINTS automatic\n{} {} {} {} {} {}", n[0], n[1], n[2], shift(n[0]), shift(n[1]),
                       shift(n[2]));
  }
  std::string text = fmt::format("K_POINTS crystal\n{}", kpoints.points.size());
  for (const Vec3& k : kpoints.points) text += fmt::format("\n{} {} {} 1", k[0], k[1], k[2]);
  return text;
}

/// Each frame is computed in a folder of its own, where a relative path leads nowhere.
void refuse_relative_pseudo_dir(const Settings& settings) {
  static const std::regex pattern(R"(^[^!]*\bpseudo_dir\s*=\s*['"]([^'"]*)['"])", std::regex::icase);
  std::istringstream lines(settings.template_text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::smatch match;
    if (std::regex_search(line, match, pattern) && !match[1].str().starts_with('/'))
      throw InputError(
          "{}:{}: pseudo_dir = '{}': expected an absolute path, since every frame is computed in a folder of "
          "its own; or leave it out and set ESPRESSO_PSEUDO under [environment]",
          settings.template_name, number, match[1].str());
  }
}

class Espresso final : public Calculator {
 public:
  [[nodiscard]] std::string name() const override { return "espresso"; }
  [[nodiscard]] std::string default_template() const override { return built_in_template; }

  [[nodiscard]] std::string version(const Settings& settings) const override {
    // pw.x has no option for it: it reads an empty input, names itself and stops with an error.
    const std::string said = probe("Quantum ESPRESSO", {program(settings)}, settings, advice, true);
    std::string version = word_behind(said, "Program PWSCF v.");
    if (version.empty())
      throw WorkError("Quantum ESPRESSO does not run with {}: {}\n{}", program(settings), said.substr(0, 400),
                      advice);
    return version;
  }

  void prepare(const Frame& frame, const Settings& settings,
               const std::filesystem::path& folder) const override {
    if (!frame.cell) throw InputError("Quantum ESPRESSO: the frame has no cell");
    refuse_relative_pseudo_dir(settings);
    std::string cell, atoms;
    for (int k = 0; k < 3; ++k) {
      const Vec3 v = frame.cell->vector(k);
      cell += fmt::format("{}{} {} {}", k == 0 ? "" : "\n", v[0], v[1], v[2]);
    }
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      const Vec3& r = frame.positions[i];
      atoms += fmt::format("{}{} {} {} {}", i == 0 ? "" : "\n", frame.element(i), r[0], r[1], r[2]);
    }
    write_file(folder / input_name,
               fill_template(settings.template_text, settings.template_name,
                             {{"NAT", fmt::format("{}", frame.n_atoms())},
                              {"CELL", cell},
                              {"ATOMS", atoms},
                              {"KPOINTS", kpoints_text(settings.kpoints, *frame.cell)}}));
  }

  [[nodiscard]] std::vector<std::string> command(const Settings& settings) const override {
    std::vector<std::string> argv = settings.launcher;
    argv.insert(argv.end(), {program(settings), "-in", input_name});
    return argv;
  }

  [[nodiscard]] RawResult parse(const Frame& frame, const std::filesystem::path& folder) const override {
    constexpr double rydberg_eV = constants::hartree_eV / 2;
    const LogText log(folder / "log");
    RawResult result;
    if (const auto n = log.first("Program PWSCF v."))
      result.code_version = word_behind(log.line(*n), "PWSCF v.");
    const auto converged = log.last("convergence has been achieved in");
    result.converged = converged && !log.last("convergence NOT achieved");
    if (converged) result.scf_iterations = log.count(*converged, "achieved in");
    if (const auto n = log.first("number of electrons")) result.n_electrons = log.number(*n, "electrons");
    const auto failed = log.last("convergence NOT achieved");
    if (failed) return result;  // pw.x then ends with status 2
    (void)log.need_last("JOB DONE.");
    if (!result.converged) return result;
    result.energy_eV = log.number(log.need_last("!    total energy"), "total energy") * rydberg_eV;
    const std::size_t forces = log.need_only("Forces acting on atoms");
    std::size_t line = forces + 1;
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      while (line < log.size() && log.line(line).find("force =") == std::string::npos) ++line;
      const std::vector<double> f = log.numbers(line, "force =");
      if (f.size() < 3) log.fail(line, "expected the three components of a force");
      result.forces_eV_per_A.emplace_back(Vec3(f[0], f[1], f[2]) * rydberg_eV / constants::bohr_A);
      ++line;
    }
    const std::size_t stress = log.need_last("total   stress");
    Mat3 sigma;
    for (int k = 0; k < 3; ++k)
      sigma.row(k) = log.vector(stress + 1 + static_cast<std::size_t>(k)).transpose();
    // pw.x prints the pressure tensor; a digit of its Ry/bohr³ is 0.00015 GPa.
    const double bohr3 = constants::bohr_A * constants::bohr_A * constants::bohr_A;
    result.stress_eV_per_A3 = Mat3(-sigma * rydberg_eV / bohr3);
    return result;
  }

 private:
  static std::string program(const Settings& settings) {
    return chosen_program(settings, "SOLION_PW", "pw.x");
  }
};

}  // namespace

const Calculator& espresso() {
  static const Espresso instance;
  return instance;
}

}  // namespace solion::reference
