// Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1) over one flat parameter array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "solion/nn/parameters.hpp"
#include "solion/nn/update_unit.hpp"

namespace solion::nn {

/// DeePMD-kit's (PyTorch's) defaults.
struct AdamSettings {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< added to the gradient as weight_decay·θ (L2, not decoupled)
};

/// The t-th step of Adam, t = 1 … (without decay): moves n parameters p and the averages m and v by the
/// gradient g.
template <typename T>
void adam_step(const AdamSettings& settings, double learning_rate, std::uint64_t t, std::ptrdiff_t n, T* p,
               const T* g, T* m, T* v);

/// The whole state of the optimiser is public data, so that a checkpoint can keep it.
template <typename T>
struct Adam {
  AdamSettings settings;
  AlignedVector<T> first;     ///< m, one a parameter
  AlignedVector<T> second;    ///< v, one a parameter
  std::uint64_t updates = 0;  ///< t

  Adam() = default;
  explicit Adam(std::size_t n, AdamSettings s = {});

  /// θ ← θ − lr·m̂/(√v̂ + ε) in one sweep over memory. Parameters with trained[i] = 0 keep their value,
  /// whatever the weight decay (their gradient is set to 0); empty: all are trained.
  void update(double learning_rate, T* parameters, T* gradient, const std::vector<unsigned char>& trained,
              int threads);

  /// The same in pieces: the numbers of one update, and the parameters [begin, end) moved by them and by
  /// their gradient, which is scratch afterwards.
  struct Step {
    T rate, root;
  };
  Step next(double learning_rate);
  void move(const Step& step, std::size_t begin, std::size_t end, T* parameters, T* gradient,
            const std::vector<unsigned char>& trained);

  /// The work of an update in pieces that other processes may do, ranges of parameters without gaps: each
  /// layer in about n equal ones, since the gradients of some layers cost more than others'.
  [[nodiscard]] std::vector<UpdateUnit> units(const std::vector<LayerLayout>& layers, int n) const;
  /// From now on updates move only the parameters of these units.
  void move_only(const std::vector<UpdateUnit>& mine);

 private:
  std::vector<std::size_t> chunks_;  ///< those that are moved: their first parameters
};

}  // namespace solion::nn
