// Sudden jumps between consecutive frames of a file: lost frames, renumbered atoms.
#pragma once

#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::transport {

/// Steps are stationary in a trajectory, and what one instant cannot do is no motion. Theory:
/// docs/theory/transport.md, section 1.
class JumpCheck {
 public:
  /// `steps` and the positions at their beginning and end are fractional (Cartesian without a cell).
  /// InputError, naming `where`, once ten steps have said what is usual: if a third of all atoms, or of one
  /// species (eight ions or more), jump; or if ions of one species take each other's places in closed cycles
  /// by steps far above any before.
  void next(const Frame& frame, const std::vector<Vec3>& steps, const std::vector<Vec3>& before,
            const std::vector<Vec3>& now, const std::string& where);

  /// All that later frames depend on; see StateWriter.
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.n_steps_, self.largest_mean_A2_, self.species_);
  }

 private:
  struct Species {
    std::vector<std::size_t> atoms;
    double largest_mean_A2 = 0;  // over the steps so far
    double largest_A2 = 0;       // of one atom
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.atoms, self.largest_mean_A2, self.largest_A2);
    }
  };
  struct Step {
    const Frame& frame;
    const std::vector<Vec3>&steps, &before, &now;
    const std::string& where;
  };
  void measure(const Step& step);
  void check_many(const Step& step, const std::vector<std::size_t>& atoms, double largest_mean_A2,
                  std::size_t least, const std::string& name) const;
  void check_exchange(const Step& step, const Species& species) const;
  [[nodiscard]] std::vector<std::size_t> in_cycles(const Step& step,
                                                   const std::vector<std::size_t>& movers) const;
  [[nodiscard]] double mean_A2(const std::vector<std::size_t>& atoms) const;

  std::size_t n_steps_ = 0;
  double largest_mean_A2_ = 0;  // of all atoms
  std::vector<Species> species_;
  // Of the step at hand.
  Vec3 drift_ = Vec3::Zero();
  std::vector<double> own_A2_;  // less the drift
  std::vector<std::size_t> all_;
};

/// The middle of each component.
Vec3 median(const std::vector<Vec3>& steps);

}  // namespace solion::transport
