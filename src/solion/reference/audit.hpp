// The audit of a label: what a reference code returned is believed only after these checks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "solion/reference/calculator.hpp"

namespace solion::reference {

/// Limits of the audit. The defaults are for condensed matter below about 2000 K.
struct AuditLimits {
  /// |Σ F|/N. A plane-wave code breaks translation symmetry a little: GPAW at 600 eV gave at most 2.6 meV/Å
  /// over the first 45 labels of Li3OCl. 10 meV/Å is half of the force error that a good potential reaches.
  double net_force_eV_per_A_per_atom = 0.010;
  /// Largest force on one atom. 900 K frames reach 5 eV/Å, fresh displacement cascades 30.
  double force_eV_per_A = 30.0;
  /// Largest component of the stress; one third of the pressure at the centre of the earth.
  double stress_GPa = 100.0;
  /// |σ − σᵀ|, which a symmetric functional cannot have.
  double stress_asymmetry_GPa = 0.1;
  /// Distance of the energy per atom from the median of the same composition, in units of the robust standard
  /// deviation (1.4826 MAD) and at least `energy_floor_eV_per_atom`, which is 3 times the mean potential
  /// energy of an atom at 1200 K (3/2 kT = 0.16 eV): another electronic state or other units are farther away
  /// than that.
  double energy_deviations = 10.0;
  double energy_floor_eV_per_atom = 0.5;
  /// The energy test waits for this many labels of the composition.
  std::size_t energy_needs = 5;
  double electron_tolerance = 1e-6;
  /// Valence electrons of the neutral elements; empty: the count is only compared within a composition.
  std::map<std::string, double> valence_electrons;

  bool operator==(const AuditLimits&) const = default;
};
Json to_json(const AuditLimits& limits);

/// Judges results one after the other, each against the limits and against those accepted before it.
class Audit {
 public:
  explicit Audit(AuditLimits limits) : limits_(std::move(limits)) {}

  /// Why the result is not to be believed: the first check that fails; nothing if all pass. NaN fails.
  [[nodiscard]] std::optional<std::string> reject(const Frame& frame, const RawResult& result) const;
  /// Counts an accepted label in the statistics that later ones are compared with.
  void accept(const Frame& frame, double energy_eV, std::optional<double> n_electrons);

 private:
  struct Composition {
    std::vector<double> energies_per_atom;
    std::optional<double> n_electrons;
  };
  [[nodiscard]] std::optional<std::string> check_numbers(const Frame& frame, const RawResult& result) const;
  [[nodiscard]] std::optional<std::string> check_sizes(const Frame& frame, const RawResult& result) const;
  [[nodiscard]] std::optional<std::string> check_electrons(const Frame& frame, const RawResult& result) const;
  [[nodiscard]] std::optional<std::string> check_energy(const Frame& frame, double energy_eV) const;

  AuditLimits limits_;
  std::map<std::string, Composition> compositions_;
};

}  // namespace solion::reference
