// The energy biases after training: what is left of the energies' errors that the composition explains.
#pragma once

#include <span>
#include <vector>

namespace solion::train {

/// A frame's composition and what its energy still lacks.
struct EnergyResidual {
  std::vector<int> atoms;  ///< [type]
  double lacking_eV = 0;   ///< label − model
};

/// b (eV, by type) of least Σ_f ((lacking_f − Σ_t n_ft·b_t)/N_f)², the squares that the energy term of the
/// loss counts; of smallest norm where the compositions do not tell the types apart. Training with forces
/// leaves such offsets: they turn no force, so nothing hurries them home. Zeros without frames.
std::vector<double> bias_correction(std::span<const EnergyResidual> frames, int n_types);

}  // namespace solion::train
