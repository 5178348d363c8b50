// Every optional program and file that solion can work with.
#pragma once

#include <vector>

#include "solion/base/optional_part.hpp"

namespace solion::study {

/// Those of the rooms below, and what a report needs: plotly.js, and a browser to test it with.
std::vector<OptionalPart> optional_parts();

}  // namespace solion::study
