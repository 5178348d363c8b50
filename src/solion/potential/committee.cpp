// Members one after the other.
#include "solion/potential/committee.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"

namespace solion {

Deviation deviation_of(std::span<const Evaluation> evaluations) {
  if (evaluations.size() < 2) throw InputError("a model deviation needs two models or more");
  const std::size_t n = evaluations.front().forces.size();
  const auto count = static_cast<double>(evaluations.size());
  Deviation result;
  double mean_energy = 0;
  for (const Evaluation& e : evaluations) {
    if (e.forces.size() != n || n == 0) throw InputError("a model deviation needs forces of the same atoms");
    mean_energy += e.energy / count;
  }
  double square = 0;
  for (const Evaluation& e : evaluations) square += (e.energy - mean_energy) * (e.energy - mean_energy);
  result.energy = std::sqrt(square / count) / static_cast<double>(n);
  result.finite = std::isfinite(result.energy);
  result.force_min = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < n; ++i) {
    Vec3 mean = Vec3::Zero();
    for (const Evaluation& e : evaluations) mean += e.forces[i] / count;
    double sum = 0;
    for (const Evaluation& e : evaluations) sum += (e.forces[i] - mean).squaredNorm();
    const double epsilon = std::sqrt(sum / count);
    if (!std::isfinite(epsilon)) result.finite = false;
    result.force_max = std::max(result.force_max, epsilon);
    result.force_min = std::min(result.force_min, epsilon);
    result.force_mean += epsilon / static_cast<double>(n);
  }
  return result;
}

Committee::Committee(std::vector<std::unique_ptr<Potential>> members) : members_(std::move(members)) {
  if (members_.size() < 2) throw InputError("a committee needs two models or more");
  evaluations_.resize(members_.size());
}

Deviation Committee::evaluate(const Frame& frame) {
  for (std::size_t k = 0; k < members_.size(); ++k) {
    try {
      const Request request{true, false, false};
      if (k == 0) {
        members_[k]->evaluate(frame, request, evaluations_[k]);
      } else {
        members_[k]->evaluate_beside(*members_.front(), frame, request, evaluations_[k]);
      }
    } catch (const WorkError&) {
      Deviation bad;
      bad.finite = false;
      return bad;
    }
  }
  return deviation_of(evaluations_);
}

void Committee::reset() {
  for (const auto& member : members_) member->reset();
}

void Committee::set_threads(int threads) {
  for (const auto& member : members_) member->set_threads(threads);
}

Committee Committee::clone() const {
  std::vector<std::unique_ptr<Potential>> members;
  members.reserve(members_.size());
  for (const auto& member : members_) members.push_back(member->clone());
  return Committee(std::move(members));
}

}  // namespace solion
