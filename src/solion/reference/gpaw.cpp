// GPAW: the template is a Python script; a few lines added to it compute and write the result whole.
#include <cstdlib>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/reference/calculator.hpp"
#include "solion/reference/process.hpp"

namespace solion::reference {
namespace {

// Not gpaw.py: the script's folder comes first where Python looks for modules.
constexpr const char* script_name = "calculate.py";

// The same text is examples/li3ocl/gpaw.py.in (a test compares them).
constexpr const char* built_in_template =
    R"(# Li3OCl with GPAW: PBE, plane waves to 600 eV, Debian's default PAW setups, fixed occupations, no symmetry.
# solion fills in the two words between @ signs and adds the lines that compute and save the result; everything
# else is GPAW's own language. `atoms.calc` must be set in the end.
from ase import Atoms
from gpaw import GPAW, PW, Mixer

atoms = @ATOMS@
atoms.calc = GPAW(
    mode=PW(600),
    xc='PBE',
    kpts=@KPOINTS@,
    symmetry='off',
    occupations={'name': 'fixed-uniform'},
    mixer=Mixer(0.3, 5, 1.0),
    maxiter=120,
    txt='gpaw.txt')
)";

// An SCF that does not converge is a result too (an audited failure); any other exception ends the script.
constexpr const char* epilogue = R"(

def _solion_compute(atoms, name='result.json'):
    import json, os, time
    import gpaw
    from gpaw import KohnShamConvergenceError
    start = time.time()
    result = {'gpaw_version': gpaw.__version__, 'converged': False}
    calc = atoms.calc
    try:
        result['energy_eV'] = float(atoms.get_potential_energy(force_consistent=True))
        result['forces_eV_per_A'] = atoms.get_forces().tolist()
        result['stress_eV_per_A3'] = atoms.get_stress(voigt=False).tolist()
        result['converged'] = bool(calc.scf.converged)
    except KohnShamConvergenceError as error:
        print(error)
    result['scf_iterations'] = int(calc.scf.niter)
    result['n_electrons'] = float(calc.wfs.nvalence)
    result['wall_s'] = time.time() - start
    if gpaw.mpi.rank == 0:
        with open(name + '.tmp', 'w') as file:
            json.dump(result, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(name + '.tmp', name)
)";
constexpr const char* compute_once = "\n\n_solion_compute(atoms)\n";
// Wavefunctions and density of the last frame are where the next one starts; `reset` drops them.
constexpr const char* serve = R"(

def _solion_serve(atoms):
    import json, os, time
    number = 1
    while True:
        request = f'request-{number}.json'
        while not os.path.exists(request):
            time.sleep(0.005)
        with open(request) as file:
            wanted = json.load(file)
        if wanted['fresh']:
            atoms.calc.reset()
        atoms.set_cell(wanted['cell'])
        atoms.set_positions(wanted['positions'])
        _solion_compute(atoms, f'result-{number}.json')
        number += 1


_solion_serve(atoms)
)";

std::string python_list(const Vec3& v) { return fmt::format("[{}, {}, {}]", v[0], v[1], v[2]); }

std::string python_atoms(const Frame& frame) {
  std::string text = "Atoms(\n    symbols=[";
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", frame.element(i));
  text += "],\n    cell=[";
  for (int k = 0; k < 3; ++k) text += (k == 0 ? "" : ", ") + python_list(frame.cell->vector(k));
  text += "],\n    pbc=True,\n    positions=[\n";
  for (const Vec3& r : frame.positions) text += "        " + python_list(r) + ",\n";
  return text + "    ])";
}

std::string python_kpoints(const KPoints& kpoints, const Cell& cell) {
  if (kpoints.points.empty()) {
    const auto n = kpoints.mesh(cell);
    return fmt::format("{{'size': ({}, {}, {})}}", n[0], n[1], n[2]);
  }
  std::string text = "[";
  for (const Vec3& k : kpoints.points) text += (text.size() == 1 ? "" : ", ") + python_list(k);
  return text + "]";
}

/// Without its setups (the atoms' data) GPAW starts and can compute nothing.
constexpr const char* version_script = R"(
import glob, os, sys
import ase, gpaw
if not any(glob.glob(os.path.join(folder, '*.PBE*')) for folder in gpaw.setup_paths):
    sys.exit('GPAW %s has no setups in %s' % (gpaw.__version__, ', '.join(gpaw.setup_paths) or 'GPAW_SETUP_PATH'))
print(gpaw.__version__)
)";

class Gpaw final : public Calculator {
 public:
  [[nodiscard]] std::string name() const override { return "gpaw"; }
  [[nodiscard]] std::string default_template() const override { return built_in_template; }
  [[nodiscard]] std::string log_name() const override { return "gpaw.txt"; }

  [[nodiscard]] std::string version(const Settings& settings) const override {
    const TemporaryFolder folder("gpaw-version");
    const std::filesystem::path log = folder.path() / "log";
    Command probe;
    probe.argv = {program(settings), "-c", version_script};
    probe.folder = folder.path();
    probe.log = log;
    probe.environment = settings.environment;
    probe.time_limit_s = 120;
    std::string said;
    bool good = false;
    try {
      good = run(probe, [] { return false; }).success();
      said = tail(log, 1);
    } catch (const WorkError& error) {
      said = error.what();
    }
    if (!good) {
      throw WorkError(
          "GPAW does not run with {}: {}\nOn Debian: apt-get install gpaw gpaw-data; another Python is "
          "given with --program or SOLION_GPAW_PYTHON",
          program(settings), said);
    }
    return said;
  }

  void prepare(const Frame& frame, const Settings& settings,
               const std::filesystem::path& folder) const override {
    write_file(folder / script_name, filled(frame, settings) + epilogue + compute_once);
  }

  [[nodiscard]] std::string server_script(const Frame& frame, const Settings& settings) const override {
    return filled(frame, settings) + epilogue + serve;
  }
  [[nodiscard]] std::string server_name() const override { return script_name; }
  [[nodiscard]] std::vector<std::string> server_command(const Settings& settings) const override {
    return command(settings);
  }

  [[nodiscard]] std::vector<std::string> command(const Settings& settings) const override {
    std::vector<std::string> argv = settings.launcher;
    argv.push_back(program(settings));
    argv.emplace_back(script_name);
    return argv;
  }

  [[nodiscard]] RawResult parse(const Frame& /*frame*/, const std::filesystem::path& folder) const override {
    const auto file = folder / "result.json";
    return parse_result(read_file(file), file.string());
  }

 private:
  static std::string filled(const Frame& frame, const Settings& settings) {
    if (!frame.cell) throw InputError("GPAW: the frame has no cell");
    return fill_template(
        settings.template_text, settings.template_name,
        {{"ATOMS", python_atoms(frame)}, {"KPOINTS", python_kpoints(settings.kpoints, *frame.cell)}});
  }
  /// Debian's own Python, as GPAW is one of its packages and another Python first in PATH would not see it.
  static std::string program(const Settings& settings) {
    if (!settings.program.empty()) return settings.program;
    const char* chosen = std::getenv("SOLION_GPAW_PYTHON");
    return chosen != nullptr && *chosen != '\0' ? chosen : "/usr/bin/python3";
  }
};

}  // namespace

const Calculator& gpaw() {
  static const Gpaw instance;
  return instance;
}

}  // namespace solion::reference
