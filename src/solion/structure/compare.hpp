// Are two frames the same configuration? For finding duplicates among labels.
#pragma once

#include "solion/structure/frame.hpp"

namespace solion {

/// True if both frames have the same elements in the same order, cells whose components differ by at most
/// `tolerance_A`, and no atom is displaced by more than `tolerance_A` (shortest image). Frames that differ by
/// an exchange of equal atoms or by a rigid shift count as different.
bool same_configuration(const Frame& a, const Frame& b, double tolerance_A);

}  // namespace solion
