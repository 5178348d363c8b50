// Medians over nearest atoms once, circular means in every frame.
#include "solion/transport/crystal_shift.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"

namespace solion::transport {
namespace {

constexpr double farthest_A = 1.0;  // from its place, of the atom in the middle, in a crystal that is warm

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

CrystalShift::CrystalShift(const Frame& crystal, std::string species) : species_(std::move(species)) {
  if (crystal.cell) crystal_ = framework_of(crystal);
}

std::vector<Vec3> CrystalShift::framework_of(const Frame& frame) const {
  std::vector<Vec3> found;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)
    if (frame.element(i) != species_) found.push_back(frame.cell->to_fractional(frame.positions[i]));
  return found;
}

Vec3 CrystalShift::offset(const std::vector<Vec3>& first, const Cell& cell, const std::string& where) const {
  if (crystal_.empty() || first.empty()) return Vec3::Zero();
  std::vector<double> off[3];
  for (const Vec3& atom : first) {
    Vec3 nearest = Vec3::Zero();
    double least = std::numeric_limits<double>::infinity();
    for (const Vec3& place : crystal_) {
      const Vec3 way = cell.minimum_image(cell.to_cartesian(atom - place));
      if (const double d = way.norm(); d < least) least = d, nearest = cell.to_fractional(way);
    }
    for (int k = 0; k < 3; ++k) off[k].push_back(nearest[k]);
  }
  const Vec3 result(median(off[0]), median(off[1]), median(off[2]));
  const double residual = median([&] {
    std::vector<double> left;
    for (std::size_t i = 0; i < first.size(); ++i)
      left.push_back(cell.to_cartesian(Vec3(off[0][i], off[1][i], off[2][i]) - result).norm());
    return left;
  }());
  if (residual < farthest_A) return result;
  log().warn(
      "{}: half of the framework lies more than {:.1f} Å from that of the sites' crystal: are the sites of "
      "this crystal, cell and origin?",
      where, residual);
  return Vec3::Zero();
}

Vec3 CrystalShift::next(const Frame& frame, const std::string& where) {
  const std::vector<Vec3> now = framework_of(frame);
  if (!begun_) {
    begun_ = true;
    first_ = now;
    offset_ = offset(now, *frame.cell, where);
  }
  if (now.size() != first_.size()) {
    throw InputError("{}: {} atoms of the framework, but {} in the first frame", where, now.size(),
                     first_.size());
  }
  Vec3 drift = Vec3::Zero();
  for (int k = 0; k < 3 && !now.empty(); ++k) {
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < now.size(); ++i)
      sum += std::polar(1.0, 2 * std::numbers::pi * (now[i][k] - first_[i][k]));
    drift[k] = std::arg(sum) / (2 * std::numbers::pi);
  }
  return offset_ + drift;
}

}  // namespace solion::transport
