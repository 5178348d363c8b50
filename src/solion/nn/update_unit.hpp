// How the work of an optimiser divides among processes.
#pragma once

#include <cstddef>

namespace solion::nn {

/// Numbers that an optimiser moves by themselves, so that another process may do it.
struct UpdateUnit {
  std::size_t begin = 0;
  std::size_t end = 0;
  double cost = 0;  ///< multiplications a step, to be compared with other units'
};

}  // namespace solion::nn
