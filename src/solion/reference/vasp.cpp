// VASP: the template is INCAR; POSCAR, KPOINTS and POTCAR are written beside it. VASP itself is not free, so
// that this file rests on its documented formats (https://www.vasp.at/wiki: POSCAR, KPOINTS, OUTCAR,
// vasprun.xml).
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <regex>
#include <sstream>

#include <fmt/ranges.h>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/io/vasp.hpp"
#include "solion/io/vasprun.hpp"
#include "solion/reference/calculator.hpp"
#include "solion/reference/log_text.hpp"
#include "solion/reference/program.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;

constexpr const char* advice =
    "VASP is licensed software; give its program with --program or SOLION_VASP, and the folder of its "
    "potentials (ELEMENT/POTCAR) in SOLION_VASP_POTCARS";

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

/// Elements of POSCAR in order: that of `species`, then as they appear; none that the frame lacks.
std::vector<std::string> poscar_elements(const Frame& frame, const std::vector<std::string>& species) {
  std::vector<std::string> there, elements;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (std::find(there.begin(), there.end(), frame.element(i)) == there.end())
      there.push_back(frame.element(i));
  }
  for (const std::string& element : species) {
    if (std::find(there.begin(), there.end(), element) != there.end()) elements.push_back(element);
  }
  for (const std::string& element : there) {
    if (std::find(elements.begin(), elements.end(), element) == elements.end()) elements.push_back(element);
  }
  return elements;
}

/// Values that VASP takes in the order of POSCAR's elements mean nothing as long as that order is open.
void require_species(const Frame& frame, const Settings& settings) {
  static const std::regex pattern(R"((?:^|;)\s*(LDAUL|LDAUU|LDAUJ|MAGMOM|RWIGS|ROPT)\s*=)",
                                  std::regex::icase);
  std::istringstream lines(settings.template_text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = line.substr(0, line.find_first_of("#!"));
    std::smatch match;
    if (!std::regex_search(line, match, pattern)) continue;
    const std::string where = fmt::format("{}:{}: {}", settings.template_name, number, match[1].str());
    if (settings.species.empty())
      throw InputError(
          "{} has values in the order of POSCAR's elements; give that order in the settings, species = "
          "[\"Li\", \"Co\", \"O\"]",
          where);
    const std::vector<std::string> elements = poscar_elements(frame, settings.species);
    if (elements != settings.species)
      throw InputError("{} has values for {} (species of the settings), and the frame has {}", where,
                       fmt::join(settings.species, " "), fmt::join(elements, " "));
  }
}

/// Atoms of POSCAR in order: by element; the order of atoms of one element stays.
std::vector<std::size_t> poscar_order(const Frame& frame, const std::vector<std::string>& elements) {
  std::vector<std::size_t> order(frame.n_atoms());
  std::iota(order.begin(), order.end(), std::size_t{0});
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

/// Forces in the order of the POSCAR of the folder (or of first appearance) given back to the frame's.
std::vector<Vec3> sorted_back(const Frame& frame, const fs::path& poscar, const std::vector<Vec3>& forces) {
  std::vector<std::string> elements;
  if (fs::exists(poscar)) {
    const LogText text(poscar);
    std::istringstream names(text.size() > 5 ? text.line(5) : std::string());
    for (std::string name; names >> name;) elements.push_back(name);
  } else {
    elements = poscar_elements(frame, {});
  }
  if (poscar_elements(frame, elements) != elements)
    throw InputError("{}:6: elements {}, and the frame has others", poscar.string(),
                     fmt::join(elements, " "));
  const std::vector<std::size_t> order = poscar_order(frame, elements);
  std::vector<Vec3> result(forces.size());
  for (std::size_t n = 0; n < order.size(); ++n) result[order[n]] = forces[n];
  return result;
}

/// Forces in the order of POSCAR.
RawResult parse_outcar(std::size_t n_atoms, const fs::path& file) {
  const LogText log(file);
  (void)log.need_last("General timing and accounting");
  RawResult result;
  if (const auto n = log.first("vasp.")) result.code_version = word_behind(" " + log.line(*n), " ");
  if (const auto n = log.last("NELECT =")) result.n_electrons = log.number(*n, "NELECT =");
  const auto nelm = std::int64_t{log.count(log.need_last("NELM   ="), "NELM   =")};
  const std::size_t iteration = log.need_last("Iteration ");
  // "- Iteration    1(  12) -": the electronic step is the number in brackets.
  const std::string& text = log.line(iteration);
  const auto bracket = text.find('(');
  if (bracket == std::string::npos) log.fail(iteration, "expected Iteration m( n)");
  const std::int64_t steps = std::strtol(text.c_str() + bracket + 1, nullptr, 10);
  if (steps < 0 || steps > 1'000'000) log.fail(iteration, "expected a number of steps in the brackets");
  result.scf_iterations = static_cast<int>(steps);
  // "total energy-change (2. order) :-0.1284535E-06  (-0.2E-07)": a sign may touch the colon.
  constexpr const char* change_words = "total energy-change (2. order) :";
  const auto last_change = log.last(change_words);
  const double change = last_change ? log.number(*last_change, change_words) : std::nan("");
  const double ediff = log.number(log.need_last("EDIFF  ="), "EDIFF  =");
  result.converged =
      log.last("aborting loop because EDIFF is reached") && io::vasp_converged(steps, nelm, change, ediff);
  result.energy_eV = log.number(log.need_last("free  energy   TOTEN"), "TOTEN");
  const std::size_t forces = log.need_only("TOTAL-FORCE (eV/Angst)");
  std::vector<Vec3> values;
  values.reserve(n_atoms);
  for (std::size_t i = 0; i < n_atoms; ++i) values.push_back(log.vector(forces + 2 + i, 3));
  result.forces_eV_per_A = std::move(values);
  const std::size_t stress = log.need_last("in kB");
  const std::vector<double> s = log.numbers(stress, "in kB");  // XX YY ZZ XY YZ ZX
  if (s.size() < 6) log.fail(stress, "expected six components of the stress");
  Mat3 kbar;
  kbar << s[0], s[3], s[5], s[3], s[1], s[4], s[5], s[4], s[2];
  result.stress_eV_per_A3 = io::vasp_stress_eV_per_A3(kbar);
  return result;
}

/// The only ionic step; forces in the order of POSCAR.
RawResult parse_vasprun(std::size_t n_atoms, const fs::path& path) {
  const io::Vasprun file(path);
  if (file.n_steps() > 1) {
    throw InputError("{}: {} ionic steps: an INCAR for labels must not move the atoms (NSW = 0)",
                     path.string(), file.n_steps());
  }
  const io::VaspStep step = file.step(0, n_atoms);
  RawResult result;
  result.code_version = file.version();
  result.n_electrons = file.n_electrons();
  result.scf_iterations = step.scf_steps;
  result.converged = step.converged;
  result.energy_eV = step.energy_eV;
  result.forces_eV_per_A = step.forces_eV_per_A;
  result.stress_eV_per_A3 = step.stress_eV_per_A3;
  return result;
}

class Vasp final : public Calculator {
 public:
  [[nodiscard]] std::string name() const override { return "vasp"; }
  [[nodiscard]] std::string default_template() const override { return built_in_template; }

  [[nodiscard]] std::string version(const Settings& settings) const override {
    // vasp_std has no option for it and needs all its inputs; that it can be found is all that can be asked.
    const std::string name = program(settings);
    if (probe("VASP", {"sh", "-c", "command -v \"$0\"", name}, settings, advice, true).empty())
      throw WorkError("VASP: there is no program '{}'\n{}", name, advice);
    return "as its output says";
  }

  void prepare(const Frame& frame, const Settings& settings, const fs::path& folder) const override {
    if (!frame.cell) throw InputError("VASP: the frame has no cell");
    require_species(frame, settings);
    const std::vector<std::string> elements = poscar_elements(frame, settings.species);
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

  [[nodiscard]] std::string data_identity(const Frame& frame, const Settings& settings) const override {
    std::string hashes;
    for (const std::string& element : poscar_elements(frame, settings.species))
      hashes += sha256(read_file(potcars(settings) / element / "POTCAR"));
    return hashes;
  }

  [[nodiscard]] RawResult parse(const Frame& frame, const fs::path& folder) const override {
    const fs::path xml = folder / "vasprun.xml";
    RawResult result = fs::exists(xml) ? parse_vasprun(frame.n_atoms(), xml)
                                       : parse_outcar(frame.n_atoms(), folder / "OUTCAR");
    result.forces_eV_per_A = sorted_back(frame, folder / "POSCAR", result.forces_eV_per_A);
    return result;
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
