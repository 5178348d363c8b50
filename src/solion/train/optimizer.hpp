// The optimisers that a training can ask for, behind one step.
#pragma once

#include <functional>
#include <variant>
#include <vector>

#include "solion/nn/adam.hpp"
#include "solion/nn/kalman.hpp"
#include "solion/nn/muon.hpp"
#include "solion/nn/soap.hpp"
#include "solion/ranks/ranks.hpp"
#include "solion/train/settings.hpp"

namespace solion::train {

/// Everything an optimiser remembers, without gaps: what a checkpoint keeps of it.
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

  /// One step against `gradient`, whose content is undefined afterwards. Parameters with trained[i] = 0 keep
  /// their value; empty: all are trained.
  void update(double learning_rate, T* parameters, T* gradient, const std::vector<unsigned char>& trained,
              int threads);

  /// The same step in parts: moves a range of parameters by their gradient, once each, from any thread. Null
  /// where the method needs more of the gradient at a time, or other processes'.
  using Move = std::function<void(std::size_t begin, std::size_t end, T* gradient)>;
  Move in_parts(double learning_rate, T* parameters, const std::vector<unsigned char>& trained);

  /// The filter where that is the method: then it takes the place of `update`, and there is one process.
  nn::Kalman<T>* filter() { return std::get_if<nn::Kalman<T>>(&method_); }

  /// Deals the work among processes: from now on all of them call `update` together, and each moves its own
  /// parameters by its own part of the gradient. `samples`: of each net, how many a step takes for the
  /// gradients of its weights, which the owners are to compute too; 0: they do not. Returns who moves which,
  /// in order and without gaps.
  std::vector<ranks::Part> share(ranks::Ranks& ranks, const std::vector<double>& samples);
  /// Completes the state in every process out of what each has.
  void gather(ranks::Ranks& ranks);

  [[nodiscard]] OptimizerState<T> state() const;
  /// False, and nothing is changed, if the state is not one of this optimiser with these layers.
  bool set_state(OptimizerState<T> state);

 private:
  std::variant<nn::Adam<T>, nn::Soap<T>, nn::Muon<T>, nn::Kalman<T>> method_;
  std::vector<nn::NetworkLayout> nets_;
  ranks::Ranks* ranks_ = nullptr;
  std::vector<ranks::Part> parts_;        ///< of the parameters, and so of arrays of the state as long
  std::vector<ranks::Part> bases_parts_;  ///< of Soap::bases
};

}  // namespace solion::train
