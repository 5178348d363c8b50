// Adam as one fused sweep: reads and writes each number once.
#include "solion/nn/adam.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "solion/base/threads.hpp"

namespace solion::nn {
namespace {

constexpr std::size_t chunk = 2048;
/// So many stay in the first-level cache while they are moved.
constexpr std::size_t sweep = 512;

/// Nothing pulls at a frozen parameter: no gradient, no decay, and no average from before it was frozen.
template <typename T>
void hold(std::size_t begin, std::size_t end, const std::vector<unsigned char>& trained, T* gradient,
          AlignedVector<T>& average) {
  for (std::size_t i = begin; i < end; ++i) {
    if (trained[i] == 0) gradient[i - begin] = average[i] = 0;
  }
}

}  // namespace

template <typename T>
void adam_step(const AdamSettings& settings, double learning_rate, std::uint64_t t, std::ptrdiff_t n, T* p,
               const T* g, T* m, T* v) {
  using Part = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
  const Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>> gradient(g, n);
  Part parameters(p, n), first(m, n), second(v, n);
  first += static_cast<T>(1 - settings.beta1) * (gradient - first);
  second += static_cast<T>(1 - settings.beta2) * (gradient.square() - second);
  const auto steps = static_cast<double>(t);
  const auto root = static_cast<T>(1 / std::sqrt(1 - std::pow(settings.beta2, steps)));
  parameters -= static_cast<T>(learning_rate / (1 - std::pow(settings.beta1, steps))) * first /
                (second.sqrt() * root + static_cast<T>(settings.epsilon));
}

template <typename T>
Adam<T>::Adam(std::size_t n, AdamSettings s) : settings(s), first(n), second(n) {
  for (std::size_t at = 0; at < n; at += chunk) chunks_.push_back(at);
}

template <typename T>
std::vector<UpdateUnit> Adam<T>::units(const std::vector<LayerLayout>& layers, int n) const {
  const std::size_t size = first.size();
  std::vector<std::size_t> cuts;
  for (const LayerLayout& layer : layers) {
    const auto area = static_cast<std::size_t>(layer.n_in * layer.n_out);
    for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k)
      cuts.push_back((layer.w + area * k / static_cast<std::size_t>(n) + chunk / 2) / chunk * chunk);
  }
  cuts.push_back(size);
  std::sort(cuts.begin(), cuts.end());
  std::vector<UpdateUnit> units;
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    const std::size_t end = std::min(cut, size);
    // 20 multiplications take about as long as the sweep's memory.
    if (begin < end) units.push_back({begin, end, 20 * static_cast<double>(end - begin)});
    begin = std::max(begin, end);
  }
  return units;
}

template <typename T>
void Adam<T>::move_only(const std::vector<UpdateUnit>& mine) {
  std::erase_if(chunks_, [&](std::size_t at) { return !have(mine, at); });
}

template <typename T>
typename Adam<T>::Step Adam<T>::next(double learning_rate) {
  updates += 1;
  const auto t = static_cast<double>(updates);
  const double correction1 = 1 - std::pow(settings.beta1, t);
  const double correction2 = std::sqrt(1 - std::pow(settings.beta2, t));
  return {static_cast<T>(learning_rate / correction1), static_cast<T>(1 / correction2)};
}

template <typename T>
void Adam<T>::move(const Step& step, std::size_t begin, std::size_t end, T* parameters, T* gradient,
                   const std::vector<unsigned char>& trained) {
  const T b1 = static_cast<T>(settings.beta1);
  const T b2 = static_cast<T>(settings.beta2);
  const T c1 = static_cast<T>(1 - settings.beta1);
  const T c2 = static_cast<T>(1 - settings.beta2);
  const T epsilon = static_cast<T>(settings.epsilon);
  const T decay = static_cast<T>(settings.weight_decay);
  using Part = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
  for (std::size_t at = begin; at < end; at += sweep) {
    const std::size_t until = std::min(at + sweep, end);
    const auto length = static_cast<Eigen::Index>(until - at);
    Part p(parameters + at, length);
    Part g(gradient + (at - begin), length);
    Part m(first.data() + at, length);
    Part v(second.data() + at, length);
    if (decay > 0) g += decay * p;
    if (!trained.empty()) hold<T>(at, until, trained, g.data(), first);
    m = b1 * m + c1 * g;
    v = b2 * v + c2 * g.square();
    p -= step.rate * m / (v.sqrt() * step.root + epsilon);
  }
}

template <typename T>
void Adam<T>::update(double learning_rate, T* parameters, T* gradient,
                     const std::vector<unsigned char>& trained, int threads) {
  const Step step = next(learning_rate);
  parallel_for(chunks_.size(), threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t k = begin; k < end; ++k) {
      const std::size_t at = chunks_[k];
      move(step, at, std::min(at + chunk, first.size()), parameters, gradient + at, trained);
    }
  });
}

template void adam_step(const AdamSettings&, double, std::uint64_t, std::ptrdiff_t, float*, const float*,
                        float*, float*);
template void adam_step(const AdamSettings&, double, std::uint64_t, std::ptrdiff_t, double*, const double*,
                        double*, double*);
template struct Adam<float>;
template struct Adam<double>;

}  // namespace solion::nn
