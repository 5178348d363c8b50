// Whether ions move together, and by how much that widens the error of their mean square displacement.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace solion::transport {

/// The variance of the mean of Δr² over N ions, over that of N independent ones, at least 1:
///     f = 1 + Σ_{i≠j} (C_ij − C̄)² / Σ_i C_ii²,   C_ij = ⟨Δr_i·Δr_j⟩,
/// since Gaussian displacements have cov(Δr_i², Δr_j²) ∝ C_ij² (Isserlis' theorem): N ions that hop in groups
/// of g are worth N/f ≈ N/g. C̄, the mean over pairs, is what all ions share: the vibration of the framework,
/// which the covariance of the MSD has already. `stretches`: displacements (ions × 3, Å) over times that
/// follow each other. From n displacements chance alone makes ⟨C_ij²⟩ = C_ii·C_jj/n; that is taken off. 1
/// unless f stands out by three standard deviations from what the same displacements give when each ion's are
/// shifted in time by themselves.
double shared_motion(const std::vector<Eigen::ArrayX3d>& stretches);

}  // namespace solion::transport
