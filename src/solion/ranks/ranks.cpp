// Collective operations out of a few primitives, and dealing out work.
#include "solion/ranks/ranks.hpp"

#include <algorithm>
#include <numeric>

namespace solion::ranks {

void Ranks::sum(std::span<double> values) {
  if (size_ == 1) return;
  if (const auto& shared = next_window(values.size_bytes()); !shared.empty()) {
    std::copy(values.begin(), values.end(), static_cast<double*>(shared[static_cast<std::size_t>(rank_)]));
    meet();
    std::fill(values.begin(), values.end(), 0.0);
    for (const void* one : shared) {  // in the same order everywhere
      const auto* theirs = static_cast<const double*>(one);
      for (std::size_t k = 0; k < values.size(); ++k) values[k] += theirs[k];
    }
    return;
  }
  // By way of one process, so that no order of summation can differ between two of them.
  begin_sum(values.data(), values.size(), sizeof(double), 0);
  wait();
  begin_copy(values.data(), values.size_bytes(), 0);
  wait();
}

/// Shared memory for one exchange, if there is any. Two exchanges later it is written again: by then every
/// process has met the others once more and has read what it wanted.
const std::vector<void*>& Ranks::next_window(std::size_t bytes) {
  constexpr std::size_t least = std::size_t{1} << 16;
  turn_ = 1 - turn_;
  Window& window = windows_[turn_];
  if (window.bytes >= bytes || no_room_) {
    static const std::vector<void*> none;
    return window.bytes >= bytes ? window.of_processes : none;
  }
  window.bytes = std::max(least, bytes);
  window.of_processes = share_bytes(window.bytes);
  if (window.of_processes.empty()) {
    no_room_ = true;
    window.bytes = 0;
  }
  return window.of_processes;
}

template <typename T>
void Ranks::begin_collect(std::span<T> values, std::span<const Part> parts) {
  if (size_ == 1) return;
  for (const Part& part : parts)
    begin_sum(values.data() + part.begin, part.end - part.begin, sizeof(T), part.owner);
}

template <typename T>
void Ranks::spread(std::span<T> values, std::span<const Part> parts) {
  if (size_ == 1) return;
  if (const auto& shared = next_window(values.size_bytes()); !shared.empty()) {
    T* mine = static_cast<T*>(shared[static_cast<std::size_t>(rank_)]);
    for (const Part& part : parts) {
      if (part.owner == rank_)
        std::copy(values.data() + part.begin, values.data() + part.end, mine + part.begin);
    }
    meet();
    for (const Part& part : parts) {
      const T* theirs = static_cast<const T*>(shared[static_cast<std::size_t>(part.owner)]);
      if (part.owner != rank_) std::copy(theirs + part.begin, theirs + part.end, values.data() + part.begin);
    }
    return;
  }
  for (const Part& part : parts)
    begin_copy(values.data() + part.begin, (part.end - part.begin) * sizeof(T), part.owner);
  wait();
}

template void Ranks::begin_collect<float>(std::span<float>, std::span<const Part>);
template void Ranks::begin_collect<double>(std::span<double>, std::span<const Part>);
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
