// ∫S²W² as a sum over times: W² transforms into a triangle of half-width 2t, S² by FFT.
#include "solion/transport/green_kubo_error.hpp"

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <complex>
#include <unsupported/Eigen/FFT>
#include <vector>

namespace solion::transport {
namespace {

/// The next length with no prime factor above 5, which transforms fast.
Eigen::Index fast_length(Eigen::Index n) {
  const auto fast = [](Eigen::Index m) {
    for (const int p : {2, 3, 5})
      while (m % p == 0) m /= p;
    return m == 1;
  };
  while (!fast(n)) ++n;
  return n;
}

/// |∫v e^{−iωt}dt|²/τ, the mean over x, y and z, on `length` frequencies.
Eigen::VectorXd periodogram(const Eigen::Matrix3Xd& velocity, double interval_fs, Eigen::Index length) {
  Eigen::FFT<double> fft;
  Eigen::VectorXd power = Eigen::VectorXd::Zero(length);
  const double scale = interval_fs / (3 * static_cast<double>(velocity.cols()));
  for (int axis = 0; axis < 3; ++axis) {
    Eigen::VectorXd padded = Eigen::VectorXd::Zero(length);
    padded.head(velocity.cols()) = velocity.row(axis);
    Eigen::VectorXcd transformed;
    fft.fwd(transformed, padded);
    power += scale * transformed.cwiseAbs2();
  }
  return power;
}

}  // namespace

Eigen::VectorXd green_kubo_variance(const Eigen::Matrix3Xd& velocity, double interval_fs,
                                    Eigen::Index n_lags) {
  const Eigen::Index length = fast_length(std::max(velocity.cols(), 2 * n_lags));
  // The square of a mean of three independent exponential variates is 4/3 of the squared mean.
  const Eigen::VectorXcd squared =
      (0.75 * periodogram(velocity, interval_fs, length).cwiseAbs2()).cast<std::complex<double>>();
  Eigen::VectorXcd in_time;
  Eigen::FFT<double>().inv(in_time, squared);
  const Eigen::VectorXd q = in_time.real() / interval_fs;  // of lags; q(−t) = q(t)
  // Σ_j q_j·(2t − |t_j|)·Δt over |t_j| < 2t, by running sums from one t to the next.
  const double run = static_cast<double>(velocity.cols()) * interval_fs;
  Eigen::VectorXd variance = Eigen::VectorXd::Zero(n_lags);
  double sum = q[0], moment = 0;  // Σq_j and Σq_j·|j| over |j| < 2l
  for (Eigen::Index l = 1; l < n_lags; ++l) {
    for (const Eigen::Index j : {2 * l - 2, 2 * l - 1}) {
      if (j == 0) continue;
      sum += 2 * q[j % length];
      moment += 2 * q[j % length] * static_cast<double>(j);
    }
    const double triangle = (2 * static_cast<double>(l) * sum - moment) * interval_fs * interval_fs;
    variance[l] = std::max(0.0, triangle / (6 * run));
  }
  return variance;
}

std::array<double, 2> green_kubo_interval(double value, double variance, double confidence) {
  if (!(value > 0) || !(variance > 0)) {
    const double z = boost::math::quantile(boost::math::normal(), 0.5 + confidence / 2);
    const double half = z * std::sqrt(std::max(variance, 0.0));
    return {value - half, value + half};
  }
  const double freedom = 2 * value * value / variance;
  const boost::math::chi_squared law(freedom);
  return {freedom * value / boost::math::quantile(law, 0.5 + confidence / 2),
          freedom * value / boost::math::quantile(law, 0.5 - confidence / 2)};
}

}  // namespace solion::transport
