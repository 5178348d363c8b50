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

enum class Method {
  coverage,  ///< the choice that leaves the candidates nearest to what is labelled, on average
  farthest,  ///< farthest-point sampling: the extremes first
  random,    ///< by the seed, without balance or removal of near-duplicates
};
/// "coverage", "farthest", "random"; InputError that lists them.
Method method_from_name(const std::string& name);
std::string method_name(Method method);

struct SelectOptions {
  std::size_t max_frames = 50;
  /// A candidate nearer than this to a labelled or chosen frame is a near-duplicate. Distance: root of the
  /// mean squared difference of the components, each in units of its standard deviation over candidates and
  /// known frames.
  double least_distance = 0.05;
  Method method = Method::coverage;
  std::uint64_t seed = 1;  ///< of the random choice
};

struct Selection {
  std::vector<std::size_t> chosen;  ///< numbers of candidates in the order in which they were chosen
  std::size_t near_duplicates = 0;  ///< candidates left out for their nearness
};

/// In each turn every group in order gives one of its candidates, until `max_frames` are chosen or only
/// near-duplicates are left: `farthest` the one farthest from all known and chosen frames (the first choice
/// without known frames: farthest from the mean); `coverage` the one that lowers the sum over its group's
/// candidates of the distance to the nearest known or chosen frame most (greedy facility location, within 1 −
/// 1/e of the best choice). The same input gives the same choice.
Selection select(const std::vector<Selectable>& candidates, const std::vector<Eigen::VectorXd>& known,
                 const SelectOptions& options);

}  // namespace solion::learn
