// Goodness of fit of samples against a known distribution.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace solion::md::testing {

/// Regularised lower incomplete gamma function P(a, x): the distribution function of a gamma variate of shape
/// a.
inline double gamma_cdf(double a, double x) {
  if (x <= 0) return 0;
  const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
  if (x < a + 1) {  // series
    double term = 1 / a;
    double sum = term;
    for (int n = 1; n < 2000 && term > 1e-16 * sum; ++n) sum += term *= x / (a + n);
    return front * sum;
  }
  double b = x + 1 - a;  // continued fraction, from the front (Lentz)
  double c = 1e300;
  double d = 1 / b;
  double f = d;
  for (int n = 1; n < 2000; ++n) {
    const double an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    f *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return 1 - front * f;
}

inline double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

/// Correlation of successive samples.
inline double lag_one(const std::vector<double>& x) {
  double mean = 0;
  for (const double v : x) mean += v / static_cast<double>(x.size());
  double variance = 0;
  double covariance = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    variance += (x[i] - mean) * (x[i] - mean);
    covariance += (x[i] - mean) * (x[i + 1] - mean);
  }
  return covariance / variance;
}

/// Kolmogorov–Smirnov: √n·max|F_n − F|, with n the number of independent samples of a first-order
/// autoregressive sequence of that correlation. Above 1.95 has probability 0.001 for samples of F.
inline double kolmogorov_smirnov(std::vector<double> samples, const std::function<double(double)>& cdf) {
  const auto n = static_cast<double>(samples.size());
  const double rho = std::max(0.0, lag_one(samples));
  std::sort(samples.begin(), samples.end());
  double largest = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double f = cdf(samples[i]);
    largest = std::max({largest, f - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - f});
  }
  return largest * std::sqrt(n * (1 - rho) / (1 + rho));
}
constexpr double ks_critical = 1.95;

}  // namespace solion::md::testing
