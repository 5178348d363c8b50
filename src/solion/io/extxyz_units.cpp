// The table of units and the keys that state them.
#include "solion/io/extxyz_units.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "solion/base/constants.hpp"
#include "solion/io/extxyz_comment.hpp"

namespace solion::io {
namespace {

struct Unit {
  std::string_view name;
  double value;
};

constexpr double per_mol_eV =
    1.0 / (constants::avogadro_per_mol * constants::elementary_charge_C);  // 1 J/mol

constexpr std::array<Unit, 12> energies{{
    {"ev", 1.0},
    {"electronvolt", 1.0},
    {"hartree", constants::hartree_eV},
    {"ha", constants::hartree_eV},
    {"au", constants::hartree_eV},
    {"a.u.", constants::hartree_eV},
    {"ry", constants::hartree_eV / 2},
    {"rydberg", constants::hartree_eV / 2},
    {"kcal/mol", 4184 * per_mol_eV},
    {"kcal_mol", 4184 * per_mol_eV},
    {"kj/mol", 1000 * per_mol_eV},
    {"kj_mol", 1000 * per_mol_eV},
}};

constexpr std::array<Unit, 9> lengths{{
    {"å", 1.0},
    {"Å", 1.0},  // lower_case knows ASCII only
    {"a", 1.0},
    {"ang", 1.0},
    {"ang.", 1.0},
    {"angstrom", 1.0},
    {"angst", 1.0},
    {"bohr", constants::bohr_A},
    {"a0", constants::bohr_A},
}};

constexpr std::array<Unit, 6> pressures{{
    {"gpa", 1.0},
    {"mpa", 1e-3},
    {"kpa", 1e-6},
    {"pa", 1e-9},
    {"kbar", 1e3 * constants::bar_in_GPa},
    {"bar", constants::bar_in_GPa},
}};

template <std::size_t N>
std::optional<double> find(const std::array<Unit, N>& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Unit& u) { return u.name == name; });
  if (found == table.end()) return std::nullopt;
  return found->value;
}

/// Takes `tail` off the end of `text`, if it stands there.
bool drop(std::string_view& text, std::string_view tail) {
  if (!text.ends_with(tail) || text.size() == tail.size()) return false;
  text.remove_suffix(tail.size());
  return true;
}

/// "kcal/mol/angstrom": an energy over a length to the power of `power`.
std::optional<double> ratio(std::string_view text, int power) {
  const auto slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view length = text.substr(slash + 1);
  if (power == 3 && !drop(length, "^3") && !drop(length, "**3") && !drop(length, "³") && !drop(length, "3"))
    return std::nullopt;
  const auto energy = find(energies, text.substr(0, slash));
  const auto each = find(lengths, length);
  if (!energy || !each) return std::nullopt;
  return *energy / (power == 3 ? *each * *each * *each : *each);
}

}  // namespace

std::optional<Quantity> unit_of(std::string_view key) {
  const std::string name = lower_case(key);
  std::string_view word = name;
  drop(word, "s");
  if (!drop(word, "-unit") && !drop(word, "_unit")) return std::nullopt;
  for (const std::string_view family : {"ref_", "dft_"})
    if (word.starts_with(family)) word.remove_prefix(family.size());
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), word) != names.end();
  };
  if (is({"energy", "energies", "free_energy", "virial", "virials"})) return Quantity::energy;
  if (is({"force", "forces"})) return Quantity::force;
  if (is({"stress", "stresses"})) return Quantity::stress;
  if (is({"length", "distance", "position", "positions", "pos", "coord", "coords", "cell", "lattice"}))
    return Quantity::length;
  if (is({"velocity", "velocities", "vel"})) return Quantity::velocity;
  return std::nullopt;
}

std::optional<double> unit_value(Quantity quantity, std::string_view unit) {
  std::string text = lower_case(unit);
  std::erase(text, ' ');
  switch (quantity) {
    case Quantity::energy:
      return find(energies, text);
    case Quantity::force:
      if (text == "au" || text == "a.u.") return constants::hartree_eV / constants::bohr_A;
      return ratio(text, 1);
    case Quantity::stress:
      if (const auto GPa = find(pressures, text)) return *GPa / constants::eV_per_A3_in_GPa;
      return ratio(text, 3);
    case Quantity::length:
      if (const auto length = find(lengths, text); length == 1.0) return length;
      return std::nullopt;
    case Quantity::velocity: {
      if (!text.ends_with("/fs") || find(lengths, text.substr(0, text.size() - 3)) != 1.0)
        return std::nullopt;
      return 1.0;
    }
  }
  return std::nullopt;
}

std::string known_units(Quantity quantity) {
  switch (quantity) {
    case Quantity::energy:
      return "eV, hartree, Ry, kcal/mol or kJ/mol";
    case Quantity::force:
      return "eV/Å, hartree/bohr, Ry/bohr, kcal/mol/Å or kJ/mol/Å";
    case Quantity::stress:
      return "eV/Å^3, hartree/bohr^3, GPa, kbar or bar";
    case Quantity::length:
      return "Å";
    case Quantity::velocity:
      return "Å/fs";
  }
  return {};
}

}  // namespace solion::io
