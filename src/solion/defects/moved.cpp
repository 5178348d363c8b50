// Distances to the nearest images.
#include "solion/defects/moved.hpp"

#include <algorithm>

namespace solion::defects {

int moved_atoms(const Frame& from, const Frame& to) {
  constexpr double far_A = 1;
  int n = 0;
  for (std::size_t i = 0; i < from.n_atoms(); ++i) {
    const Vec3 d = to.positions[i] - from.positions[i];
    n += (from.cell ? from.cell->minimum_image(d) : d).norm() > far_A ? 1 : 0;
  }
  return n;
}

bool as_about_defects(int moved, std::size_t atoms) {
  constexpr int few = 5;
  return moved <= std::max(few, static_cast<int>(atoms / 10));
}

}  // namespace solion::defects
