// OpenMP behind two functions; exceptions are carried out of the parallel region.
#include "solion/base/threads.hpp"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <mutex>

namespace solion {
namespace {

/// Keeps the first exception of several threads.
class FirstException {
 public:
  template <typename F>
  void guard(const F& body) {
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!first_) first_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

}  // namespace

int available_threads() { return std::max(1, omp_get_num_procs()); }

void parallel_for(std::size_t n, int threads,
                  const std::function<void(std::size_t, std::size_t, int)>& body) {
  if (n == 0) return;
  const auto parts =
      static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(std::max(1, threads)), n));
  if (parts == 1) {
    body(0, n, 0);
    return;
  }
  FirstException failure;
#pragma omp parallel for num_threads(parts) schedule(static, 1)
  for (int t = 0; t < parts; ++t) {
    const auto part = static_cast<std::size_t>(t);
    const auto total = static_cast<std::size_t>(parts);
    failure.guard([&] { body(n * part / total, n * (part + 1) / total, t); });
  }
  failure.rethrow();
}

void parallel_dynamic(std::size_t n, int threads, const std::function<void(std::size_t, int)>& body) {
  const auto parts =
      static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(std::max(1, threads)), n));
  if (parts <= 1) {
    for (std::size_t item = 0; item < n; ++item) body(item, 0);
    return;
  }
  FirstException failure;
#pragma omp parallel for num_threads(parts) schedule(dynamic, 1)
  for (std::size_t item = 0; item < n; ++item) {
    failure.guard([&] { body(item, omp_get_thread_num()); });
  }
  failure.rethrow();
}

}  // namespace solion
