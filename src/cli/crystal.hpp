// What several verbs ask for: a crystal by name or file, and a supercell of it.
#pragma once

#include <string>
#include <vector>

#include "solion/structure/crystal.hpp"
#include "solion/structure/supercell.hpp"

namespace solion::cli {

/// A crystal by name, from a TOML file, or from any structure file (whose chemistry `reactions_file`, a TOML
/// file with [oxidation_states] and [reactions], must tell; empty: none).
Crystal load_crystal(const std::string& name, const std::string& reactions_file = "");

/// 3 whole numbers, or 9: the rows of a matrix. InputError for another count.
IntMat3 supercell_matrix(const std::vector<int>& n);

}  // namespace solion::cli
