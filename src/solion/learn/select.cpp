// Greedy choices with one running distance a candidate.
#include "solion/learn/select.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "solion/base/errors.hpp"
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

Method method_from_name(const std::string& name) {
  for (const Method method : {Method::coverage, Method::farthest, Method::random}) {
    if (method_name(method) == name) return method;
  }
  throw InputError("'{}' is no way to select; expected coverage, farthest or random", name);
}

std::string method_name(Method method) {
  switch (method) {
    case Method::coverage:
      return "coverage";
    case Method::farthest:
      return "farthest";
    case Method::random:
      return "random";
  }
  return {};
}

namespace {

/// Distances in units of the standard deviation of each component.
class Space {
 public:
  Space(const std::vector<Selectable>& candidates, const std::vector<Eigen::VectorXd>& known) {
    std::vector<const Eigen::VectorXd*> all;
    all.reserve(known.size());
    for (const auto& x : known) all.push_back(&x);
    for (const auto& c : candidates) all.push_back(&c.x);
    scale_ = inverse_deviations(all);
    norm_ = std::max(1.0, (scale_.array() > 0).cast<double>().sum());
  }
  [[nodiscard]] double distance(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const {
    return std::sqrt((a - b).cwiseProduct(scale_).squaredNorm() / norm_);
  }

 private:
  Eigen::VectorXd scale_;
  double norm_ = 1;
};

/// Greedy choice, group after group. `nearest` is each candidate's distance to the known and chosen frames.
class Greedy {
 public:
  Greedy(const std::vector<Selectable>& candidates, const std::vector<Eigen::VectorXd>& known,
         const SelectOptions& options)
      : candidates_(candidates), options_(options), space_(candidates, known), first_(known.empty()) {
    nearest_.assign(candidates.size(), std::numeric_limits<double>::infinity());
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(candidates.front().x.size());
    for (const auto& c : candidates) mean += c.x / static_cast<double>(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      for (const auto& x : known) nearest_[i] = std::min(nearest_[i], space_.distance(candidates[i].x, x));
      from_mean_.push_back(space_.distance(candidates[i].x, mean));
      groups_[candidates[i].group].push_back(i);
    }
    members_ = groups_;
  }

  Selection operator()() {
    Selection result;
    bool found = true;
    while (found && result.chosen.size() < options_.max_frames) {
      found = false;
      for (auto& [name, left] : groups_) {
        if (result.chosen.size() == options_.max_frames) break;
        const auto best = best_of(left, members_[name]);
        if (best == left.end()) continue;
        const std::size_t chosen = *best;
        left.erase(best);
        result.chosen.push_back(chosen);
        first_ = false;
        found = true;
        for (std::size_t i = 0; i < candidates_.size(); ++i)
          nearest_[i] = std::min(nearest_[i], space_.distance(candidates_[i].x, candidates_[chosen].x));
      }
    }
    for (const auto& [name, left] : groups_) {
      for (const std::size_t i : left)
        result.near_duplicates += nearest_[i] < options_.least_distance ? 1 : 0;
    }
    return result;
  }

 private:
  using Iterator = std::vector<std::size_t>::iterator;

  /// The most valuable candidate that is no near-duplicate; end() if there is none.
  Iterator best_of(std::vector<std::size_t>& left, const std::vector<std::size_t>& members) const {
    auto best = left.end();
    double most = -1;
    for (auto it = left.begin(); it != left.end(); ++it) {
      if (!first_ && !(nearest_[*it] >= options_.least_distance)) continue;
      const double value = options_.method == Method::farthest ? farness(*it) : gain(*it, members);
      if (value > most) {
        most = value;
        best = it;
      }
    }
    return best;
  }

  [[nodiscard]] double farness(std::size_t i) const {
    return std::isinf(nearest_[i]) ? from_mean_[i] : nearest_[i];
  }
  /// How much nearer the members of the group come to a labelled frame.
  [[nodiscard]] double gain(std::size_t chosen, const std::vector<std::size_t>& members) const {
    double sum = 0;
    for (const std::size_t i : members) {
      // Without any labelled frame everything counts from the mean of the candidates.
      const double before = farness(i);
      sum += std::max(0.0, before - space_.distance(candidates_[i].x, candidates_[chosen].x));
    }
    return sum;
  }

  const std::vector<Selectable>& candidates_;
  const SelectOptions& options_;
  Space space_;
  bool first_;  ///< nothing is known or chosen yet
  std::vector<double> nearest_;
  std::vector<double> from_mean_;
  std::map<std::string, std::vector<std::size_t>> groups_;   ///< what is left
  std::map<std::string, std::vector<std::size_t>> members_;  ///< all
};

}  // namespace

Selection select(const std::vector<Selectable>& candidates, const std::vector<Eigen::VectorXd>& known,
                 const SelectOptions& options) {
  if (candidates.empty()) return {};
  if (options.method == Method::random) return at_random(candidates.size(), options);
  return Greedy(candidates, known, options)();
}

}  // namespace solion::learn
