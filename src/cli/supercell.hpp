// The supercell that several verbs ask for.
#pragma once

#include <vector>

#include "solion/structure/supercell.hpp"

namespace solion::cli {

/// 3 whole numbers, or 9: the rows of a matrix. InputError for another count.
IntMat3 supercell_matrix(const std::vector<int>& n);

}  // namespace solion::cli
