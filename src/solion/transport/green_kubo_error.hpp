// The error of a Green–Kubo integral of one process (the sum of all ions), from the spectrum of its velocity.
#pragma once

#include <Eigen/Core>
#include <array>

namespace solion::transport {

/// Variances of D̂(t) = ⅓∫₀ᵗ⟨v(0)·v(t′)⟩dt′, averaged over the origins of one run of length τ, at the lags 0 …
/// n_lags − 1 of frames `interval_fs` apart; of a Gaussian process (Bartlett, J. R. Stat. Soc. Suppl. 8, 27
/// (1946)) with equal spectra S(ω) along x, y and z,
///   Var D̂(t) = (1/6τ)∫S(ω)²W(ω)²dω/2π,  W = 2 sin(ωt)/ω,
/// where S² is taken from the periodogram's square. For white noise it is 4D²t/3τ (Jones and Mandadapu, J.
/// Chem. Phys. 136, 154102 (2012)). velocity: 3 × frames, any unit; the variances are in its square times fs,
/// squared.
[[nodiscard]] Eigen::VectorXd green_kubo_variance(const Eigen::Matrix3Xd& velocity, double interval_fs,
                                                  Eigen::Index n_lags);

/// The interval that holds D with this confidence (0 to 1): D̂ spreads like χ² with ν = 2D̂²/Var degrees of
/// freedom, as a mean of periodograms does, so that its lower end is never below 0. Of D̂ ≤ 0 it is that of a
/// normal variate.
[[nodiscard]] std::array<double, 2> green_kubo_interval(double value, double variance, double confidence);

}  // namespace solion::transport
