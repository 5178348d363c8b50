// How the work of an optimiser divides among processes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace solion::nn {

/// Numbers that an optimiser moves by themselves, so that another process may do it.
struct UpdateUnit {
  std::size_t begin = 0;
  std::size_t end = 0;
  double cost = 0;  ///< multiplications a step, to be compared with other units'
};

/// Units of `size` parameters from where they begin, ascending, and what their matrices cost: each has all up
/// to the next one, the first one what is before it too, and a sweep over memory costs as much as 20
/// multiplications a parameter.
inline std::vector<UpdateUnit> units_between(std::vector<UpdateUnit> units, std::size_t size) {
  if (units.empty()) units.emplace_back();
  units.front().begin = 0;
  for (std::size_t k = 0; k < units.size(); ++k) {
    units[k].end = k + 1 < units.size() ? units[k + 1].begin : size;
    units[k].cost += 20 * static_cast<double>(units[k].end - units[k].begin);
  }
  return units;
}

/// Whether one of the units has the parameter.
inline bool have(const std::vector<UpdateUnit>& units, std::size_t parameter) {
  return std::any_of(units.begin(), units.end(),
                     [&](const UpdateUnit& u) { return u.begin <= parameter && parameter < u.end; });
}

}  // namespace solion::nn
