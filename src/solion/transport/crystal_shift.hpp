// How far a trajectory's framework lies off the crystal that the sites are taken from.
#pragma once

#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::transport {

/// The framework is all but the mobile species. Its offset from the crystal's is the median, over its atoms
/// in the first frame, of the way from the nearest atom of the crystal's framework (another origin of
/// coordinates, as far as half the distance between neighbours); what it has drifted since is the circular
/// mean of its atoms' displacements, so that neither images nor a few anions that leave their place matter.
class CrystalShift {
 public:
  /// A crystal without framework atoms (sites alone) has its origin where the first frame has it.
  CrystalShift(const Frame& crystal, std::string species);

  /// The fractional vector to add to the crystal's coordinates so that they lie in this frame, whose cell is
  /// the crystal's, warm or strained. Warns where the first frame's framework is not the crystal's.
  /// InputError if the framework's atoms come or go.
  Vec3 next(const Frame& frame, const std::string& where);

 private:
  [[nodiscard]] std::vector<Vec3> framework_of(const Frame& frame) const;
  [[nodiscard]] Vec3 offset(const std::vector<Vec3>& first, const Cell& cell, const std::string& where) const;

  std::string species_;
  std::vector<Vec3> crystal_, first_;
  Vec3 offset_ = Vec3::Zero();
  bool begun_ = false;
};

}  // namespace solion::transport
