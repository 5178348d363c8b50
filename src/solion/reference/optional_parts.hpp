// The programs that this room can work with, for `solion doctor`.
#pragma once

#include <vector>

#include "solion/base/optional_part.hpp"

namespace solion::reference {

/// Every calculator of the table, Slurm, MPI's launcher, and LAMMPS with KIM.
std::vector<OptionalPart> optional_parts();

}  // namespace solion::reference
