// The optimisers that a training can ask for, behind one step.
#pragma once

#include <variant>
#include <vector>

#include "solion/nn/adam.hpp"
#include "solion/nn/soap.hpp"
#include "solion/train/settings.hpp"

namespace solion::train {

/// Everything an optimiser remembers: what a checkpoint keeps of it.
template <typename T>
struct OptimizerState {
  std::uint64_t updates = 0;
  std::vector<nn::AlignedVector<T>> arrays;
};

template <typename T>
class Optimizer {
 public:
  Optimizer() = default;
  /// `nets`: where the layers lie among the `n_parameters`.
  Optimizer(const OptimizerSettings& settings, const std::vector<nn::NetworkLayout>& nets,
            std::size_t n_parameters);

  /// One step against `gradient`, which is set to zero. Parameters with trained[i] = 0 keep their value;
  /// empty: all are trained.
  void update(double learning_rate, T* parameters, T* gradient, const std::vector<unsigned char>& trained,
              int threads);

  [[nodiscard]] OptimizerState<T> state() const;
  /// False, and nothing is changed, if the state is not one of this optimiser with these layers.
  bool set_state(OptimizerState<T> state);

 private:
  std::variant<nn::Adam<T>, nn::Soap<T>> method_;
};

}  // namespace solion::train
