// Crystals by name: unit cell, oxidation states and defect reactions, all of it data in TOML.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/structure/reactions.hpp"

namespace solion {

/// A crystal with what defect chemistry needs to know about it.
///
///     name = "li3ocl"
///     summary = "Li3OCl, antiperovskite, Pm-3m"
///     cell_A = 3.91            # cubic; three numbers: orthorhombic; nine: the rows a, b, c
///     sites = ["Cl 0 0 0", …]  # element and fractional coordinates
///     [oxidation_states]
///     [reactions]
struct Crystal {
  std::string name;
  std::string summary;
  Frame frame;  ///< the conventional unit cell
  Chemistry chemistry;
};

/// Reads a crystal in the format above; InputError names file, line and key.
Crystal parse_crystal(TomlTable& table);

/// Names of the crystals that are built in.
std::vector<std::string> known_crystals();

/// The built-in crystal called `name` (upper and lower case count the same); InputError lists the known ones.
Crystal known_crystal(const std::string& name);

/// Scales the whole cell so that |a| = a_A (Å). InputError unless a_A > 0.
void set_lattice_constant(Frame& frame, double a_A);

}  // namespace solion
