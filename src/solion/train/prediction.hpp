// What a model says of one frame of a batch.
#pragma once

#include <array>
#include <vector>

namespace solion::train {

struct Prediction {
  double energy = 0;               ///< eV
  std::vector<double> forces;      ///< eV/Å, 3 an atom
  std::array<double, 9> virial{};  ///< eV, −∂E/∂ε
};

}  // namespace solion::train
