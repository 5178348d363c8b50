#include "solion/structure/skin.hpp"

#include <algorithm>
#include <cmath>

namespace solion {
namespace {

/// Making one entry of a list costs as much as passing over this many (benchmarks/neighbor_list.cpp).
constexpr double making_cost = 3;

}  // namespace

bool Skin::keeps(double needed, double needed_by_first) {
  const int served = evaluations_++;
  for (std::size_t k = 0; k < n_values && served > 0; ++k)
    if (lives_[k] == 0 && !(needed_by_first <= step_A * static_cast<double>(k))) lives_[k] = served;
  return needed <= value_;
}

/// Per evaluation, in passes over as many pairs as there are within the cutoff.
double Skin::cost(std::size_t k, double cutoff) const {
  const double n = evaluations_;
  const double lists = lives_[k] == 0 ? 1 : std::ceil(n / lives_[k]);
  return std::pow(1 + step_A * static_cast<double>(k) / cutoff, 3) * (1 + making_cost * lists / n);
}

double Skin::next(double cutoff) const {
  if (!tuned_ || evaluations_ < 2) return value_;
  const auto present = static_cast<std::size_t>(std::lround(value_ / step_A));
  std::size_t best = present;
  for (std::size_t k = 0; k < n_values; ++k)
    if (cost(k, cutoff) < cost(best, cutoff)) best = k;
  return step_A * static_cast<double>(best > present ? present + 1 : best < present ? present - 1 : present);
}

void Skin::start(double value) {
  *this = tuned_ ? Skin() : Skin(value_);
  if (tuned_) value_ = std::clamp(value, 0.0, most_A);
}

}  // namespace solion
