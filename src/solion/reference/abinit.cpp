// ABINIT: the template is its input file; cell, atoms and k-points are filled in as ABINIT's variables.
#include <algorithm>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/reference/calculator.hpp"
#include "solion/reference/log_text.hpp"
#include "solion/reference/program.hpp"
#include "solion/structure/elements.hpp"

namespace solion::reference {
namespace {

constexpr const char* input_name = "calculate.abi";
constexpr const char* output_name = "calculate.abo";
constexpr const char* advice =
    "On Debian: apt-get install abinit abinit-data; another program is given with --program or SOLION_ABINIT";

constexpr const char* built_in_template =
    R"(# Li3OCl with ABINIT: PBE, the PAW data sets of Debian's abinit-data, plane waves to 20 hartree.
# solion fills in the three words between @ signs (cell, atoms, k-points); everything else is ABINIT's own language. The
# order of pseudos, znucl and the types is the same.
ntypat 3
znucl 3 8 17
pp_dirpath "/usr/share/abinit/psp"
pseudos "li.PBE.atompaw.paw, O.GGA-PBE-rpaw-1.45.abinit, Cl.GGA-PBE-paw.abinit"
usexcnhat 0
ecut 20
pawecutdg 40
toldff 1.0d-6
nstep 60
nsym 1
optforces 1
optstress 1
prtwf 0
prtden 0
prteig 0
@CELL@
@ATOMS@
@KPOINTS@
)";

std::string rows(const std::vector<Vec3>& vectors) {
  std::string text;
  for (const Vec3& v : vectors) text += fmt::format("\n  {} {} {}", v[0], v[1], v[2]);
  return text;
}

/// ABINIT takes no line of more than 264 characters.
void add_number(std::string& text, const std::string& number) {
  const auto line = text.rfind('\n');
  const std::size_t length = line == std::string::npos ? text.size() : text.size() - line;
  text += (length > 100 ? "\n  " : " ") + number;
}

std::string kpoints_text(const KPoints& kpoints, const Cell& cell) {
  if (kpoints.points.empty()) {
    const auto n = kpoints.mesh(cell);
    const auto shift = [](int m) { return m % 2 == 0 ? 0.5 : 0.0; };
    return fmt::format("kptopt 3\nngkpt {} {} {}\nnshiftk 1\nshiftk {} {} {}", n[0], n[1], n[2], shift(n[0]),
                       shift(n[1]), shift(n[2]));
  }
  std::string text =
      fmt::format("kptopt 0\nnkpt {}\nkpt{}\nwtk", kpoints.points.size(), rows(kpoints.points));
  for (std::size_t i = 0; i < kpoints.points.size(); ++i)
    add_number(text, fmt::format("{}", 1.0 / static_cast<double>(kpoints.points.size())));
  return text;
}

/// The nuclear charges of the template's `znucl`, which number the types.
std::vector<int> charges(const Settings& settings) {
  std::string text = settings.template_text;
  std::size_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string one = text.substr(begin, end - begin);
    one = one.substr(0, one.find_first_of("#!"));
    begin = end + 1;
    const auto at = one.find("znucl");
    if (at == std::string::npos) continue;
    std::vector<int> result;
    std::size_t i = at + 5;
    while (i < one.size()) {
      const std::size_t from = one.find_first_of("0123456789", i);
      if (from == std::string::npos) break;
      i = one.find_first_not_of("0123456789.", from);
      if (i == std::string::npos) i = one.size();
      result.push_back(static_cast<int>(std::stod(one.substr(from, i - from))));
    }
    if (!result.empty()) return result;
    throw InputError("{}:{}: expected the nuclear charges behind znucl", settings.template_name, line);
  }
  throw InputError("{}: the template has no znucl, which numbers the types", settings.template_name);
}

class Abinit final : public Calculator {
 public:
  [[nodiscard]] std::string name() const override { return "abinit"; }
  [[nodiscard]] std::string default_template() const override { return built_in_template; }

  [[nodiscard]] std::string version(const Settings& settings) const override {
    std::string said = probe("ABINIT", {program(settings), "--version"}, settings, advice);
    return said.substr(said.find_last_of('\n') + 1);
  }

  void prepare(const Frame& frame, const Settings& settings,
               const std::filesystem::path& folder) const override {
    if (!frame.cell) throw InputError("ABINIT: the frame has no cell");
    const std::vector<int> znucl = charges(settings);
    std::string types;
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      const auto found = std::find(znucl.begin(), znucl.end(), atomic_number(frame.element(i)));
      if (found == znucl.end())
        throw InputError("{}: znucl does not have {}", settings.template_name, frame.element(i));
      add_number(types, std::to_string(found - znucl.begin() + 1));
    }
    const Cell& cell = *frame.cell;
    write_file(folder / input_name,
               fill_template(settings.template_text, settings.template_name,
                             {{"CELL", "acell 1 1 1 angstrom\nrprim" +
                                           rows({cell.vector(0), cell.vector(1), cell.vector(2)})},
                              {"ATOMS", fmt::format("natom {}\ntypat{}\nxcart{}\n  angstrom", frame.n_atoms(),
                                                    types, rows(frame.positions))},
                              {"KPOINTS", kpoints_text(settings.kpoints, cell)}}));
  }

  [[nodiscard]] std::vector<std::string> command(const Settings& settings) const override {
    std::vector<std::string> argv = settings.launcher;
    argv.insert(argv.end(), {program(settings), input_name});
    return argv;
  }

  [[nodiscard]] RawResult parse(const Frame& frame, const std::filesystem::path& folder) const override {
    const LogText log(folder / output_name);
    (void)log.need_last("Calculation completed.");
    RawResult result;
    if (const auto n = log.first("of ABINIT")) result.code_version = word_behind(log.line(*n), ".Version");
    // "iterations are completed or convergence reached" stands there either way.
    const bool failed = log.last("was not enough SCF cycles").has_value();
    result.converged = !failed && log.last("At SCF step").has_value();
    const std::size_t step = log.need_last(" ETOT ");
    result.scf_iterations = log.count(step, "ETOT");
    result.energy_eV = log.number(step, "ETOT", 1) * constants::hartree_eV;
    if (const auto n = log.first("nelect:")) result.n_electrons = log.number(*n, "nelect:");
    const std::size_t forces = log.need_only("cartesian forces (hartree/bohr) at end:");
    for (std::size_t i = 0; i < frame.n_atoms(); ++i)
      result.forces_eV_per_A.push_back(log.vector(forces + 1 + i, 1) * constants::hartree_eV /
                                       constants::bohr_A);
    const std::size_t stress = log.need_last("Cartesian components of stress tensor (hartree/bohr^3)");
    Mat3 sigma;
    for (int k = 0; k < 3; ++k) {
      const std::size_t n = stress + 1 + static_cast<std::size_t>(k);
      const auto entry = [&](int i, int j) {
        return log.number(n, fmt::format("sigma({} {})=", i + 1, j + 1));
      };
      const int i = k == 2 ? 1 : 2;  // beside sigma(k k): 32, 31, 21
      const int j = k == 0 ? 1 : 0;
      sigma(k, k) = entry(k, k);
      sigma(i, j) = sigma(j, i) = entry(i, j);
    }
    const double bohr3 = constants::bohr_A * constants::bohr_A * constants::bohr_A;
    result.stress_eV_per_A3 = Mat3(sigma * constants::hartree_eV / bohr3);
    return result;
  }

 private:
  static std::string program(const Settings& settings) {
    return chosen_program(settings, "SOLION_ABINIT", "abinit");
  }
};

}  // namespace

const Calculator& abinit() {
  static const Abinit instance;
  return instance;
}

}  // namespace solion::reference
