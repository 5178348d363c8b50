// Steps so long, against the cell, that some of them were taken for the other way round.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::transport {

/// Without image flags a step of more than half a cell looks like a shorter one in the other direction: in a
/// cell of three sites two hops forward within a frame are one backward. No single step tells, but how often
/// ions go far the same way in two frames in a row does. Let an ion hop by more than a quarter of the cell
/// along an axis u times a frame, either way. In a frame it hops twice the same way with odds 2·(u/2)²/2 =
/// u²/4; once in this frame and once the same way in the next with odds 2·(u/2)² = u²/2. So half of the pairs
/// in a row that are seen is how many double hops are not; each adds a² (hops of a third of the cell) in
/// place of 4a², so that D is low by 3/2 of the pairs over the far steps.
class AliasCheck {
 public:
  /// `steps` are nearest images, fractional. InputError, naming `where`, once the pairs in a row are more
  /// than 6 % of a species' far steps (D more than 9 % low) by three standard errors of their count.
  void next(const Frame& frame, const std::vector<Vec3>& steps, const std::string& where);

  /// All that later frames depend on; see StateWriter.
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.species_, self.last_);
  }

 private:
  struct Species {
    std::uint64_t n_far = 0, n_pairs = 0;
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.n_far, self.n_pairs);
    }
  };
  std::vector<Species> species_;  // by type
  std::vector<Int3> last_;        // −1, 0 or 1 along each vector: the way of a far step, of each atom
};

}  // namespace solion::transport
