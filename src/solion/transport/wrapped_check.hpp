// Coordinates of a file without a cell that were wrapped into one all the same.
#pragma once

#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::transport {

/// Wrapped coordinates never leave a box, and an atom that crosses its face steps to the other one. Theory:
/// docs/theory/transport.md, section 1.
class WrappedCheck {
 public:
  /// `steps` and the positions `now` at their end, Å. InputError, naming `where`, if atoms step across the
  /// box of all positions so far while the others stay: at a step far above any shorter one so far,
  /// else once far more of the large steps end inside the box than outside.
  void next(const Frame& frame, const std::vector<Vec3>& steps, const std::vector<Vec3>& now,
            const std::string& where);
  /// The box of a first frame.
  void start(const std::vector<Vec3>& positions);

  /// All that later frames depend on; see StateWriter.
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.n_steps_, self.low_, self.high_, self.largest_, self.score_);
  }

 private:
  void check_axis(const Frame& frame, const std::vector<Vec3>& steps, const std::vector<Vec3>& now, int axis,
                  double common, const std::string& where);

  std::size_t n_steps_ = 0;
  Vec3 low_ = Vec3::Zero(), high_ = Vec3::Zero();
  Vec3 largest_ = Vec3::Zero();  // step that is no large one
  Vec3 score_ = Vec3::Zero();    // of large steps: 1 for each that ends inside, −3 for each outside
};

}  // namespace solion::transport
