// One order for all arrays of a frame.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::io {

/// values[k] becomes what values[order[k]] was; an empty array, which a frame lacks, stays so.
template <typename T>
void reorder(std::vector<T>& values, const std::vector<std::size_t>& order) {
  if (values.empty()) return;
  std::vector<T> sorted;
  sorted.reserve(values.size());
  for (const std::size_t i : order) sorted.push_back(values[i]);
  values = std::move(sorted);
}

/// Atom k becomes what atom order[k] was, with all that is known of it.
inline void reorder_atoms(Frame& frame, const std::vector<std::size_t>& order) {
  reorder(frame.types, order);
  reorder(frame.positions, order);
  reorder(frame.velocities, order);
  reorder(frame.images, order);
  reorder(frame.labels.forces_eV_per_A, order);
  reorder(frame.labels.atomic_energies_eV, order);
}

}  // namespace solion::io
