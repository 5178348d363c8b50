// Counts of far steps and of pairs of them in a row.
#include "solion/transport/unwrap_alias.hpp"

#include <cmath>

#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

constexpr double far_step = 0.25;  // two of these the same way are half a cell
constexpr double most_pairs = 0.06, deviations = 3;

bool too_many(std::uint64_t n_pairs, std::uint64_t n_far) {
  const auto pairs = static_cast<double>(n_pairs);
  return pairs - deviations * std::sqrt(pairs) > most_pairs * static_cast<double>(n_far);
}

}  // namespace

void AliasCheck::next(const Frame& frame, const std::vector<Vec3>& steps, const std::string& where) {
  species_.resize(frame.type_map.names().size());
  last_.resize(steps.size(), Int3::Zero());
  Vec3 drift = Vec3::Zero();  // which is no hop
  for (const Vec3& step : steps) drift += step / static_cast<double>(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Species& species = species_[static_cast<std::size_t>(frame.types[i])];
    for (int k = 0; k < 3; ++k) {
      const double step = steps[i][k] - drift[k];
      const int way = step > far_step ? 1 : step < -far_step ? -1 : 0;
      species.n_far += way != 0 ? 1 : 0;
      species.n_pairs += way != 0 && way == last_[i][k] ? 1 : 0;
      last_[i][k] = way;
    }
  }
  for (std::size_t s = 0; s < species_.size(); ++s) {
    const auto [n_far, n_pairs] = species_[s];
    if (n_pairs == 0 || !too_many(n_pairs, n_far)) continue;
    throw InputError(
        "{}: {} went more than a quarter of the cell in {} steps so far, {} times the same way in two frames "
        "in a row; so about {} steps must have gone beyond half the cell, where their way is lost, and "
        "there are no image flags: write frames more often, or image flags, or a LAMMPS dump with xu yu zu",
        where, frame.type_map.name(static_cast<int>(s)), n_far, n_pairs, (n_pairs + 1) / 2);
  }
}

}  // namespace solion::transport
