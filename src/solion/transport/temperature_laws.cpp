// Gaussian integrals over what is linear, Gauss-Legendre quadrature over the rest (section 7).
#include "solion/transport/temperature_laws.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

using Kind = TemperatureLaw::Kind;
using Node = TemperatureLaw::Node;
using Theta = TemperatureLaw::Theta;
using Covariance = TemperatureLaw::Covariance;

constexpr double kB = constants::boltzmann_eV_per_K;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Priors, stated in section 7: what a solid ionic conductor may do, before the data.
constexpr double ln_D_mean = -16, ln_D_std = 6;      // ln of cm²/s at the reference
constexpr double Ea_mean_eV = 0.5, Ea_std_eV = 0.5;  // of every segment
constexpr double ratio_mean = 3, ratio_std = 1;      // ln of D in the fast state over D in the slow one
constexpr double dH_low_eV = 0.2, dH_high_eV = 5;    // of the transition, log-uniform
constexpr double sigma_low = 0.02, sigma_high = 1;   // scatter of ln D where unknown, log-uniform
constexpr double sigma_floor = 0.02;                 // joins errors that are given
constexpr double T0_low = 0.25, T0_high = 0.95;  // T₀ over the lowest temperature; below, VTF is Arrhenius

/// ln D and its gradient with respect to theta, for one law, node and temperature.
double law_value(Kind kind, double x0, const Node& node, const Theta& theta, double T, Theta& gradient) {
  const double x = 1 / (kB * T);
  switch (kind) {
    case Kind::arrhenius:
      gradient << 1, -(x - x0);
      break;
    case Kind::kink: {
      const double u = x - 1 / (kB * node.T_s_K);
      gradient << 1, u > 0 ? -u : 0, u > 0 ? 0 : -u;  // ln D at the kink, E below and above it
      break;
    }
    case Kind::vtf: {
      // E is the apparent one at the reference temperature.
      const double T_ref = 1 / (kB * x0), T0 = node.T_s_K;
      const double shrink = (1 - T0 / T_ref) * (1 - T0 / T_ref);
      gradient << 1, -shrink * (1 / (kB * (T - T0)) - 1 / (kB * (T_ref - T0)));
      break;
    }
    case Kind::two_state: {
      const double p = 1 / (1 + std::exp(node.dH_eV * (x - 1 / (kB * node.T_s_K))));
      const double fast = p * std::exp(theta[2]);
      gradient << 1, -(x - x0), fast / (1 - p + fast);
      return theta[0] - theta[1] * (x - x0) + std::log(1 - p + fast);
    }
  }
  return gradient.dot(theta);
}

struct Data {
  Eigen::VectorXd T, y, error;  // error empty where unknown
  double x0 = 0;
};

void prior_of(Kind kind, Theta& mean, Theta& deviation) {
  const Eigen::Index n = kind == Kind::arrhenius || kind == Kind::vtf ? 2 : 3;
  mean.resize(n);
  deviation.resize(n);
  mean.head(2) << ln_D_mean, Ea_mean_eV;
  deviation.head(2) << ln_D_std, Ea_std_eV;
  if (kind == Kind::kink) mean[2] = Ea_mean_eV, deviation[2] = Ea_std_eV;
  if (kind == Kind::two_state) mean[2] = ratio_mean, deviation[2] = ratio_std;
}

/// ln ∫ dθ p(y|θ, node) p(θ), by the Gaussian at the mode (exact where the law is linear in θ); fills θ.
double integrate(Kind kind, const Data& data, const Eigen::VectorXd& sigma, Node& node) {
  Theta mean, deviation;
  prior_of(kind, mean, deviation);
  const Eigen::Index n = data.y.size(), m = mean.size();
  Theta theta = node.theta.size() == m ? node.theta : mean, gradient(m), slope(m);
  const Theta precision = deviation.cwiseAbs2().cwiseInverse();
  Covariance hessian(m, m);
  const auto evaluate = [&](const Theta& at) {
    double cost = 0.5 * (at - mean).cwiseAbs2().dot(precision);
    slope = (mean - at).cwiseProduct(precision);
    hessian = precision.asDiagonal();
    for (Eigen::Index i = 0; i < n; ++i) {
      const double w = 1 / (sigma[i] * sigma[i]);
      const double residual = data.y[i] - law_value(kind, data.x0, node, at, data.T[i], gradient);
      cost += 0.5 * w * residual * residual;
      slope += w * residual * gradient;
      hessian += w * gradient * gradient.transpose();
    }
    return cost;
  };
  double cost = evaluate(theta);
  const int passes = kind == Kind::two_state ? 30 : 1;
  for (int pass = 0; pass < passes; ++pass) {
    const Theta step = hessian.ldlt().solve(slope);
    double length = 1, next = evaluate(theta + step);
    while (kind == Kind::two_state && !(next <= cost) && length > 1e-4) {
      length *= 0.5;
      next = evaluate(theta + length * step);
    }
    const double gain = cost - next;
    theta += length * step;
    cost = next;
    if (!(gain > 1e-4)) break;
  }
  const Eigen::LLT<Covariance> factor(hessian);
  node.theta = theta;
  node.covariance = factor.solve(Covariance::Identity(m, m));
  double ln_det = 0;
  for (Eigen::Index k = 0; k < m; ++k) ln_det += 2 * std::log(factor.matrixLLT()(k, k));
  return -cost - sigma.array().log().sum() - 0.5 * static_cast<double>(n) * std::log(2 * constants::pi) -
         deviation.array().log().sum() - 0.5 * ln_det;
}

struct Abscissa {
  double value = 0;
  double weight = 0;
};

/// Nodes of Gauss-Legendre quadrature for the mean over low…high.
template <unsigned points>
std::vector<Abscissa> mean_over(double low, double high) {
  using Rule = boost::math::quadrature::gauss<double, points>;
  std::vector<Abscissa> nodes;
  for (std::size_t i = 0; i < Rule::abscissa().size(); ++i) {
    const double x = Rule::abscissa()[i], w = 0.5 * Rule::weights()[i];
    nodes.push_back({0.5 * (low + high) + 0.5 * (high - low) * x, w});
    if (x > 0) nodes.push_back({0.5 * (low + high) - 0.5 * (high - low) * x, w});
  }
  return nodes;
}

/// The same over stretches of equal length: exact D(T) tell T₀ to a few K out of hundreds, which nodes that
/// are farther apart than that would miss.
std::vector<Abscissa> mean_over_stretches(double low, double high, int stretches) {
  std::vector<Abscissa> nodes;
  const double length = (high - low) / stretches;
  for (int i = 0; i < stretches; ++i) {
    for (Abscissa a : mean_over<5>(low + i * length, low + (i + 1) * length)) {
      a.weight /= stretches;
      nodes.push_back(a);
    }
  }
  return nodes;
}

/// The same over each stretch between neighbouring temperatures, since a kink makes no smooth integrand
/// there.
std::vector<Abscissa> between(const std::vector<double>& T, std::size_t first, std::size_t last) {
  std::vector<Abscissa> nodes;
  for (std::size_t i = first; i < last; ++i) {
    for (Abscissa a : mean_over<5>(T[i], T[i + 1])) {
      a.weight *= (T[i + 1] - T[i]) / (T[last] - T[first]);
      nodes.push_back(a);
    }
  }
  return nodes;
}

std::vector<Abscissa> logarithmic(std::vector<Abscissa> nodes) {
  for (Abscissa& a : nodes) a.value = std::exp(a.value);
  return nodes;
}

/// Evidence and posterior of one law.
TemperatureLaw weigh(Kind kind, const Data& data, const std::vector<double>& temperatures) {
  TemperatureLaw law;
  law.kind = kind;
  law.reference_x = data.x0;
  const std::vector<Abscissa> one{{0, 1}};
  std::vector<Abscissa> special = one, transitions = one, scatters = one;
  const std::size_t last = temperatures.size() - 1;
  if (kind == Kind::kink) special = between(temperatures, 1, last - 1);  // two temperatures on either side
  if (kind == Kind::two_state) {
    special = between(temperatures, 0, last);
    transitions = logarithmic(mean_over<10>(std::log(dH_low_eV), std::log(dH_high_eV)));
  }
  if (kind == Kind::vtf)
    special = mean_over_stretches(T0_low * temperatures.front(), T0_high * temperatures.front(), 40);
  const bool known = data.error.size() > 0;
  if (!known) scatters = logarithmic(mean_over<15>(std::log(sigma_low), std::log(sigma_high)));

  std::vector<double> exponents;
  double largest = -std::numeric_limits<double>::infinity();
  for (const Abscissa& T_s : special) {
    for (const Abscissa& dH : transitions) {
      Node node{
          .weight = 0, .T_s_K = T_s.value, .dH_eV = dH.value, .sigma = 0, .theta = {}, .covariance = {}};
      for (const Abscissa& s : scatters) {
        node.sigma = s.value;
        const Eigen::VectorXd sigma =
            known ? data.error : Eigen::VectorXd(Eigen::VectorXd::Constant(data.y.size(), s.value));
        const double exponent = integrate(kind, data, sigma, node);
        node.weight = T_s.weight * dH.weight * s.weight;
        law.nodes.push_back(node);
        exponents.push_back(exponent);
        largest = std::max(largest, exponent);
      }
    }
  }
  double sum = 0;
  for (std::size_t i = 0; i < exponents.size(); ++i) {
    law.nodes[i].weight *= std::exp(exponents[i] - largest);
    sum += law.nodes[i].weight;
  }
  law.ln_evidence = largest + std::log(sum);
  for (Node& node : law.nodes) node.weight /= sum;
  std::erase_if(law.nodes, [](const Node& node) { return !(node.weight > 1e-8); });
  return law;
}

/// Mean and deviation over the nodes of what `one` says of each, with its own variance.
template <class One>
Estimate over_nodes(const std::vector<Node>& nodes, const One& one) {
  double mean = 0, square = 0;
  for (const Node& node : nodes) {
    const auto [value, variance] = one(node);
    mean += node.weight * value;
    square += node.weight * (value * value + variance);
  }
  return {mean, std::sqrt(std::max(0.0, square - mean * mean))};
}

/// What one more D at T tells about the law: ln N of the mixture less the mean ln N, in nats, every law's
/// prediction taken for Gaussian with the scatter of a measurement.
double information(const LawComparison& comparison, double T) {
  std::vector<Estimate> predicted;
  double low = 1e300, high = -1e300;
  for (const TemperatureLaw& law : comparison.laws) {
    Estimate e = law.ln_D_at(T);
    e.error = std::hypot(e.error, std::max(comparison.scatter, sigma_floor));
    low = std::min(low, e.value - 6 * e.error);
    high = std::max(high, e.value + 6 * e.error);
    predicted.push_back(e);
  }
  constexpr int n = 400;
  const double h = (high - low) / n;
  double result = 0;
  for (int i = 0; i < n; ++i) {
    const double y = low + (i + 0.5) * h;
    double mixture = 0, own = 0;
    for (std::size_t l = 0; l < predicted.size(); ++l) {
      const Estimate& e = predicted[l];
      const double z = (y - e.value) / e.error;
      const double density = std::exp(-0.5 * z * z) / (std::sqrt(2 * constants::pi) * e.error);
      const double share = comparison.laws[l].probability;
      mixture += share * density;
      if (density > 0) own += share * density * std::log(density);
    }
    if (mixture > 0) result += h * (own - mixture * std::log(mixture));
  }
  return std::max(0.0, result);
}

/// A share in %, without digits that mean nothing.
std::string percent(double share) { return share < 0.001 ? "< 0.1 %" : fmt::format("{:.1g} %", 100 * share); }

/// Which errors of D the comparison used.
std::string errors_of(const LawComparison& c) {
  if (c.errors_too_small || !c.errors_given) {
    return fmt::format(
        "{}: a scatter of {:.0f} % was estimated",
        c.errors_too_small ? "the errors given are smaller than the scatter" : "D has no errors",
        100 * c.scatter);
  }
  const bool floored = c.scatter * c.scatter < 2 * sigma_floor * sigma_floor;
  return fmt::format("errors of D as given{} ({:.0f} %)",
                     floored ? fmt::format(", with {:.0f} % in quadrature", 100 * sigma_floor) : "",
                     100 * c.scatter);
}

std::string verdict_of(const LawComparison& c) {
  const TemperatureLaw& best = c.laws[c.best];
  std::string text;
  if (c.laws.size() < 4) {
    text = fmt::format("{} temperatures cannot tell the laws apart; ", c.n_temperatures);
  } else if (!c.arrhenius_excluded) {
    text = fmt::format("a single Arrhenius line is {} ({:.0f} %); ",
                       c.decidable ? "the most probable" : "not ruled out", 100 * best.probability);
  } else {
    text = fmt::format("a single Arrhenius line is ruled out ({}); {} is the most probable ({:.0f} %); ",
                       percent(c.laws.front().probability), best.name(), 100 * best.probability);
  }
  std::vector<std::string> others;
  for (const TemperatureLaw& law : c.laws)
    if (&law != &best && law.probability > 0.05)
      others.push_back(fmt::format("{} ({:.0f} %)", law.name(), 100 * law.probability));
  if (!others.empty()) text += fmt::format("room is left for {}; ", fmt::join(others, ", "));
  return text + errors_of(c);
}

}  // namespace

std::string TemperatureLaw::name() const {
  switch (kind) {
    case Kind::arrhenius:
      return "arrhenius";
    case Kind::kink:
      return "kink";
    case Kind::two_state:
      return "two_state";
    case Kind::vtf:
      return "vtf";
  }
  return {};
}

Estimate TemperatureLaw::ln_D_at(double T_K) const {
  return over_nodes(nodes, [&](const Node& node) {
    Theta gradient(node.theta.size());
    const double value = law_value(kind, reference_x, node, node.theta, T_K, gradient);
    return std::pair{value, gradient.dot(node.covariance * gradient)};
  });
}

double TemperatureLaw::ln_D_quantile(double T_K, double share) const {
  struct Normal {
    double weight, mean, deviation;
  };
  std::vector<Normal> parts;
  double frozen = 0, low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Node& node : nodes) {
    if (kind == Kind::vtf && !(node.T_s_K < T_K)) {
      frozen += node.weight;
      continue;
    }
    Theta gradient(node.theta.size());
    const double mean = law_value(kind, reference_x, node, node.theta, T_K, gradient);
    const double deviation = std::sqrt(gradient.dot(node.covariance * gradient)) + 1e-12;
    low = std::min(low, mean - 8 * deviation);
    high = std::max(high, mean + 8 * deviation);
    parts.push_back({node.weight, mean, deviation});
  }
  if (parts.empty() || frozen >= share) return -std::numeric_limits<double>::infinity();
  for (int halving = 0; halving < 100; ++halving) {
    const double middle = 0.5 * (low + high);
    double below = frozen;
    for (const Normal& n : parts)
      below += 0.5 * n.weight * std::erfc((n.mean - middle) / (n.deviation * std::sqrt(2.0)));
    (below < share ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

Estimate TemperatureLaw::Ea_at(double T_K) const {
  const double x = 1 / (kB * T_K), step = 1e-3;  // 1/eV; the laws are smooth, or straight, on that scale
  return over_nodes(nodes, [&](const Node& node) {
    Theta hot(node.theta.size()), cold(node.theta.size());
    const double y1 = law_value(kind, reference_x, node, node.theta, 1 / (kB * (x - step)), hot);
    const double y2 = law_value(kind, reference_x, node, node.theta, 1 / (kB * (x + step)), cold);
    const Theta gradient = (hot - cold) / (2 * step);
    return std::pair{(y1 - y2) / (2 * step), gradient.dot(node.covariance * gradient)};
  });
}

Estimate TemperatureLaw::T_s_K() const {
  if (kind != Kind::kink && kind != Kind::two_state) return {nan, nan};
  return over_nodes(nodes, [](const Node& node) { return std::pair{node.T_s_K, 0.0}; });
}

std::vector<std::pair<std::string, Estimate>> TemperatureLaw::parameters() const {
  const auto theta = [&](Eigen::Index k) {
    return over_nodes(nodes, [k](const Node& node) {
      return std::pair{node.theta[k], node.covariance(k, k)};
    });
  };
  const auto dH = [&] { return over_nodes(nodes, [](const Node& n) { return std::pair{n.dH_eV, 0.0}; }); };
  switch (kind) {
    case Kind::arrhenius:
      return {{"Ea_eV", theta(1)}};
    case Kind::kink:
      return {{"Ea_below_eV", theta(1)}, {"Ea_above_eV", theta(2)}, {"T_s_K", T_s_K()}};
    case Kind::two_state:
      return {{"Ea_eV", theta(1)}, {"ln_D_ratio", theta(2)}, {"dH_eV", dH()}, {"T_s_K", T_s_K()}};
    case Kind::vtf:
      return {{"Ea_at_reference_eV", theta(1)},
              {"reference_T_K", {1 / (kB * reference_x), 0}},
              {"T0_K", over_nodes(nodes, [](const Node& n) {
                 return std::pair{n.T_s_K, 0.0};
               })}};
  }
  return {};
}

namespace {

Data gather(const std::vector<DiffusionPoint>& used, bool weighted) {
  const auto n = static_cast<Eigen::Index>(used.size());
  Data data;
  data.T.resize(n);
  data.y.resize(n);
  if (weighted) data.error.resize(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const DiffusionPoint& p = used[static_cast<std::size_t>(i)];
    data.T[i] = p.T_K;
    data.y[i] = std::log(p.D_cm2_per_s);
    data.x0 += 1 / (kB * p.T_K * static_cast<double>(n));
    if (weighted) data.error[i] = std::hypot(p.std_cm2_per_s / p.D_cm2_per_s, sigma_floor);
  }
  return data;
}

/// Probability that scatter as large as that about the best law is chance.
double chance(const TemperatureLaw& law, const Data& data) {
  double chi2 = 0;
  for (Eigen::Index i = 0; i < data.y.size(); ++i)
    chi2 += std::pow((data.y[i] - law.ln_D_at(data.T[i]).value) / data.error[i], 2);
  const double freedom = std::max(1.0, static_cast<double>(data.y.size() - law.nodes.front().theta.size()));
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(freedom), chi2));
}

/// Evidence, probabilities and decision on one set of data.
LawComparison decide(const Data& data, const std::vector<double>& temperatures) {
  LawComparison result;
  result.n_used = static_cast<std::size_t>(data.y.size());
  result.n_temperatures = temperatures.size();
  result.errors_given = data.error.size() > 0;
  result.laws.push_back(weigh(Kind::arrhenius, data, temperatures));
  if (temperatures.size() >= 4) result.laws.push_back(weigh(Kind::kink, data, temperatures));
  if (temperatures.size() >= 5) result.laws.push_back(weigh(Kind::two_state, data, temperatures));
  if (temperatures.size() >= 4) result.laws.push_back(weigh(Kind::vtf, data, temperatures));
  double total = 0;
  std::size_t top = 0;
  for (std::size_t l = 0; l < result.laws.size(); ++l)
    if (result.laws[l].ln_evidence > result.laws[top].ln_evidence) top = l;
  for (TemperatureLaw& law : result.laws) {
    law.probability = std::exp(law.ln_evidence - result.laws[top].ln_evidence);
    total += law.probability;
  }
  for (TemperatureLaw& law : result.laws) law.probability /= total;
  result.arrhenius_excluded = result.laws.front().probability < 0.03;
  result.best = result.arrhenius_excluded ? top : 0;
  result.decidable = result.laws.size() == 4;
  const double odds = result.arrhenius_excluded ? 10 : 3;
  for (std::size_t l = 0; l < result.laws.size(); ++l)
    if (l != result.best && !(result.laws[result.best].probability >= odds * result.laws[l].probability))
      result.decidable = false;
  if (result.errors_given) {
    result.scatter = std::sqrt(data.error.squaredNorm() / static_cast<double>(data.error.size()));
  } else {
    for (const TemperatureLaw& law : result.laws)
      for (const Node& node : law.nodes) result.scatter += law.probability * node.weight * node.sigma;
  }
  return result;
}

}  // namespace

LawComparison compare_laws(const std::vector<DiffusionPoint>& points) {
  const ArrheniusFit line = fit_arrhenius(points);  // refuses what cannot be compared
  std::vector<DiffusionPoint> used;
  for (const DiffusionPoint& p : points)
    if (p.resolved) used.push_back(p);
  std::sort(used.begin(), used.end(), [](const auto& a, const auto& b) { return a.T_K < b.T_K; });
  std::vector<double> temperatures;
  for (const DiffusionPoint& p : used)
    if (temperatures.empty() || p.T_K > temperatures.back()) temperatures.push_back(p.T_K);

  const Data data = gather(used, line.weighted);
  LawComparison result = decide(data, temperatures);
  if (line.weighted && chance(result.laws[result.best], data) < 0.001) {
    result = decide(gather(used, false), temperatures);
    result.errors_given = result.errors_too_small = true;
  }
  if (result.laws.size() > 1) {
    const double low = std::max(50.0, temperatures.front() - 100), high = temperatures.back() + 100;
    const int steps = static_cast<int>((high - low) / 10);
    for (int k = 0; k <= steps; ++k) {
      const double T = low + 10 * k;
      const double told = information(result, T);
      if (told > result.next_information) {
        result.next_information = told;
        result.next_T_K = T;
      }
    }
  }
  result.verdict = verdict_of(result);
  return result;
}

}  // namespace solion::transport
