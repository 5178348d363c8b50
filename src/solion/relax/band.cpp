// Band forces and the steps that follow them. Theory: docs/theory/defects.md, section 3.
#include "solion/relax/band.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/relax/lbfgs.hpp"

namespace solion::relax {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

void check(const std::vector<Frame>& images, const BandOptions& o) {
  if (images.size() < 3)
    throw InputError("band: {} images; expected both ends and at least one between them", images.size());
  for (const Frame& image : images) {
    if (image.n_atoms() == 0 || image.n_atoms() != images.front().n_atoms() ||
        image.types != images.front().types) {
      throw InputError("band: images of different atoms ({} and {}); the order of the atoms counts",
                       images.front().formula(), image.formula());
    }
  }
  if (!(o.force_eV_per_A > 0) || !(o.spring_eV_per_A2 > 0) || !(o.max_step_A > 0) ||
      !(o.stiffness_eV_per_A2 > 0) || !(o.climb_below_eV_per_A > 0) || o.max_steps < 0) {
    throw InputError("band: force {} eV/Å, spring {} eV/Å², step {} Å, {} steps; expected positive numbers",
                     o.force_eV_per_A, o.spring_eV_per_A2, o.max_step_A, o.max_steps);
  }
}

VectorXd flat(const std::vector<Vec3>& vectors) {
  VectorXd x(static_cast<Index>(3 * vectors.size()));
  for (std::size_t i = 0; i < vectors.size(); ++i) x.segment<3>(static_cast<Index>(3 * i)) = vectors[i];
  return x;
}

double largest_vector(const VectorXd& x) {
  double largest = 0;
  for (Index i = 0; i < x.size(); i += 3) largest = std::max(largest, x.segment<3>(i).norm());
  return largest;
}

/// The band with its forces: one object from the first step to the last.
class Band {
 public:
  Band(const ImageSurface& surface, std::vector<Frame> images, const BandOptions& options)
      : surface_(surface), options_(options), climbing_(options.climb && options.climbing) {
    state_.images = std::move(images);
    const std::size_t n = state_.images.size();
    state_.evaluations.resize(n);
    state_.tangents.resize(n);
    state_.band_force.assign(n, 0.0);
    for (const Frame& image : state_.images) positions_.push_back(coordinates_of(image));
    evaluate(0, n);
    update();
  }

  [[nodiscard]] const BandState& state() const { return state_; }
  BandState& state() { return state_; }
  [[nodiscard]] const VectorXd& force() const { return force_; }

  void move(const VectorXd& step) {
    const Index size = positions_.front().size();
    for (std::size_t k = 1; k + 1 < positions_.size(); ++k) {
      positions_[k] += step.segment(static_cast<Index>(k - 1) * size, size);
      for (std::size_t i = 0; i < state_.images[k].n_atoms(); ++i)
        state_.images[k].positions[i] = positions_[k].segment<3>(static_cast<Index>(3 * i));
    }
    evaluate(1, positions_.size() - 1);
    ++state_.steps;
    update();
  }

  /// Lets the highest image climb if the band is ready; true where the forces have changed their meaning.
  bool choose_climber() {
    if (!options_.climb) return false;
    climbing_ = climbing_ || state_.largest_band_force() <= options_.climb_below_eV_per_A;
    if (!climbing_) return false;
    const int highest = highest_image();
    const int n = static_cast<int>(positions_.size());
    const int climber = highest > 0 && highest < n - 1 ? highest : -1;
    if (climber == state_.climber) return false;
    state_.climber = climber;
    update();
    return true;
  }

 private:
  void evaluate(std::size_t begin, std::size_t end) {
    parallel_dynamic(end - begin, options_.threads, [&](std::size_t item, int) {
      const std::size_t k = begin + item;
      surface_(k, state_.images[k], state_.evaluations[k]);
    });
  }

  [[nodiscard]] double energy(std::size_t k) const { return state_.evaluations[k].energy; }

  [[nodiscard]] int highest_image() const {
    std::size_t highest = 0;
    for (std::size_t k = 1; k < positions_.size(); ++k)
      if (energy(k) > energy(highest)) highest = k;
    return static_cast<int>(highest);
  }

  /// Eqs 8–11: towards the higher neighbour; at an extremum both, weighted by the changes of energy.
  [[nodiscard]] VectorXd tangent(std::size_t k) const {
    const std::size_t last = positions_.size() - 1;
    VectorXd t;
    if (k == 0 || k == last) {
      t = k == 0 ? positions_[1] - positions_[0] : positions_[last] - positions_[last - 1];
    } else {
      const VectorXd ahead = positions_[k + 1] - positions_[k], behind = positions_[k] - positions_[k - 1];
      const double up = energy(k + 1) - energy(k), down = energy(k - 1) - energy(k);
      const double large = std::max(std::abs(up), std::abs(down)),
                   small = std::min(std::abs(up), std::abs(down));
      if (up > 0 && down <= 0) {
        t = ahead;
      } else if (up <= 0 && down > 0) {
        t = behind;
      } else if (large > 0) {
        t = up > down ? VectorXd(large * ahead + small * behind) : VectorXd(small * ahead + large * behind);
      } else {
        t = ahead + behind;
      }
    }
    const double length = t.norm();
    if (!(length > 1e-9))
      throw WorkError("band: images {} and {} have met; are both ends the same structure?", k, k + 1);
    return t / length;
  }

  /// Tangents and band forces of the present images.
  void update() {
    const Index size = positions_.front().size();
    const std::size_t last = positions_.size() - 1;
    force_.resize(static_cast<Index>(last - 1) * size);
    for (std::size_t k = 0; k <= last; ++k) {
      state_.tangents[k] = tangent(k);
      if (k == 0 || k == last) continue;
      const VectorXd& t = state_.tangents[k];
      VectorXd f = flat(state_.evaluations[k].forces);
      const double along = f.dot(t);
      if (static_cast<int>(k) == state_.climber) {
        f -= 2 * along * t;
      } else {
        const double stretch =
            (positions_[k + 1] - positions_[k]).norm() - (positions_[k] - positions_[k - 1]).norm();
        f += (options_.spring_eV_per_A2 * stretch - along) * t;
      }
      if (!f.allFinite()) throw WorkError("band: the forces on image {} are not finite", k);
      state_.band_force[k] = largest_vector(f);
      force_.segment(static_cast<Index>(k - 1) * size, size) = f;
    }
  }

  const ImageSurface& surface_;
  const BandOptions& options_;
  bool climbing_;
  BandState state_;
  std::vector<VectorXd> positions_;  ///< of each image
  VectorXd force_;                   ///< on the images between the ends
};

/// FIRE (Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006)) with unit masses: slow, but it needs no
/// curvatures.
class Fire {
 public:
  explicit Fire(double stiffness) : time_step_(0.2 / std::sqrt(stiffness)), longest_(7 * time_step_) {}

  VectorXd step(const VectorXd& force) {
    if (velocity_.size() != force.size()) velocity_ = VectorXd::Zero(force.size());
    if (velocity_.dot(force) > 0) {
      velocity_ = (1 - mixing_) * velocity_ + mixing_ * velocity_.norm() / force.norm() * force;
      if (++downhill_ > 5) {
        time_step_ = std::min(1.1 * time_step_, longest_);
        mixing_ *= 0.99;
      }
    } else {
      velocity_.setZero();
      time_step_ *= 0.5;
      mixing_ = 0.1;
      downhill_ = 0;
    }
    velocity_ += time_step_ * force;
    return time_step_ * velocity_;
  }

 private:
  double time_step_, longest_, mixing_ = 0.1;
  int downhill_ = 0;
  VectorXd velocity_;
};

/// L-BFGS without a line search; FIRE once that runs in circles, which the band's forces, being no gradient,
/// can lead it to.
class Stepper {
 public:
  explicit Stepper(const BandOptions& options)
      : options_(options),
        memory_(options.stiffness_eV_per_A2),
        fire_(options.stiffness_eV_per_A2),
        longest_(options.max_step_A) {}

  /// The forces have changed their meaning.
  void restart() {
    memory_.forget();
    best_ = std::numeric_limits<double>::infinity();
    since_best_ = 0;
  }

  VectorXd step(const VectorXd& force) {
    if (force.norm() < 0.9 * best_) {
      best_ = force.norm();
      since_best_ = 0;
    } else if (++since_best_ == patience) {
      circles_ = true;
    }
    VectorXd step;
    if (circles_) {
      step = fire_.step(force);
    } else {
      step = memory_.direction(-force);
      if (!(step.dot(force) > 0)) {
        memory_.forget();
        step = memory_.direction(-force);
      }
    }
    cap_step(step, longest_);
    return step;
  }

  void learn(const VectorXd& step, const VectorXd& before, const VectorXd& after) {
    if (circles_) return;
    // There is no energy that goes down: growing forces tell of a step too long, or a memory of another
    // place.
    if (after.norm() > 1.5 * before.norm()) {
      memory_.forget();
      longest_ = std::max(0.5 * longest_, 1e-3 * options_.max_step_A);
    } else {
      memory_.add(step, before - after);
      longest_ = std::min(options_.max_step_A, 1.2 * longest_);
    }
  }

 private:
  static constexpr int patience = 40;  // steps without a tenth less force; sound runs need fewer than 15

  const BandOptions& options_;
  LbfgsMemory memory_;
  Fire fire_;
  double longest_;
  double best_ = std::numeric_limits<double>::infinity();
  int since_best_ = 0;
  bool circles_ = false;
};

}  // namespace

double BandState::largest_band_force() const {
  return *std::max_element(band_force.begin(), band_force.end());
}

VectorXd coordinates_of(const Frame& frame) { return flat(frame.positions); }

BandState relax_band(const ImageSurface& surface, std::vector<Frame> images, const BandOptions& options,
                     const std::function<void(const BandState&)>& each) {
  check(images, options);
  Band band(surface, std::move(images), options);
  BandState& state = band.state();
  Stepper stepper(options);
  while (true) {
    throw_if_interrupted();
    if (band.choose_climber()) stepper.restart();
    state.converged = state.largest_band_force() <= options.force_eV_per_A;
    if (each) each(state);
    if (state.converged || state.steps >= options.max_steps) break;
    const VectorXd force = band.force();
    const VectorXd step = stepper.step(force);
    band.move(step);
    stepper.learn(step, force, band.force());
  }
  return std::move(state);
}

}  // namespace solion::relax
