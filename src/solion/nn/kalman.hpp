// An extended Kalman filter of the parameters with a covariance in diagonal blocks (RLEKF: Hu et al., AAAI
// 2023, arXiv 2212.06989, algorithm 1; FEKF for batches: Hu et al., PPoPP 2024).
#pragma once

#include <cstdint>
#include <vector>

#include "solion/nn/parameters.hpp"

namespace solion::nn {

struct KalmanSettings {
  double memory = 0.98;         ///< λ at the start: what older measurements count for after the next one
  double memory_rate = 0.9987;  ///< ν: λ(t) = 1 − (1 − λ(0))·νᵗ
  std::ptrdiff_t block = 5120;  ///< most parameters in one block
};

/// The whole state is public data, so that a checkpoint can keep it.
template <typename T>
struct Kalman {
  KalmanSettings settings;
  AlignedVector<T> covariance;  ///< P of each block (n, n), of which the lower triangle (by columns) is used
  std::uint64_t updates = 0;

  Kalman() = default;
  /// Small layers share a block, large ones are cut into several. P starts as the identity.
  Kalman(const std::vector<NetworkLayout>& nets, KalmanSettings s = {});

  /// Numbers that the covariance of such networks has.
  [[nodiscard]] static std::size_t size(const std::vector<NetworkLayout>& nets, std::ptrdiff_t block);

  /// Takes in one measurement: `slope` is the derivative h of what is measured by all parameters, `error` the
  /// measured less the expected value. With b blocks
  ///   θ ← θ + a·ε·P h,   P ← (P − a·P h hᵀP)/λ,   a = 1/(λ·b + hᵀP h).
  /// A parameter of slope 0 is moved by those that P ties it to; one that never had a slope stays.
  void update(T* parameters, const T* slope, double error, int threads);

 private:
  struct Block {
    std::size_t begin = 0;  ///< first parameter
    std::ptrdiff_t n = 0;
    std::size_t at = 0;  ///< of P in `covariance`
  };
  static std::vector<Block> cut(const std::vector<NetworkLayout>& nets, std::ptrdiff_t most);
  double gain(const Block& block, const T* slope);
  void move(const Block& block, double a, double error, double memory, T* parameters);

  std::vector<Block> blocks_;
  AlignedVector<T> product_;  ///< P h, as the blocks lie among the parameters
};

}  // namespace solion::nn
