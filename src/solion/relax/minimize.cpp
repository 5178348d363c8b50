// L-BFGS with a cap on the step and an energy check; the cell as three further vectors.
#include "solion/relax/minimize.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <deque>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"

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

  /// Enthalpy and its gradient; leaves frame, forces and stress of x behind.
  double evaluate(const VectorXd& x, VectorXd& gradient) {
    const Mat3 deformation = Eigen::Map<const Mat3>(x.data() + 3 * n_) / scale_;
    for (std::size_t i = 0; i < n_; ++i)
      frame_.positions[i] = deformation * x.segment<3>(static_cast<Eigen::Index>(3 * i));
    const bool moves_cell = options_.cell != CellMode::fixed;
    if (moves_cell) frame_.cell = Cell(reference_ * deformation.transpose());
    potential_.evaluate(frame_, {.forces = true, .virial = frame_.cell.has_value()}, evaluation_);
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

/// The last steps and changes of the gradient, and the direction they give.
class History {
 public:
  void add(const VectorXd& step, const VectorXd& change) {
    if (!(step.dot(change) > 1e-12 * step.norm() * change.norm())) return;  // no curvature to learn
    pairs_.push_back({step, change});
    if (pairs_.size() > 20) pairs_.pop_front();
  }
  void forget() { pairs_.clear(); }
  [[nodiscard]] bool empty() const { return pairs_.empty(); }
  /// −H·gradient by the two-loop recursion.
  [[nodiscard]] VectorXd direction(const VectorXd& gradient) const {
    constexpr double usual_stiffness = 20;  // eV/Å², where nothing is known yet
    VectorXd q = -gradient;
    std::vector<double> alpha(pairs_.size());
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      const auto& [s, y] = pairs_[k];
      alpha[k] = s.dot(q) / s.dot(y);
      q -= alpha[k] * y;
    }
    if (pairs_.empty()) {
      q /= usual_stiffness;
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
  std::deque<std::pair<VectorXd, VectorXd>> pairs_;
};

/// Shortens a step so that no atom, and no cell vector in the same scale, goes too far.
void cap(VectorXd& step, double longest) {
  double largest = 0;
  for (Eigen::Index i = 0; i < step.size(); i += 3) largest = std::max(largest, step.segment<3>(i).norm());
  if (largest > longest) step *= longest / largest;
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
  Surface surface(potential, start, options);
  RelaxResult result;
  VectorXd x = surface.initial(), gradient, next_gradient;
  double value = surface.evaluate(x, gradient);
  surface.fill(result);
  History history;
  double longest = options.max_step_A;
  while (!result.converged && result.steps < options.max_steps) {
    throw_if_interrupted();
    VectorXd step = history.direction(gradient);
    if (!(step.dot(gradient) <
          0)) {  // a direction that does not go down says the history is of another place
      history.forget();
      step = history.direction(gradient);
    }
    cap(step, longest);
    const double next = surface.evaluate(x + step, next_gradient);
    ++result.steps;
    // Near the minimum the energy's rounding hides the descent; the gradient then decides.
    const double rounding = 1e-12 * std::max(1.0, std::abs(value)) * 10;
    if (!(next <= value + rounding)) {
      if (history.empty() && longest < 1e-6) break;
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
  }
  return result;
}

}  // namespace solion::relax
