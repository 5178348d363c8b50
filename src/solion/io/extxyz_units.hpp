// Units that an extended XYZ file states for itself: energy-unit=hartree and the like.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace solion::io {

enum class Quantity { energy, force, stress, length, velocity };

/// What a key such as `energy-unit`, `force_unit` or `REF_stress_units` speaks of; nothing for any other key.
std::optional<Quantity> unit_of(std::string_view key);

/// The unit in eV, eV/Å, eV/Å³, Å or Å/fs (CODATA 2018), in any case: eV, hartree, Ry, kcal/mol, kJ/mol; the
/// same over Å or bohr; over Å³ or bohr³, GPa, MPa, kPa, Pa, kbar, bar; lengths and velocities only as they
/// are here. Nothing for a unit that is not known for certain.
std::optional<double> unit_value(Quantity quantity, std::string_view unit);

/// The units known, for a message.
std::string known_units(Quantity quantity);

}  // namespace solion::io
