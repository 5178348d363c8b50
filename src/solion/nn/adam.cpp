// Adam as one fused sweep: reads and writes each number once.
#include "solion/nn/adam.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "solion/base/threads.hpp"

namespace solion::nn {
namespace {

constexpr std::size_t chunk = 2048;

}  // namespace

template <typename T>
std::vector<UpdateUnit> Adam<T>::units(int n) const {
  const std::size_t size = first.size();
  const auto pieces = static_cast<std::size_t>(n);
  const std::size_t chunks = (size + chunk - 1) / chunk;
  std::vector<UpdateUnit> units;
  for (std::size_t k = 0; k < pieces; ++k) {
    const std::size_t begin = chunks * k / pieces * chunk;
    const std::size_t end = std::min(size, chunks * (k + 1) / pieces * chunk);
    if (begin < end) units.push_back({begin, end, static_cast<double>(end - begin), 0, 0});
  }
  return units;
}

template <typename T>
void Adam<T>::move_only(const std::vector<UpdateUnit>& mine) {
  // One piece a process; one without has none of the first parameters.
  begin_ = mine.empty() ? first.size() : mine.front().begin;
  end_ = mine.empty() ? first.size() : mine.back().end;
}

template <typename T>
void Adam<T>::update(double learning_rate, T* parameters, T* gradient,
                     const std::vector<unsigned char>& trained, int threads) {
  updates += 1;
  const auto t = static_cast<double>(updates);
  const double correction1 = 1 - std::pow(settings.beta1, t);
  const double correction2 = std::sqrt(1 - std::pow(settings.beta2, t));
  const T rate = static_cast<T>(learning_rate / correction1);
  const T root = static_cast<T>(1 / correction2);
  const T b1 = static_cast<T>(settings.beta1);
  const T b2 = static_cast<T>(settings.beta2);
  const T c1 = static_cast<T>(1 - settings.beta1);
  const T c2 = static_cast<T>(1 - settings.beta2);
  const T epsilon = static_cast<T>(settings.epsilon);
  const T decay = static_cast<T>(settings.weight_decay);
  using Part = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
  const std::size_t until = end_ == 0 ? first.size() : end_;
  std::fill(gradient, gradient + begin_, T(0));
  std::fill(gradient + until, gradient + first.size(), T(0));
  parallel_for((until - begin_ + chunk - 1) / chunk, threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t k = begin; k < end; ++k) {
      const std::size_t at = begin_ + k * chunk;
      const auto length = static_cast<Eigen::Index>(std::min(chunk, until - at));
      if (!trained.empty()) {
        for (std::size_t i = at; i < at + static_cast<std::size_t>(length); ++i) {
          if (trained[i] == 0) gradient[i] = 0;
        }
      }
      Part p(parameters + at, length);
      Part g(gradient + at, length);
      Part m(first.data() + at, length);
      Part v(second.data() + at, length);
      if (decay > 0) g += decay * p;
      m = b1 * m + c1 * g;
      v = b2 * v + c2 * g.square();
      p -= rate * m / (v.sqrt() * root + epsilon);
      g.setZero();
    }
  });
}

template struct Adam<float>;
template struct Adam<double>;

}  // namespace solion::nn
