// One configuration of atoms, with what may be known about it: velocities, images, labels.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "solion/structure/cell.hpp"

namespace solion {

/// Energy, forces and virial of a frame, from a DFT code or a potential. Virial: W = −∂E/∂ε (eV), positive
/// when the cell wants to expand; stress = −W/V.
struct Labels {
  std::optional<double> energy_eV;
  std::vector<Vec3> forces_eV_per_A;  ///< empty or one an atom
  std::optional<Mat3> virial_eV;
  std::vector<double> atomic_energies_eV;  ///< empty or one an atom
};

/// Atoms in a periodic cell, or without one. Arrays are empty or have one entry an atom.
struct Frame {
  TypeMap type_map;
  std::vector<int> types;        ///< index into `type_map`
  std::vector<Vec3> positions;   ///< Å; need not lie inside the cell
  std::optional<Cell> cell;      ///< none: no periodicity at all
  std::vector<Vec3> velocities;  ///< Å/fs
  std::vector<Int3> images;      ///< unwrapped position = positions[i] + images[i]·h
  Labels labels;
  std::map<std::string, std::string> info;  ///< further `key=value` of an extxyz comment line

  [[nodiscard]] std::size_t n_atoms() const { return positions.size(); }
  [[nodiscard]] const std::string& element(std::size_t atom) const { return type_map.name(types[atom]); }
  void add_atom(const std::string& element, const Vec3& position);
  /// Atomic masses in amu, by element name; InputError if a type is no element.
  [[nodiscard]] std::vector<double> masses() const;
  /// "Li24 O8 Cl8", in the order of the type map; types without atoms are left out.
  [[nodiscard]] std::string formula() const;
};

/// Checks what every reader promises: array lengths agree, types lie in the map, numbers are finite, no two
/// atoms are closer than `closest_A`. Throws InputError whose message starts with `where`.
void validate(const Frame& frame, const std::string& where, double closest_A = 0.3);

/// The frame repeated n[0]×n[1]×n[2] times; atoms of one repeat stand together, the last index runs fastest.
/// Velocities are copied with their atoms; labels and images are dropped. InputError without a cell or with n
/// < 1.
Frame repeat(const Frame& frame, const std::array<int, 3>& n);

/// Moves all atoms into the cell, counting images (which are made if absent). Nothing happens without a cell.
void wrap(Frame& frame);

}  // namespace solion
