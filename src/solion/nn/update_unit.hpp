// How the work of an optimiser divides among processes.
#pragma once

#include <cstddef>

namespace solion::nn {

/// Parameters that an optimiser moves without a look at any others, so that another process may do it.
struct UpdateUnit {
  std::size_t begin = 0;
  std::size_t end = 0;
  double cost = 0;              ///< of a step, to be compared with other units'
  std::size_t bases_begin = 0;  ///< what belongs to it of Soap::bases
  std::size_t bases_end = 0;
};

}  // namespace solion::nn
