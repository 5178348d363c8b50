// The Kalman filter: one product with P and one update of P of rank one for each measurement.
#include "solion/nn/kalman.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "solion/base/threads.hpp"

namespace solion::nn {
namespace {

template <typename T>
using Vector = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;
template <typename T>
using Columns = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>>;

/// Where the layers begin among the parameters, and the end of each network.
std::vector<std::size_t> borders_of(const std::vector<NetworkLayout>& nets) {
  std::vector<std::size_t> borders;
  for (const NetworkLayout& net : nets) {
    for (const LayerLayout& layer : net.layers) borders.push_back(layer.w);
    borders.push_back(net.end);
  }
  return borders;
}

}  // namespace

template <typename T>
std::vector<typename Kalman<T>::Block> Kalman<T>::cut(const std::vector<NetworkLayout>& nets,
                                                      std::ptrdiff_t most) {
  const std::vector<std::size_t> borders = borders_of(nets);
  const auto longest = static_cast<std::size_t>(most);
  std::vector<Block> blocks;
  std::size_t begin = borders.front();
  const auto close = [&](std::size_t end) {  // in equal pieces
    const std::size_t size = end - begin, pieces = (size + longest - 1) / longest;
    for (std::size_t k = 0; k < pieces; ++k) {
      const std::size_t first = begin + size * k / pieces, last = begin + size * (k + 1) / pieces;
      const std::size_t at =
          blocks.empty() ? 0 : blocks.back().at + static_cast<std::size_t>(blocks.back().n * blocks.back().n);
      blocks.push_back({first, static_cast<std::ptrdiff_t>(last - first), at});
    }
    begin = end;
  };
  for (std::size_t k = 1; k < borders.size(); ++k) {
    if (borders[k] - begin > longest) close(borders[k - 1]);
  }
  close(borders.back());
  return blocks;
}

template <typename T>
std::size_t Kalman<T>::size(const std::vector<NetworkLayout>& nets, std::ptrdiff_t block) {
  const Block last = cut(nets, block).back();
  return last.at + static_cast<std::size_t>(last.n * last.n);
}

template <typename T>
Kalman<T>::Kalman(const std::vector<NetworkLayout>& nets, KalmanSettings s)
    : settings(s), covariance(size(nets, s.block)), blocks_(cut(nets, s.block)), product_(nets.back().end) {
  for (const Block& block : blocks_) Columns<T>(covariance.data() + block.at, block.n, block.n).setIdentity();
}

/// Sets P h of a block; returns hᵀP h.
template <typename T>
double Kalman<T>::gain(const Block& block, const T* slope) {
  const Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>> h(slope + block.begin, block.n);
  const Columns<T> p(covariance.data() + block.at, block.n, block.n);
  Vector<T> q(product_.data() + block.begin, block.n);
  q.noalias() = p.template selfadjointView<Eigen::Lower>() * h;
  return static_cast<double>(h.dot(q));
}

template <typename T>
void Kalman<T>::move(const Block& block, double a, double error, double memory, T* parameters) {
  const Vector<T> q(product_.data() + block.begin, block.n);
  Vector<T>(parameters + block.begin, block.n) += static_cast<T>(a * error) * q;
  Columns<T> p(covariance.data() + block.at, block.n, block.n);
  const auto scale = static_cast<T>(1 / memory);
  for (Eigen::Index k = 0; k < block.n; ++k) {
    const Eigen::Index rest = block.n - k;
    auto column = p.col(k).tail(rest);
    column = scale * (column - (static_cast<T>(a) * q[k]) * q.tail(rest));
  }
}

template <typename T>
void Kalman<T>::update(T* parameters, const T* slope, double error, int threads) {
  const double memory =
      1 - (1 - settings.memory) * std::pow(settings.memory_rate, static_cast<double>(updates));
  std::vector<double> gains(blocks_.size());
  parallel_dynamic(blocks_.size(), threads, [&](std::size_t k, int) { gains[k] = gain(blocks_[k], slope); });
  const double a =
      1 / (memory * static_cast<double>(blocks_.size()) + std::accumulate(gains.begin(), gains.end(), 0.0));
  parallel_dynamic(blocks_.size(), threads,
                   [&](std::size_t k, int) { move(blocks_[k], a, error, memory, parameters); });
  updates += 1;
}

template struct Kalman<float>;
template struct Kalman<double>;

}  // namespace solion::nn
