// Farthest points with one running distance a candidate.
#include "solion/learn/select.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "solion/base/random.hpp"

namespace solion::learn {
namespace {

/// 1/σ of each component over all vectors; 0 where a component never changes.
Eigen::VectorXd inverse_deviations(const std::vector<const Eigen::VectorXd*>& all) {
  const auto n = static_cast<double>(all.size());
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(all.front()->size());
  for (const auto* x : all) mean += *x / n;
  Eigen::VectorXd square = Eigen::VectorXd::Zero(mean.size());
  for (const auto* x : all) square += (*x - mean).cwiseAbs2() / n;
  Eigen::VectorXd result(mean.size());
  for (Eigen::Index k = 0; k < result.size(); ++k) {
    const double deviation = std::sqrt(square[k]);
    // A component that differs by rounding alone must not be blown up.
    result[k] = deviation > 1e-9 * (1 + std::abs(mean[k])) ? 1 / deviation : 0.0;
  }
  return result;
}

Selection at_random(std::size_t n, const SelectOptions& options) {
  RandomStream random(options.seed, "select");
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  Selection result;
  while (result.chosen.size() < options.max_frames && !order.empty()) {
    const std::size_t k = random.below(order.size());
    result.chosen.push_back(order[k]);
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(k));
  }
  return result;
}

}  // namespace

Selection select(const std::vector<Selectable>& candidates, const std::vector<Eigen::VectorXd>& known,
                 const SelectOptions& options) {
  if (candidates.empty()) return {};
  if (!options.diverse) return at_random(candidates.size(), options);
  std::vector<const Eigen::VectorXd*> all;
  for (const auto& x : known) all.push_back(&x);
  for (const auto& c : candidates) all.push_back(&c.x);
  const Eigen::VectorXd scale = inverse_deviations(all);
  const double norm = std::max(1.0, (scale.array() > 0).cast<double>().sum());
  const auto distance = [&](const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
    return std::sqrt((a - b).cwiseProduct(scale).squaredNorm() / norm);
  };

  std::vector<double> nearest(candidates.size(), std::numeric_limits<double>::infinity());
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(scale.size());
  for (const auto& c : candidates) mean += c.x / static_cast<double>(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    for (const auto& x : known) nearest[i] = std::min(nearest[i], distance(candidates[i].x, x));
  }
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < candidates.size(); ++i) groups[candidates[i].group].push_back(i);

  Selection result;
  const auto farness = [&](std::size_t i) {
    return std::isinf(nearest[i]) ? distance(candidates[i].x, mean) : nearest[i];
  };
  bool found = true;
  while (found && result.chosen.size() < options.max_frames) {
    found = false;
    for (auto& [name, members] : groups) {
      if (result.chosen.size() == options.max_frames) break;
      const bool first = known.empty() && result.chosen.empty();
      const auto best = std::max_element(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
        return farness(a) < farness(b);
      });
      if (best == members.end() || (!first && !(nearest[*best] >= options.least_distance))) continue;
      const std::size_t chosen = *best;
      members.erase(best);
      result.chosen.push_back(chosen);
      found = true;
      for (std::size_t i = 0; i < candidates.size(); ++i)
        nearest[i] = std::min(nearest[i], distance(candidates[i].x, candidates[chosen].x));
    }
  }
  for (const auto& [name, members] : groups) {
    for (const std::size_t i : members) result.near_duplicates += nearest[i] < options.least_distance ? 1 : 0;
  }
  return result;
}

}  // namespace solion::learn
