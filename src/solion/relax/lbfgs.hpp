// The memory of limited-memory BFGS: where the last steps and gradients say to go.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

namespace solion::relax {

/// Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4, with the last 20 pairs.
class LbfgsMemory {
 public:
  /// `stiffness` (gradient a length) scales the step where nothing is known yet.
  explicit LbfgsMemory(double stiffness) : stiffness_(stiffness) {}

  /// A step and the change of the gradient along it; left out where it has no positive curvature.
  void add(const Eigen::VectorXd& step, const Eigen::VectorXd& change) {
    if (!(step.dot(change) > 1e-12 * step.norm() * change.norm())) return;  // no curvature to learn
    pairs_.emplace_back(step, change);
    if (pairs_.size() > 20) pairs_.pop_front();
  }
  void forget() { pairs_.clear(); }
  [[nodiscard]] bool empty() const { return pairs_.empty(); }
  /// −H·gradient by the two-loop recursion.
  [[nodiscard]] Eigen::VectorXd direction(const Eigen::VectorXd& gradient) const {
    Eigen::VectorXd q = -gradient;
    std::vector<double> alpha(pairs_.size());
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      const auto& [s, y] = pairs_[k];
      alpha[k] = s.dot(q) / s.dot(y);
      q -= alpha[k] * y;
    }
    if (pairs_.empty()) {
      q /= stiffness_;
    } else {
      const auto& [s, y] = pairs_.back();
      q *= s.dot(y) / y.squaredNorm();
    }
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
      const auto& [s, y] = pairs_[k];
      q += s * (alpha[k] - y.dot(q) / s.dot(y));
    }
    return q;
  }

 private:
  double stiffness_;
  std::deque<std::pair<Eigen::VectorXd, Eigen::VectorXd>> pairs_;
};

/// Shortens a step of vectors (x, y, z each) so that none goes farther than `longest`.
inline void cap_step(Eigen::VectorXd& step, double longest) {
  double largest = 0;
  for (Eigen::Index i = 0; i < step.size(); i += 3)
    largest = step.segment<3>(i).norm() > largest ? step.segment<3>(i).norm() : largest;
  if (largest > longest) step *= longest / largest;
}

}  // namespace solion::relax
