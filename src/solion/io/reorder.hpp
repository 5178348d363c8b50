// One order for all arrays of a frame.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

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

}  // namespace solion::io
