// Coordination polyhedra: how many have which coordination, and how distorted the whole ones are.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "solion/structure/neighborhood.hpp"

namespace solion::transport {

struct PolyhedraOptions {
  std::string centre, ligand;
  double cutoff_A = 0;  ///< the first minimum of g(centre–ligand)
  int full =
      6;  ///< ligands of a whole polyhedron: 6 octahedra, 4 tetrahedra; shapes of others have no angles
};

struct PolyhedraCensus {
  std::size_t n_frames = 0;
  std::map<int, double> share;  ///< of centres, by coordination number
  double mean_coordination = 0;
  /// Shares of centres with `full` ligands, with fewer, and with at least three fewer; standard errors by
  /// blocks of frames, NaN from one frame.
  double six_fold = 0, six_fold_std = 0;
  double under_coordinated = 0, under_coordinated_std = 0;
  double broken = 0;
  std::size_t n_octahedra = 0;  ///< centres with `full` ligands, over all frames
  /// Of these: (1/n)Σ((d − d̄)/d̄)², and the variance of the 12 cis angles of an octahedron about 90°, or the 6
  /// of a tetrahedron about 109.47° (degrees²; Robinson, Gibbs and Ribbe, Science 172, 567 (1971)); mean, and
  /// standard error by blocks of frames. NaN without any.
  double distortion_index = 0, distortion_std = 0;
  double angle_variance_deg2 = 0, angle_variance_std = 0;
  std::vector<double> by_frame_six;  ///< share of centres with `full` ligands in each frame
};

/// Frame by frame; memory one number a frame.
class PolyhedraAccumulator {
 public:
  /// InputError for a cutoff or a number of ligands that is not positive.
  explicit PolyhedraAccumulator(PolyhedraOptions options);
  /// InputError without a cell or without atoms of either species.
  void add(const Frame& frame, const std::string& where);
  /// InputError without frames.
  [[nodiscard]] PolyhedraCensus census() const;

 private:
  PolyhedraOptions options_;
  Neighborhood near_;
  std::map<int, std::size_t> counts_;
  std::size_t n_centres_ = 0, n_octahedra_ = 0;
  std::vector<double> six_, fewer_, index_, angles_;  // by frame; the last two NaN without whole polyhedra
};

}  // namespace solion::transport
