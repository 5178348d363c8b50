// What every reference code is to the rest of the program: inputs from a template, a command, a parsed
// result.
//
// A code's settings are a template in that code's own input language. Only cell, atoms and k-points are
// filled in, so that everything a code can do stays open to the user and nothing is translated. A new code is
// one file that implements `Calculator` and one line in the table of calculator.cpp.
#pragma once

#include <array>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/structure/frame.hpp"

namespace solion::reference {

/// Either explicit points or a mesh by density.
struct KPoints {
  std::vector<Vec3> points;  ///< fractional, equal weights
  double spacing_per_A = 0;  ///< > 0 and no points: Monkhorst–Pack mesh of at most this spacing
  /// The shapes of cells that the points were chosen for: distances between opposite faces (Å), and how far
  /// an angle may be from 90°.
  std::array<double, 2> widths_A{0, std::numeric_limits<double>::infinity()};
  double angle_deg = 90;

  /// Points along a, b, c: the least n_k with 2π/(n_k·w_k) ≤ spacing, w the distances between opposite faces.
  [[nodiscard]] std::array<int, 3> mesh(const Cell& cell) const;
  /// Why the points are not for this cell, if they are not.
  [[nodiscard]] std::optional<std::string> refuse(const Cell& cell) const;
  /// Some axis could be turned round only by changing the points, so that they favour a direction of a cubic
  /// or orthorhombic cell, and of a sheared one even more.
  [[nodiscard]] bool lopsided() const;
  /// Same text for the same sampling; part of a label's key.
  [[nodiscard]] std::string text() const;
};

/// What decides the numbers of a label (template, k-points), and how its program is started.
struct Settings {
  std::string template_text;
  std::string template_name = "built-in template";  ///< for messages
  KPoints kpoints;
  std::string program;                ///< empty: the calculator's own choice
  std::vector<std::string> launcher;  ///< in front of the program: mpirun -np 4
  /// Order of the elements, where a template has values by it (VASP: LDAUU, MAGMOM); empty: as they appear.
  std::vector<std::string> species;
  std::map<std::string, std::string> environment;
};

/// What a code says about one frame, before any judgement or correction.
struct RawResult {
  std::optional<double> energy_eV;
  std::vector<Vec3> forces_eV_per_A;
  std::optional<Mat3> stress_eV_per_A3;  ///< sign: positive under tension (ASE's)
  bool converged = false;                ///< the SCF reached its criterion; ending is not enough
  std::optional<int> scf_iterations;
  std::optional<double> n_electrons;  ///< valence electrons that the code worked with
  std::string code_version;
  double wall_s = 0;
};

/// The common form in which a result is kept (result.json): energy_eV, forces_eV_per_A, stress_eV_per_A3,
/// converged, scf_iterations, n_electrons, <code>_version or code_version, wall_s.
Json to_json(const RawResult& result);
/// InputError, with `where` in front, for text that is not such a result: half a file, numbers that are
/// texts, rows that are no three numbers. Missing energy, forces or stress are no error here; the audit
/// judges them.
RawResult parse_result(std::string_view text, const std::string& where);

/// A reference code. Objects have no state; one serves any number of threads.
class Calculator {
 public:
  Calculator() = default;
  Calculator(const Calculator&) = delete;
  Calculator& operator=(const Calculator&) = delete;
  Calculator(Calculator&&) = delete;
  Calculator& operator=(Calculator&&) = delete;
  virtual ~Calculator() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string default_template() const = 0;
  /// Finds out whether the code is there: its version. WorkError that names the missing Debian packages.
  [[nodiscard]] virtual std::string version(const Settings& settings) const = 0;
  /// Writes the inputs for the frame into the (empty) folder. InputError about the template or the frame.
  virtual void prepare(const Frame& frame, const Settings& settings,
                       const std::filesystem::path& folder) const = 0;
  /// What to run in that folder, launcher included.
  [[nodiscard]] virtual std::vector<std::string> command(const Settings& settings) const = 0;
  /// What else decides the numbers of this frame's label, from files that are not in the template
  /// (pseudopotentials): a part of its key. Empty: nothing.
  [[nodiscard]] virtual std::string data_identity(const Frame& /*frame*/,
                                                  const Settings& /*settings*/) const {
    return {};
  }
  /// Reads what the code left in the folder. InputError if it is missing or damaged, and if the code moved
  /// the atoms: forces must belong to the frame that was given.
  [[nodiscard]] virtual RawResult parse(const Frame& frame, const std::filesystem::path& folder) const = 0;
  /// A script that computes one frame after the other and keeps what it knows in between: it waits for
  /// request-N.json ({"cell", "positions", "fresh"}, N from 1, with the frame's atoms), and writes
  /// result-N.json in the form of `parse_result`, whole. "fresh" asks it to forget the last frame. Empty: the
  /// code cannot stay.
  [[nodiscard]] virtual std::string server_script(const Frame& /*frame*/,
                                                  const Settings& /*settings*/) const {
    return {};
  }
  [[nodiscard]] virtual std::string server_name() const { return {}; }
  [[nodiscard]] virtual std::vector<std::string> server_command(const Settings& /*settings*/) const {
    return {};
  }
  /// The code's own log in that folder, for messages; empty if it has none beside standard output.
  [[nodiscard]] virtual std::string log_name() const { return {}; }
};

/// The calculator called `name`; InputError that lists the known ones.
const Calculator& calculator(std::string_view name);
std::span<const Calculator* const> calculators();

/// Replaces every @NAME@ (capital letters and underscores) in the template. InputError, with `template_name`
/// and line, for a name that is not in `values`, and for one of `values` that the template does not have.
std::string fill_template(const std::string& text, const std::string& template_name,
                          const std::map<std::string, std::string>& values);

/// The identity of a label: SHA-256 (first 32 digits) of code, template, k-points, elements, cell and
/// positions (rounded to 1e-8 Å).
std::string label_key(const std::string& code, const Settings& settings, const Frame& frame);
/// The same with the code's `data_identity`.
std::string label_key(const Calculator& code, const Settings& settings, const Frame& frame);

/// Variables of the settings that say where a code finds its pseudopotentials and basis sets: they decide
/// numbers, as the template does.
std::map<std::string, std::string> data_folders(const Settings& settings);

/// The identity of the settings alone: code, template, k-points, species and data folders.
std::string settings_key(const std::string& code, const Settings& settings);

/// The calculators, each defined in its own file.
const Calculator& gpaw();
const Calculator& cp2k();
const Calculator& espresso();
const Calculator& abinit();
const Calculator& vasp();

}  // namespace solion::reference
