// Which law D(T) follows: Arrhenius, two segments with a kink, two states, or VTF, by Bayesian evidence.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <string>
#include <vector>

#include "solion/transport/arrhenius.hpp"

namespace solion::transport {

/// ln D as a function of T with the posterior of its parameters: a sum of Gaussians, one a node of the
/// quadrature. Section 7 of docs/theory/transport.md defines the laws and their priors.
class TemperatureLaw {
 public:
  enum class Kind { arrhenius, kink, two_state, vtf };

  // At most three parameters, without allocation.
  using Theta = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, 3, 1>;
  using Covariance = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, 3, 3>;

  /// One node: parameters that are integrated analytically, `theta`, given those of the node.
  struct Node {
    double weight = 0;  ///< posterior, normalised
    double T_s_K = 0;   ///< of the kink or the transition; T₀ of VTF; 0 for Arrhenius
    double dH_eV = 0;   ///< of the transition between two states
    double sigma = 0;   ///< scatter of ln D
    Theta theta;
    Covariance covariance;
  };

  Kind kind = Kind::arrhenius;
  double reference_x = 0;  ///< 1/(k_B T) that ln D is anchored at, 1/eV
  double ln_evidence = 0;
  double probability = 0;  ///< posterior, all laws alike a priori
  std::vector<Node> nodes;

  /// "arrhenius", "kink", "two_state" or "vtf".
  [[nodiscard]] std::string name() const;
  [[nodiscard]] Estimate ln_D_at(double T_K) const;
  /// Where `share` of the posterior of ln D lies below. VTF has no D at T₀ and below: −∞ where so much of the
  /// posterior has T₀ ≥ T.
  [[nodiscard]] double ln_D_quantile(double T_K, double share) const;
  /// Apparent activation energy −d ln D/d(1/k_B T), eV.
  [[nodiscard]] Estimate Ea_at(double T_K) const;
  /// Temperature of the kink or of equal populations (K); NaN for the other laws.
  [[nodiscard]] Estimate T_s_K() const;
  /// Name, mean and standard deviation of each parameter that has a meaning of its own.
  [[nodiscard]] std::vector<std::pair<std::string, Estimate>> parameters() const;
};

struct LawComparison {
  std::vector<TemperatureLaw> laws;  ///< those that the number of temperatures allows, Arrhenius first
  /// Arrhenius, unless it is excluded; then the law of the highest evidence.
  std::size_t best = 0;
  bool arrhenius_excluded = false;  ///< its probability is below 3 %
  /// Arrhenius is 3 times as probable as each other law; or it is excluded and the best is 10 times as
  /// probable as each other. Needs all four laws, that is five temperatures.
  bool decidable = false;
  bool errors_given = false;  ///< else the scatter was estimated, as with `errors_too_small`
  /// No law fits within the errors given (odds 1 : 1000), so that the scatter was estimated.
  bool errors_too_small = false;
  std::size_t n_used = 0;
  std::size_t n_temperatures = 0;  ///< that differ, of those used
  double scatter = 0;  ///< estimated relative error of D (posterior mean), or the rms one that was given
  std::string verdict;
  /// Where one more D, as exact as the others, would tell most about the law, and how much (nats).
  double next_T_K = std::numeric_limits<double>::quiet_NaN();
  double next_information = 0;
};

/// Compares the laws on the resolved points; given errors count with 2 % in quadrature. Laws that need more
/// temperatures than there are (kink 4, two states 5, VTF 4) are left out. InputError as `fit_arrhenius`.
LawComparison compare_laws(const std::vector<DiffusionPoint>& points);

}  // namespace solion::transport
