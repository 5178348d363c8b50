// Which candidates are worth a label: far apart in descriptor space, balanced, no near-duplicates.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

namespace solion::learn {

struct Selectable {
  std::string group;  ///< structure and temperature, among which the choice is balanced
  Eigen::VectorXd x;  ///< fingerprint
};

struct SelectOptions {
  std::size_t max_frames = 50;
  /// A candidate nearer than this to a labelled or chosen frame is a near-duplicate. Distance: root of the
  /// mean squared difference of the components, each in units of its standard deviation over candidates and
  /// known frames.
  double least_distance = 0.05;
  bool diverse = true;     ///< otherwise at random by the seed, without balance or removal
  std::uint64_t seed = 1;  ///< of the random choice
};

struct Selection {
  std::vector<std::size_t> chosen;  ///< numbers of candidates in the order in which they were chosen
  std::size_t near_duplicates = 0;  ///< candidates left out for their nearness
};

/// Farthest-point sampling: in each turn every group in order gives the candidate of it that is farthest from
/// all known and chosen frames, until `max_frames` are chosen or only near-duplicates are left. The first
/// choice without known frames is the candidate farthest from the mean. The same input gives the same choice.
Selection select(const std::vector<Selectable>& candidates, const std::vector<Eigen::VectorXd>& known,
                 const SelectOptions& options);

}  // namespace solion::learn
