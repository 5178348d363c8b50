// Reading the settings file key by key; the quarantine.
#include "solion/reference/settings.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/formats.hpp"
#include "solion/structure/elements.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;

/// A table of one number for each element.
std::map<std::string, double> by_element(TomlTable table) {
  std::map<std::string, double> values;
  for (const std::string& element : table.keys()) {
    if (atomic_number(element) == 0) table.fail(element, "is no element");
    values[element] = table.number(element);
  }
  return values;
}

/// In sheared or stretched cells of Li3OCl, outside of 6.5 to 9.5 Å or of this, one point (¼,¼,¼) missed the
/// energy of all four by 0.9 to 1.4 meV/atom; in others by 0.1 to 0.3 (docs/labels.md).
constexpr double lopsided_angle_deg = 6;

void read_kpoints(TomlTable table, KPoints& kpoints) {
  if (table.has("points") == table.has("spacing_per_A"))
    table.fail("points", "expected either points or spacing_per_A");
  if (table.has("spacing_per_A")) {
    kpoints.spacing_per_A = table.positive("spacing_per_A", 0);
  } else {
    const std::vector<double> numbers = table.numbers("points");
    if (numbers.empty() || numbers.size() % 3 != 0)
      table.fail("points", "expected three numbers for each point");
    for (std::size_t i = 0; i < numbers.size(); i += 3)
      kpoints.points.emplace_back(numbers[i], numbers[i + 1], numbers[i + 2]);
    if (kpoints.lopsided()) kpoints.angle_deg = lopsided_angle_deg;
    kpoints.angle_deg = table.positive("angle_deg", kpoints.angle_deg);
    if (table.has("widths_A")) {
      const std::vector<double> widths = table.numbers("widths_A");
      if (widths.size() != 2 || !(widths[0] >= 0 && widths[0] < widths[1]))
        table.fail("widths_A", "expected two numbers, the smallest and the largest distance");
      kpoints.widths_A = {widths[0], widths[1]};
    }
  }
  table.refuse_unknown();
}

void read_audit(TomlTable table, AuditLimits& audit, bool& check_stress) {
  const auto limit = [&](const char* key, double& value) { value = table.positive(key, value); };
  limit("net_force_eV_per_A_per_atom", audit.net_force_eV_per_A_per_atom);
  limit("force_eV_per_A", audit.force_eV_per_A);
  limit("stress_GPa", audit.stress_GPa);
  limit("stress_asymmetry_GPa", audit.stress_asymmetry_GPa);
  limit("energy_deviations", audit.energy_deviations);
  limit("energy_floor_eV_per_atom", audit.energy_floor_eV_per_atom);
  limit("electron_tolerance", audit.electron_tolerance);
  check_stress = table.boolean("check_stress", false);
  const std::int64_t needs = table.integer("energy_needs", static_cast<std::int64_t>(audit.energy_needs));
  if (needs < 1) table.fail("energy_needs", "expected a whole number of at least 1");
  audit.energy_needs = static_cast<std::size_t>(needs);
  audit.valence_electrons = by_element(table.table_or_empty("valence_electrons"));
  table.refuse_unknown();
}

}  // namespace

LabelSettings default_settings(const Calculator& code) {
  LabelSettings result;
  result.settings.template_text = code.default_template();
  return result;
}

void use_template(Settings& settings, const fs::path& file) {
  settings.template_text = read_file(file);
  settings.template_name = file.string();
}

LabelSettings read_settings(const fs::path& file, const Calculator& code) {
  LabelSettings result = default_settings(code);
  Settings& settings = result.settings;
  TomlTable table = TomlTable::read(file);
  if (const std::string named = table.text("code", code.name()); named != code.name())
    table.fail("code", fmt::format("the code asked for is {}", code.name()));
  if (table.has("template")) use_template(settings, table.path("template"));
  settings.program = table.text("program", "");
  if (table.has("launcher")) settings.launcher = table.texts("launcher");
  if (table.has("species")) {
    if (code.name() != "vasp")
      table.fail("species", "only VASP's inputs have values by the order of the elements");
    settings.species = table.texts("species");
    for (const std::string& element : settings.species) {
      if (atomic_number(element) == 0) table.fail("species", fmt::format("{} is no element", element));
    }
  }
  if (table.has("time_limit_min")) result.options.time_limit_s = 60.0 * table.positive("time_limit_min", 0);
  result.options.pressure_correction_GPa = table.number("pressure_correction_GPa", 0.0);
  result.options.virial_correction_eV = by_element(table.table_or_empty("virial_correction_eV"));
  if (table.has("shear_correction_eV")) {
    const std::vector<double> shear = table.numbers("shear_correction_eV");
    if (shear.size() != 3) table.fail("shear_correction_eV", "expected three numbers: yz, xz, xy");
    result.options.shear_correction_eV = Vec3(shear[0], shear[1], shear[2]);
  }
  if (table.has("kpoints")) read_kpoints(table.table("kpoints"), settings.kpoints);
  TomlTable environment = table.table_or_empty("environment");
  for (const std::string& key : environment.keys()) settings.environment[key] = environment.text(key);
  read_audit(table.table_or_empty("audit"), result.options.audit, result.check_stress);
  if (table.has("executor")) result.options.executor = read_executor(table.table("executor"));
  table.refuse_unknown();
  return result;
}

void choose_kpoints(Settings& settings, std::span<const Frame> frames) {
  if (!settings.kpoints.points.empty() || settings.kpoints.spacing_per_A > 0) return;
  constexpr double least_A = 6.5;
  constexpr double largest_A = 9.5;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Vec3 w = frames[i].cell ? frames[i].cell->widths() : Vec3::Zero();
    if (w.minCoeff() >= least_A && w.maxCoeff() <= largest_A) continue;
    throw InputError(
        "frame {}: the built-in k-point (1/4, 1/4, 1/4) is for cells of {} to {} Å, and this one is {:.2f} × "
        "{:.2f} × {:.2f} Å; give [kpoints] in a file with --settings",
        i + 1, least_A, largest_A, w[0], w[1], w[2]);
  }
  settings.kpoints.points = {Vec3(0.25, 0.25, 0.25)};
  settings.kpoints.widths_A = {least_A, largest_A};
  settings.kpoints.angle_deg = lopsided_angle_deg;
}

void quarantine(const fs::path& folder, const Frame& frame, const Failure& failure) {
  const fs::path place = folder / failure.key;
  std::error_code error;
  fs::create_directories(place, error);
  if (error) throw WorkError("{}: cannot make the folder: {}", place.string(), error.message());
  io::write_frames(place / "frame.xyz", {&frame, 1});
  write_json(place / "reason.json", {{"reason", failure.reason},
                                     {"frame", failure.index},
                                     {"key", failure.key},
                                     {"log_tail", failure.log_tail}});
}

void release(const fs::path& folder, const std::string& key) {
  std::error_code ignored;
  fs::remove_all(folder / key, ignored);
  fs::remove(folder, ignored);  // only if it is empty now
}

}  // namespace solion::reference
