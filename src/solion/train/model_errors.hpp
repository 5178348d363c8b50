// What a model that has been trained says of labelled frames.
#pragma once

#include <cstddef>
#include <vector>

namespace solion::dp {
struct Model;
}

namespace solion::train {

template <typename T>
struct PreparedSystem;

/// Root mean square errors; NaN where no frame has the label.
struct ModelErrors {
  std::size_t n_frames = 0;
  double energy = 0;  ///< eV per atom
  double force = 0;   ///< eV/Å, of a component
  double virial = 0;  ///< eV per atom, of a component
};

/// Over all frames. Biases that were fitted and averages of the steps are in a model that was written, and
/// not in the learning curve.
template <typename T>
ModelErrors errors_of(const dp::Model& model, const std::vector<PreparedSystem<T>>& systems, int threads);

}  // namespace solion::train
