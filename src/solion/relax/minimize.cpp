// L-BFGS with a cap on the step and an energy check; the cell as three further vectors.
#include "solion/relax/minimize.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"
#include "solion/relax/lbfgs.hpp"

namespace solion::relax {
namespace {

using Eigen::VectorXd;

/// The surface that is walked on: x = (u₁ … u_N, c·F) with r = F·u, h = h₀·Fᵀ and c = √N Å, so that a strain
/// and an atom's step are alike stiff.
class Surface {
 public:
  Surface(Potential& potential, const Frame& start, const RelaxOptions& options)
      : potential_(potential), options_(options), frame_(start), n_(start.n_atoms()) {
    scale_ = std::sqrt(static_cast<double>(n_));
    if (start.cell) reference_ = start.cell->matrix();
  }

  [[nodiscard]] VectorXd initial() const {
    VectorXd x = VectorXd::Zero(static_cast<Eigen::Index>(3 * n_ + 9));
    for (std::size_t i = 0; i < n_; ++i) x.segment<3>(static_cast<Eigen::Index>(3 * i)) = frame_.positions[i];
    Eigen::Map<Mat3>(x.data() + 3 * n_) = scale_ * Mat3::Identity();
    return x;
  }

  /// Enthalpy and its gradient; leaves frame, forces and stress of x behind. `known`: what the potential says
  /// there, if it need not be asked.
  double evaluate(const VectorXd& x, VectorXd& gradient, const Labels* known = nullptr) {
    const Mat3 deformation = Eigen::Map<const Mat3>(x.data() + 3 * n_) / scale_;
    for (std::size_t i = 0; i < n_; ++i)
      frame_.positions[i] = deformation * x.segment<3>(static_cast<Eigen::Index>(3 * i));
    const bool moves_cell = options_.cell != CellMode::fixed;
    if (moves_cell) frame_.cell = Cell(reference_ * deformation.transpose());
    if (known != nullptr) {
      evaluation_.energy = *known->energy_eV;
      evaluation_.forces = known->forces_eV_per_A;
      evaluation_.virial = known->virial_eV.value_or(Mat3::Zero());
    } else {
      potential_.evaluate(frame_, {.forces = true, .virial = frame_.cell.has_value()}, evaluation_);
    }
    gradient.setZero(x.size());
    largest_force_ = largest_stress_ = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      largest_force_ = std::max(largest_force_, evaluation_.forces[i].norm());
      gradient.segment<3>(static_cast<Eigen::Index>(3 * i)) =
          -deformation.transpose() * evaluation_.forces[i];
    }
    enthalpy_ = evaluation_.energy;
    if (!moves_cell) return enthalpy_;
    const double pressure = options_.pressure_GPa / constants::eV_per_A3_in_GPa;
    const double volume = frame_.cell->volume();
    enthalpy_ += pressure * volume;
    Mat3 pull = evaluation_.virial - pressure * volume * Mat3::Identity();  // −∂H/∂ε
    if (options_.cell == CellMode::isotropic) pull = pull.trace() / 3 * Mat3::Identity();
    largest_stress_ = pull.cwiseAbs().maxCoeff() / volume * constants::eV_per_A3_in_GPa;
    Mat3 slope = -pull * deformation.inverse().transpose() / scale_;
    if (options_.cell == CellMode::isotropic) slope = slope.trace() / 3 * Mat3::Identity();
    Eigen::Map<Mat3>(gradient.data() + 3 * n_) = slope;
    return enthalpy_;
  }

  [[nodiscard]] bool converged() const {
    return largest_force_ <= options_.force_eV_per_A && largest_stress_ <= options_.stress_GPa;
  }

  void fill(RelaxResult& result) const {
    result.frame = frame_;
    result.frame.velocities.clear();
    result.frame.labels = {evaluation_.energy,
                           evaluation_.forces,
                           frame_.cell ? std::optional<Mat3>(evaluation_.virial) : std::nullopt,
                           {}};
    result.energy_eV = evaluation_.energy;
    result.enthalpy_eV = enthalpy_;
    result.largest_force_eV_per_A = largest_force_;
    result.largest_stress_GPa = largest_stress_;
    result.converged = converged();
  }

 private:
  Potential& potential_;
  const RelaxOptions& options_;
  Frame frame_;
  std::size_t n_;
  double scale_;
  Mat3 reference_ = Mat3::Identity();
  Evaluation evaluation_;
  double enthalpy_ = 0, largest_force_ = 0, largest_stress_ = 0;
};

/// The value at x; infinite where the potential refuses it (atoms on top of each other, a cell turned inside
/// out), so that the step there is shortened as one that goes up.
double value_or_wall(Surface& surface, const VectorXd& x, VectorXd& gradient) {
  try {
    return surface.evaluate(x, gradient);
  } catch (const InputError&) {
    return std::numeric_limits<double>::infinity();
  }
}

/// Where the shortest steps go up the energy itself jumps, by a pair that passes the cutoff of a truncated
/// potential, and the forces do not: a step down them that makes them smaller leads on. False if there is
/// none.
bool step_over(Surface& surface, std::size_t n_atoms, VectorXd& x, double& value, VectorXd& gradient) {
  constexpr double largest_jump_eV = 1e-4;  // an atom
  constexpr double longest_A = 0.05;
  VectorXd next_gradient;
  for (const double stiffness : {20.0, 80.0, 320.0, 1280.0}) {
    VectorXd step = -gradient / stiffness;
    cap_step(step, longest_A);
    const double next = value_or_wall(surface, x + step, next_gradient);
    if (!(next < value + largest_jump_eV * static_cast<double>(n_atoms)) ||
        !(next_gradient.norm() < gradient.norm()))
      continue;
    x += step;
    value = next;
    gradient = next_gradient;
    return true;
  }
  return false;
}

}  // namespace

RelaxResult minimize(Potential& potential, const Frame& start, const RelaxOptions& options,
                     const std::function<void(int, const RelaxResult&)>& each) {
  if (!(options.force_eV_per_A > 0) || !(options.stress_GPa > 0) || !(options.max_step_A > 0) ||
      options.max_steps < 0 || !std::isfinite(options.pressure_GPa)) {
    throw InputError("relax: force {} eV/Å, stress {} GPa, step {} Å, {} steps; expected positive numbers",
                     options.force_eV_per_A, options.stress_GPa, options.max_step_A, options.max_steps);
  }
  if (start.n_atoms() == 0) throw InputError("relax: no atoms");
  if (options.cell != CellMode::fixed && !start.cell) throw InputError("relax: no cell to relax");
  if (options.start_is_evaluated &&
      (!start.labels.energy_eV || start.labels.forces_eV_per_A.size() != start.n_atoms() ||
       (options.cell != CellMode::fixed && !start.labels.virial_eV)))
    throw InputError("relax: the start has not the labels that it was said to have");
  Surface surface(potential, start, options);
  RelaxResult result;
  VectorXd x = surface.initial(), gradient, next_gradient;
  double value = surface.evaluate(x, gradient, options.start_is_evaluated ? &start.labels : nullptr);
  surface.fill(result);
  result.start_eV = result.energy_eV;
  constexpr double usual_stiffness = 20;  // eV/Å²
  LbfgsMemory history(usual_stiffness);
  double longest = options.max_step_A;
  while (!result.converged && !result.flew_apart && result.steps < options.max_steps) {
    throw_if_interrupted();
    VectorXd step = history.direction(gradient);
    if (!(step.dot(gradient) <
          0)) {  // a direction that does not go down says the history is of another place
      history.forget();
      step = history.direction(gradient);
    }
    cap_step(step, longest);
    const double next = value_or_wall(surface, x + step, next_gradient);
    ++result.steps;
    // Near the minimum the energy's rounding hides the descent; the gradient then decides.
    const double rounding = 1e-12 * std::max(1.0, std::abs(value)) * 10;
    if (!(next <= value + rounding)) {
      if (history.empty() && longest < 1e-6) {
        if (!step_over(surface, start.n_atoms(), x, value, gradient)) break;
        longest = options.max_step_A;
        surface.fill(result);
        if (each) each(result.steps, result);
        continue;
      }
      if (history.empty()) longest = std::min(longest, step.norm()) * 0.5;
      history.forget();
      longest *= 0.5;
      continue;
    }
    history.add(step, next_gradient - gradient);
    x += step;
    value = next;
    gradient = next_gradient;
    longest = std::min(options.max_step_A, 2 * longest);
    surface.fill(result);
    if (each) each(result.steps, result);
    result.flew_apart = start.cell && result.frame.cell->volume() > 10 * start.cell->volume();
  }
  return result;
}

}  // namespace solion::relax
