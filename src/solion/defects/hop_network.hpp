// Where the hops of a crystal lead: along how many directions they connect its sites without end.
#pragma once

#include <string>

#include "solion/structure/frame.hpp"

namespace solion::defects {

/// Directions (0 to 3) along which steps of at most `within_A` between sites of the species lead from a site
/// to its images; of the component of sites that leads farthest. InputError without a cell or sites.
int hop_dimensions(const Frame& crystal, const std::string& species, double within_A);

/// The shortest length of hops (Å, rounded up to 0.01) with which that is 3: the bottleneck of a
/// three-dimensional path.
double within_for_three_A(const Frame& crystal, const std::string& species);

}  // namespace solion::defects
