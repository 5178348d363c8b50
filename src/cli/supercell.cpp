// Three numbers or nine.
#include "cli/supercell.hpp"

#include "solion/base/errors.hpp"

namespace solion::cli {

IntMat3 supercell_matrix(const std::vector<int>& n) {
  if (n.size() == 3) return diagonal({n[0], n[1], n[2]});
  if (n.size() != 9)
    throw InputError("--supercell: {} numbers; expected 3, or 9 (the rows of a matrix)", n.size());
  IntMat3 matrix;
  for (int k = 0; k < 9; ++k) matrix(k / 3, k % 3) = n[static_cast<std::size_t>(k)];
  return matrix;
}

}  // namespace solion::cli
