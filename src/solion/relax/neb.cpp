// Clones of a potential as the surface of a band, and the barrier read from the band.
#include "solion/relax/neb.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"

namespace solion::relax {
namespace {

/// Hermite cubic over one segment as a polynomial in x ∈ [0, 1].
struct Cubic {
  double a, b, c, d;  // a + b·x + c·x² + d·x³
  Cubic(const PathProfile& p, std::size_t k) {
    const double h = p.coordinate_A[k + 1] - p.coordinate_A[k];
    const double rise = p.energy_eV[k + 1] - p.energy_eV[k];
    const double first = h * p.slope_eV_per_A[k], last = h * p.slope_eV_per_A[k + 1];
    a = p.energy_eV[k];
    b = first;
    c = 3 * rise - 2 * first - last;
    d = first + last - 2 * rise;
  }
  [[nodiscard]] double operator()(double x) const { return a + x * (b + x * (c + x * d)); }
};

void find_highest(PathProfile& p) {
  p.highest_eV = p.energy_eV.front();
  p.highest_at_A = 0;
  for (std::size_t k = 0; k + 1 < p.energy_eV.size(); ++k) {
    const Cubic cubic(p, k);
    std::vector<double> candidates{1.0};
    // Roots of b + 2c·x + 3d·x² by the form that keeps its digits where d is small.
    const double discriminant = cubic.c * cubic.c - 3 * cubic.b * cubic.d;
    if (discriminant >= 0) {
      const double q = -(cubic.c + std::copysign(std::sqrt(discriminant), cubic.c));
      if (q != 0) candidates.push_back(cubic.b / q);
      if (cubic.d != 0) candidates.push_back(q / (3 * cubic.d));
    }
    for (const double x : candidates) {
      if (!(x >= 0 && x <= 1) || !(cubic(x) > p.highest_eV)) continue;
      p.highest_eV = cubic(x);
      p.highest_at_A = p.coordinate_A[k] + x * (p.coordinate_A[k + 1] - p.coordinate_A[k]);
    }
  }
}

/// Dips of the images' energies by more than 1 meV on both sides.
int count_minima(const std::vector<double>& energy) {
  constexpr double deep_eV = 1e-3;
  int minima = 0;
  double low = energy.front(), high = energy.front();
  bool falling = false;
  for (const double e : energy) {
    if (falling) {
      low = std::min(low, e);
      if (e > low + deep_eV) {
        ++minima;
        falling = false;
        high = e;
      }
    } else {
      high = std::max(high, e);
      if (e < high - deep_eV) {
        falling = true;
        low = e;
      }
    }
  }
  return minima;
}

NebResult read_band(const BandState& band) {
  NebResult r;
  r.band = band;
  r.profile = path_profile(band);
  const auto& energy = r.profile.energy_eV;
  r.saddle = static_cast<int>(std::max_element(energy.begin(), energy.end()) - energy.begin());
  r.has_barrier = r.saddle > 0 && r.saddle + 1 < static_cast<int>(energy.size());
  r.climbed = r.has_barrier && band.climber == r.saddle;
  r.forward_eV = r.climbed ? energy[static_cast<std::size_t>(r.saddle)] : r.profile.highest_eV;
  r.reaction_eV = energy.back();
  r.backward_eV = r.forward_eV - r.reaction_eV;
  r.intermediate_minima = count_minima(energy);
  for (std::size_t k = 0; k < band.images.size(); ++k) {
    const Evaluation& e = band.evaluations[k];
    r.band.images[k].labels = {e.energy, e.forces, std::nullopt, {}};
    if (k > 0 && k + 1 < band.images.size()) continue;
    for (const Vec3& f : e.forces) r.end_force_eV_per_A = std::max(r.end_force_eV_per_A, f.norm());
  }
  return r;
}

}  // namespace

double PathProfile::at(double s) const {
  const auto above = std::upper_bound(coordinate_A.begin(), coordinate_A.end(), s) - coordinate_A.begin();
  const std::ptrdiff_t last = static_cast<std::ptrdiff_t>(coordinate_A.size()) - 2;
  const auto k = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(above - 1, 0, last));
  return Cubic(*this,
               k)(std::clamp((s - coordinate_A[k]) / (coordinate_A[k + 1] - coordinate_A[k]), 0.0, 1.0));
}

PathProfile path_profile(const BandState& band) {
  PathProfile p;
  Eigen::VectorXd before;
  for (std::size_t k = 0; k < band.images.size(); ++k) {
    const Eigen::VectorXd here = coordinates_of(band.images[k]);
    p.coordinate_A.push_back(k == 0 ? 0 : p.coordinate_A.back() + (here - before).norm());
    p.energy_eV.push_back(band.evaluations[k].energy - band.evaluations.front().energy);
    double along = 0;
    for (std::size_t i = 0; i < band.images[k].n_atoms(); ++i)
      along +=
          band.evaluations[k].forces[i].dot(band.tangents[k].segment<3>(static_cast<Eigen::Index>(3 * i)));
    p.slope_eV_per_A.push_back(-along);
    before = here;
  }
  find_highest(p);
  return p;
}

NebResult nudged_elastic_band(const Potential& potential, std::vector<Frame> path, const BandOptions& options,
                              const std::function<void(const NebResult&)>& each) {
  std::vector<std::unique_ptr<Potential>> clones;
  const int moving = std::max(1, static_cast<int>(path.size()) - 2);
  clones.reserve(path.size());
  for (std::size_t k = 0; k < path.size(); ++k) {
    clones.push_back(potential.clone());
    clones.back()->set_threads(std::max(1, options.threads / moving));
  }
  const ImageSurface surface = [&](std::size_t image, const Frame& frame, Evaluation& result) {
    clones[image]->evaluate(frame, {.forces = true, .virial = false}, result);
  };
  std::function<void(const BandState&)> show;
  if (each) show = [&](const BandState& band) { each(read_band(band)); };
  return read_band(relax_band(surface, std::move(path), options, show));
}

}  // namespace solion::relax
