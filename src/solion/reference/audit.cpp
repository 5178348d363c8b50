// The checks, in the order in which they make sense: present, finite, plausible, like the others.
#include "solion/reference/audit.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::reference {
namespace {

using Reason = std::optional<std::string>;

/// "Cl8 Li24 O8": the composition, whatever the order of the type map.
std::string composition(const Frame& frame) {
  std::map<std::string, int> count;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) ++count[frame.element(i)];
  std::string text;
  for (const auto& [element, n] : count) text += fmt::format("{}{}{}", text.empty() ? "" : " ", element, n);
  return text;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

}  // namespace

Json to_json(const AuditLimits& limits) {
  return {{"net_force_eV_per_A_per_atom", limits.net_force_eV_per_A_per_atom},
          {"force_eV_per_A", limits.force_eV_per_A},
          {"stress_GPa", limits.stress_GPa},
          {"stress_asymmetry_GPa", limits.stress_asymmetry_GPa},
          {"energy_deviations", limits.energy_deviations},
          {"energy_floor_eV_per_atom", limits.energy_floor_eV_per_atom},
          {"energy_needs", limits.energy_needs},
          {"electron_tolerance", limits.electron_tolerance},
          {"valence_electrons", limits.valence_electrons}};
}

Reason Audit::check_numbers(const Frame& frame, const RawResult& result) const {
  if (!frame.cell) return "the frame has no cell";
  if (!(frame.cell->matrix().determinant() > 0)) return "the cell is left-handed";
  if (!result.converged) {
    return fmt::format("the SCF did not converge{}",
                       result.scf_iterations ? fmt::format(" in {} iterations", *result.scf_iterations) : "");
  }
  if (!result.energy_eV) return "no energy";
  if (!result.stress_eV_per_A3) return "no stress";
  if (result.forces_eV_per_A.size() != frame.n_atoms()) {
    return fmt::format("{} forces for {} atoms", result.forces_eV_per_A.size(), frame.n_atoms());
  }
  if (!std::isfinite(*result.energy_eV)) return "the energy is not a finite number";
  if (!result.stress_eV_per_A3->allFinite()) return "a component of the stress is not a finite number";
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (!result.forces_eV_per_A[i].allFinite())
      return fmt::format("the force on atom {} ({}) is not a finite number", i + 1, frame.element(i));
  }
  return std::nullopt;
}

Reason Audit::check_sizes(const Frame& frame, const RawResult& result) const {
  Vec3 sum = Vec3::Zero();
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const Vec3& f = result.forces_eV_per_A[i];
    sum += f;
    if (!(f.norm() <= limits_.force_eV_per_A)) {
      return fmt::format("the force on atom {} ({}) is {:.1f} eV/Å; at most {} is plausible", i + 1,
                         frame.element(i), f.norm(), limits_.force_eV_per_A);
    }
  }
  const double net = sum.norm() / static_cast<double>(frame.n_atoms());
  if (!(net <= limits_.net_force_eV_per_A_per_atom)) {
    return fmt::format("the forces sum to {:.4f} eV/Å per atom; at most {} is plausible", net,
                       limits_.net_force_eV_per_A_per_atom);
  }
  const Mat3 stress = *result.stress_eV_per_A3 * constants::eV_per_A3_in_GPa;
  if (!(stress.cwiseAbs().maxCoeff() <= limits_.stress_GPa)) {
    return fmt::format("a component of the stress is {:.1f} GPa; at most {} is plausible",
                       stress.cwiseAbs().maxCoeff(), limits_.stress_GPa);
  }
  const double asymmetry = (stress - stress.transpose()).cwiseAbs().maxCoeff();
  if (!(asymmetry <= limits_.stress_asymmetry_GPa)) {
    return fmt::format("the stress is not symmetric by {:.3f} GPa; at most {} is plausible", asymmetry,
                       limits_.stress_asymmetry_GPa);
  }
  return std::nullopt;
}

Reason Audit::check_electrons(const Frame& frame, const RawResult& result) const {
  std::optional<double> expected;
  std::string source = "this composition had before";
  if (const auto found = compositions_.find(composition(frame)); found != compositions_.end())
    expected = found->second.n_electrons;
  if (!limits_.valence_electrons.empty()) {
    expected = 0;
    source = "the valences give";
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      const auto valence = limits_.valence_electrons.find(frame.element(i));
      if (valence == limits_.valence_electrons.end())
        return fmt::format("the number of valence electrons of {} is not given", frame.element(i));
      *expected += valence->second;
    }
    if (!result.n_electrons) return "no electron count";
  }
  if (!expected || !result.n_electrons) return std::nullopt;
  if (!(std::abs(*result.n_electrons - *expected) <= limits_.electron_tolerance))
    return fmt::format("{} electrons, but {} {}", *result.n_electrons, source, *expected);
  return std::nullopt;
}

Reason Audit::check_energy(const Frame& frame, double energy_eV) const {
  const auto found = compositions_.find(composition(frame));
  if (found == compositions_.end() || found->second.energies_per_atom.size() < limits_.energy_needs)
    return std::nullopt;
  const double energy = energy_eV / static_cast<double>(frame.n_atoms());
  const double center = median(found->second.energies_per_atom);
  std::vector<double> distances;
  distances.reserve(found->second.energies_per_atom.size());
  for (const double e : found->second.energies_per_atom) distances.push_back(std::abs(e - center));
  const double robust_deviation = 1.4826 * median(distances);
  const double allowed =
      std::max(limits_.energy_deviations * robust_deviation, limits_.energy_floor_eV_per_atom);
  if (!(std::abs(energy - center) <= allowed)) {
    return fmt::format(
        "{:.4f} eV per atom is {:.3f} away from the median of {} labels of this composition; at most "
        "{:.3f} is plausible",
        energy, std::abs(energy - center), found->second.energies_per_atom.size(), allowed);
  }
  return std::nullopt;
}

Reason Audit::reject(const Frame& frame, const RawResult& result) const {
  if (Reason reason = check_numbers(frame, result)) return reason;
  if (Reason reason = check_electrons(frame, result)) return reason;
  if (Reason reason = check_sizes(frame, result)) return reason;
  return check_energy(frame, *result.energy_eV);
}

void Audit::accept(const Frame& frame, double energy_eV, std::optional<double> n_electrons) {
  Composition& known = compositions_[composition(frame)];
  known.energies_per_atom.push_back(energy_eV / static_cast<double>(frame.n_atoms()));
  if (!known.n_electrons) known.n_electrons = n_electrons;
}

}  // namespace solion::reference
