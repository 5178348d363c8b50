// Adam as one fused sweep: reads and writes each number once.
#include "solion/nn/adam.hpp"

#include <Eigen/Core>
#include <cmath>

#include "solion/base/threads.hpp"

namespace solion::nn {

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
  constexpr std::size_t chunk = 2048;
  const std::size_t n = first.size();
  parallel_for((n + chunk - 1) / chunk, threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t k = begin; k < end; ++k) {
      const std::size_t at = k * chunk;
      const auto length = static_cast<Eigen::Index>(std::min(chunk, n - at));
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
