// Collective operations out of three primitives, and dealing out work.
#include "solion/ranks/ranks.hpp"

#include <algorithm>
#include <numeric>

namespace solion::ranks {

void Ranks::sum(std::span<double> values) {
  if (size_ == 1) return;
  // By way of one process, so that no order of summation can differ between two of them.
  begin_sum(values.data(), values.size(), sizeof(double), 0);
  wait();
  begin_copy(values.data(), values.size_bytes(), 0);
  wait();
}

template <typename T>
void Ranks::collect(std::span<T> values, std::span<const Part> parts) {
  if (size_ == 1) return;
  for (const Part& part : parts)
    begin_sum(values.data() + part.begin, part.end - part.begin, sizeof(T), part.owner);
  wait();
}

template <typename T>
void Ranks::spread(std::span<T> values, std::span<const Part> parts) {
  if (size_ == 1) return;
  for (const Part& part : parts)
    begin_copy(values.data() + part.begin, (part.end - part.begin) * sizeof(T), part.owner);
  wait();
}

template void Ranks::collect<float>(std::span<float>, std::span<const Part>);
template void Ranks::collect<double>(std::span<double>, std::span<const Part>);
template void Ranks::spread<float>(std::span<float>, std::span<const Part>);
template void Ranks::spread<double>(std::span<double>, std::span<const Part>);

void Ranks::throw_together(const std::exception_ptr& problem) {
  if (size_ == 1) return;
  std::vector<double> failed(static_cast<std::size_t>(size_));
  failed[static_cast<std::size_t>(rank_)] = problem ? 1 : 0;
  sum(failed);
  const auto lowest = std::find(failed.begin(), failed.end(), 1.0);
  if (lowest == failed.end()) return;
  if (lowest - failed.begin() == rank_) std::rethrow_exception(problem);
  throw Elsewhere();
}

std::vector<int> deal(std::span<const double> weights, int n_ranks) {
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weights[a] > weights[b]; });
  std::vector<double> load(static_cast<std::size_t>(n_ranks));
  std::vector<int> owner(weights.size());
  for (const std::size_t item : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += weights[item];
    owner[item] = static_cast<int>(least - load.begin());
  }
  return owner;
}

}  // namespace solion::ranks
