// VASP: the template is INCAR; POSCAR, KPOINTS and POTCAR are written beside it. VASP itself is not free, so
// that this file rests on its documented formats (https://www.vasp.at/wiki: POSCAR, KPOINTS, OUTCAR,
// vasprun.xml).
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/reference/calculator.hpp"
#include "solion/reference/log_text.hpp"
#include "solion/reference/program.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;

constexpr const char* advice =
    "VASP is licensed software; give its program with --program or SOLION_VASP, and the folder of its "
    "potentials "
    "(ELEMENT/POTCAR) in SOLION_VASP_POTCARS";

constexpr const char* built_in_template =
    R"(# Li3OCl with VASP: PBE, 600 eV. This is INCAR; solion writes POSCAR, KPOINTS and POTCAR beside it.
SYSTEM = Li3OCl
PREC = Accurate
ENCUT = 600
GGA = PE
ISMEAR = 0
SIGMA = 0.05
EDIFF = 1E-6
NELM = 100
NSW = 0
ISIF = 2
ISYM = 0
LREAL = .FALSE.
LWAVE = .FALSE.
LCHARG = .FALSE.
)";

/// Atoms of POSCAR in order: by element, elements as they appear first; the order of atoms of one element
/// stays.
std::vector<std::size_t> poscar_order(const Frame& frame, std::vector<std::string>& elements) {
  std::vector<std::size_t> order(frame.n_atoms());
  std::iota(order.begin(), order.end(), std::size_t{0});
  elements.clear();
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (std::find(elements.begin(), elements.end(), frame.element(i)) == elements.end())
      elements.push_back(frame.element(i));
  }
  const auto rank = [&](std::size_t i) {
    return std::find(elements.begin(), elements.end(), frame.element(i)) - elements.begin();
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  return order;
}

std::string poscar(const Frame& frame, const std::vector<std::size_t>& order,
                   const std::vector<std::string>& elements) {
  std::string text = "written by solion\n1.0\n";
  for (int k = 0; k < 3; ++k) {
    const Vec3 v = frame.cell->vector(k);
    text += fmt::format("{} {} {}\n", v[0], v[1], v[2]);
  }
  std::string counts;
  for (const std::string& element : elements) {
    text += element + " ";
    counts += fmt::format("{} ", std::count_if(order.begin(), order.end(),
                                               [&](std::size_t i) { return frame.element(i) == element; }));
  }
  text += "\n" + counts + "\nCartesian\n";
  for (const std::size_t i : order) {
    const Vec3& r = frame.positions[i];
    text += fmt::format("{} {} {}\n", r[0], r[1], r[2]);
  }
  return text;
}

/// Monkhorst and Pack's mesh, or a list of fractional points.
std::string kpoints_file(const KPoints& kpoints, const Cell& cell) {
  if (kpoints.points.empty()) {
    const auto n = kpoints.mesh(cell);
    return fmt::format("written by solion\n0\nMonkhorst-Pack\n{} {} {}\n0 0 0\n", n[0], n[1], n[2]);
  }
  std::string text = fmt::format("written by solion\n{}\nReciprocal\n", kpoints.points.size());
  for (const Vec3& k : kpoints.points) text += fmt::format("{} {} {} 1\n", k[0], k[1], k[2]);
  return text;
}

/// Forces of POSCAR's order given back to the frame's.
std::vector<Vec3> sorted_back(const Frame& frame, const std::vector<Vec3>& forces) {
  std::vector<std::string> elements;
  const std::vector<std::size_t> order = poscar_order(frame, elements);
  std::vector<Vec3> result(forces.size());
  for (std::size_t n = 0; n < order.size(); ++n) result[order[n]] = forces[n];
  return result;
}

/// VASP prints the pressure tensor in kbar.
Mat3 stress_of(const Mat3& kbar) { return -kbar * 0.1 / constants::eV_per_A3_in_GPa; }

/// "EDIFF is reached" stands in OUTCAR when NELM is used up as well: what counts is that fewer steps were
/// taken, or that the last change of the energy is below EDIFF.
bool converged(std::int64_t steps, std::int64_t most, double last_change, double ediff) {
  return steps < most || std::abs(last_change) < ediff;
}

RawResult parse_outcar(const Frame& frame, const fs::path& file) {
  const LogText log(file);
  (void)log.need_last("General timing and accounting");
  RawResult result;
  if (const auto n = log.first("vasp.")) result.code_version = word_behind(" " + log.line(*n), " ");
  if (const auto n = log.last("NELECT =")) result.n_electrons = log.number(*n, "NELECT =");
  const auto nelm = static_cast<std::int64_t>(log.number(log.need_last("NELM   ="), "NELM   ="));
  const std::size_t iteration = log.need_last("Iteration ");
  // "- Iteration    1(  12) -": the electronic step is the number in brackets.
  const std::string& text = log.line(iteration);
  const auto bracket = text.find('(');
  if (bracket == std::string::npos) log.fail(iteration, "expected Iteration m( n)");
  const std::int64_t steps = std::strtol(text.c_str() + bracket + 1, nullptr, 10);
  result.scf_iterations = static_cast<int>(steps);
  const double change = [&] {
    // "total energy-change (2. order) :-0.1284535E-06  (-0.2E-07)": one sign may touch the colon.
    const auto n = log.last("total energy-change (2. order)");
    return n ? std::strtod(log.line(*n).c_str() + log.line(*n).find(':') + 1, nullptr) : std::nan("");
  }();
  const double ediff = log.number(log.need_last("EDIFF  ="), "EDIFF  =");
  result.converged =
      log.last("aborting loop because EDIFF is reached") && converged(steps, nelm, change, ediff);
  result.energy_eV = log.number(log.need_last("free  energy   TOTEN"), "TOTEN");
  const std::size_t forces = log.need_last("TOTAL-FORCE (eV/Angst)");
  std::vector<Vec3> values;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) values.push_back(log.vector(forces + 2 + i, 3));
  result.forces_eV_per_A = sorted_back(frame, values);
  const std::size_t stress = log.need_last("in kB");
  const std::vector<double> s = log.numbers(stress, "in kB");  // XX YY ZZ XY YZ ZX
  if (s.size() < 6) log.fail(stress, "expected six components of the stress");
  Mat3 kbar;
  kbar << s[0], s[3], s[5], s[3], s[1], s[4], s[5], s[4], s[2];
  result.stress_eV_per_A3 = stress_of(kbar);
  return result;
}

/// The numbers of the <v> rows behind line `from` of vasprun.xml.
std::vector<Vec3> varray(const LogText& xml, std::size_t from, std::size_t n) {
  std::vector<Vec3> rows;
  for (std::size_t i = 0; i < n; ++i) {
    if (from + 1 + i >= xml.size() || xml.line(from + 1 + i).find("<v>") == std::string::npos)
      xml.fail(from + 1 + i, fmt::format("expected row {} of {} <v> rows", i + 1, n));
    const Vec3 row = xml.vector(from + 1 + i);
    rows.push_back(row);
  }
  return rows;
}

RawResult parse_vasprun(const Frame& frame, const fs::path& file) {
  const LogText xml(file);
  (void)xml.need_last("</modeling>");
  RawResult result;
  if (const auto n = xml.first("name=\"version\"")) result.code_version = word_behind(xml.line(*n), "\">");
  const auto value = [&](const std::string& name) {
    const std::size_t n = xml.need_last("name=\"" + name + "\"");
    return xml.number(n, "name=\"" + name + "\"");
  };
  result.n_electrons = value("NELECT");
  // The last ionic step: its electronic steps and then its energies.
  const std::size_t calculation = xml.need_last("<calculation>");
  std::int64_t steps = 0;
  for (std::size_t n = calculation; n < xml.size(); ++n)
    steps += xml.line(n).find("<scstep>") != std::string::npos;
  std::vector<double> energies;
  for (std::size_t n = calculation; n < xml.size(); ++n) {
    if (xml.line(n).find("name=\"e_fr_energy\"") != std::string::npos)
      energies.push_back(xml.number(n, "name=\"e_fr_energy\""));
  }
  if (energies.empty()) throw InputError("{}: the last <calculation> has no e_fr_energy", xml.name());
  // One energy a step and the final one.
  const double change =
      energies.size() > 2 ? energies[energies.size() - 2] - energies[energies.size() - 3] : 1e9;
  result.scf_iterations = static_cast<int>(steps);
  result.converged =
      steps > 0 && converged(steps, static_cast<std::int64_t>(value("NELM")), change, value("EDIFF"));
  result.energy_eV = energies.back();
  result.forces_eV_per_A =
      sorted_back(frame, varray(xml, xml.need_last("<varray name=\"forces\""), frame.n_atoms()));
  const auto rows = varray(xml, xml.need_last("<varray name=\"stress\""), 3);
  Mat3 kbar;
  for (int k = 0; k < 3; ++k) kbar.row(k) = rows[static_cast<std::size_t>(k)].transpose();
  result.stress_eV_per_A3 = stress_of(kbar);
  return result;
}

class Vasp final : public Calculator {
 public:
  [[nodiscard]] std::string name() const override { return "vasp"; }
  [[nodiscard]] std::string default_template() const override { return built_in_template; }

  [[nodiscard]] std::string version(const Settings& settings) const override {
    // vasp_std has no option for it and needs all its inputs; that it can be found is all that can be asked.
    (void)probe("VASP", {"sh", "-c", "command -v \"$0\"", program(settings)}, settings, advice);
    return "as its output says";
  }

  void prepare(const Frame& frame, const Settings& settings, const fs::path& folder) const override {
    if (!frame.cell) throw InputError("VASP: the frame has no cell");
    std::vector<std::string> elements;
    const std::vector<std::size_t> order = poscar_order(frame, elements);
    std::string potcar;
    for (const std::string& element : elements) potcar += read_file(potcars(settings) / element / "POTCAR");
    write_file(folder / "INCAR", settings.template_text);
    write_file(folder / "POSCAR", poscar(frame, order, elements));
    write_file(folder / "KPOINTS", kpoints_file(settings.kpoints, *frame.cell));
    write_file(folder / "POTCAR", potcar);
  }

  [[nodiscard]] std::vector<std::string> command(const Settings& settings) const override {
    std::vector<std::string> argv = settings.launcher;
    argv.push_back(program(settings));
    return argv;
  }

  [[nodiscard]] RawResult parse(const Frame& frame, const fs::path& folder) const override {
    const fs::path xml = folder / "vasprun.xml";
    return fs::exists(xml) ? parse_vasprun(frame, xml) : parse_outcar(frame, folder / "OUTCAR");
  }
  [[nodiscard]] std::string log_name() const override { return "OUTCAR"; }

 private:
  static std::string program(const Settings& settings) {
    return chosen_program(settings, "SOLION_VASP", "vasp_std");
  }
  static fs::path potcars(const Settings& settings) {
    if (const auto given = settings.environment.find("SOLION_VASP_POTCARS");
        given != settings.environment.end())
      return given->second;
    const char* folder = std::getenv("SOLION_VASP_POTCARS");
    if (folder == nullptr || *folder == '\0')
      throw InputError("VASP: the folder of the potentials is not known; {}", advice);
    return folder;
  }
};

}  // namespace

const Calculator& vasp() {
  static const Vasp instance;
  return instance;
}

}  // namespace solion::reference
