// Frame by frame, by the engine that trained.
#include "solion/train/model_errors.hpp"

#include <cmath>

#include "solion/train/data.hpp"
#include "solion/train/engine.hpp"

namespace solion::train {

template <typename T>
ModelErrors errors_of(const dp::Model& model, const std::vector<PreparedSystem<T>>& systems, int threads) {
  Engine<T> engine(model);
  LossSums sum;
  ModelErrors errors;
  for (const auto& system : systems) {
    for (const Prepared<T>& frame : *system.frames) {
      const Prepared<T>* const one = &frame;
      engine.evaluate({&one, 1}, threads);
      const LossTerms terms = engine.loss({&one, 1}, {});
      std::size_t k = 0;
      for (const double square : {terms.energy_mse, terms.force_mse, terms.virial_mse}) {
        const double weight = k == 1 ? frame.n_atoms : 1;
        if (std::isfinite(square)) {
          sum.square[k] += weight * square;
          sum.labels[k] += weight;
        }
        ++k;
      }
      ++errors.n_frames;
    }
  }
  const LossTerms mean = terms_of(sum, 1);
  errors.energy = std::sqrt(mean.energy_mse);
  errors.force = std::sqrt(mean.force_mse);
  errors.virial = std::sqrt(mean.virial_mse);
  return errors;
}

template ModelErrors errors_of(const dp::Model&, const std::vector<PreparedSystem<float>>&, int);
template ModelErrors errors_of(const dp::Model&, const std::vector<PreparedSystem<double>>&, int);

}  // namespace solion::train
