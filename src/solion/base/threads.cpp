// OpenMP behind two functions; exceptions are carried out of the parallel region.
#include "solion/base/threads.hpp"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <limits>
#include <mutex>

namespace solion {
namespace {

/// Keeps the exception of the lowest item, whichever thread met one first; items beyond it do not begin.
class LowestFailure {
 public:
  template <typename F>
  void guard(std::size_t item, const F& body) {
    if (item > lowest_.load()) return;
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (item > lowest_.load()) return;
      lowest_ = item;
      exception_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  std::atomic<std::size_t> lowest_ = std::numeric_limits<std::size_t>::max();
  std::exception_ptr exception_;
};

/// A forked process (Python's multiprocessing forks) has only the thread that forked, and OpenMP would wait
/// for ever for those that served it. Such a thread does all the parts itself from then on; they stay the
/// same, and so do the sums. Threads made after the fork are served as always.
bool has_helpers() {
  thread_local pid_t served_in = 0;
  const pid_t here = ::getpid();
  if (served_in == 0) served_in = here;
  return served_in == here;
}

}  // namespace

int available_threads() { return std::max(1, omp_get_num_procs()); }

void keep_waits_short(char** argv) {
  constexpr const char *turns = "GOMP_SPINCOUNT", *ours = "SOLION_SPINCOUNT_IS_OURS";
  const auto take_out = [&] {
    unsetenv(turns);
    unsetenv(ours);
  };
  if (std::getenv(ours) != nullptr) return take_out();
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv(turns) != nullptr) return;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || setenv(turns, "10000", 1) != 0 || setenv(ours, "1", 1) != 0) return take_out();
  execv(program.c_str(), argv);
  take_out();  // it could not; then waits are long
}

void parallel_for(std::size_t n, int threads,
                  const std::function<void(std::size_t, std::size_t, int)>& body) {
  if (n == 0) return;
  const auto parts =
      static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(std::max(1, threads)), n));
  if (parts == 1) {
    body(0, n, 0);
    return;
  }
  LowestFailure failure;
  const auto do_part = [&](int t) {
    const auto part = static_cast<std::size_t>(t);
    const auto total = static_cast<std::size_t>(parts);
    failure.guard(part, [&] { body(n * part / total, n * (part + 1) / total, t); });
  };
  if (has_helpers()) {
#pragma omp parallel for num_threads(parts) schedule(static, 1)
    for (int t = 0; t < parts; ++t) do_part(t);
  } else {
    for (int t = 0; t < parts; ++t) do_part(t);
  }
  failure.rethrow();
}

void parallel_dynamic(std::size_t n, int threads, const std::function<void(std::size_t, int)>& body) {
  const auto parts =
      static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(std::max(1, threads)), n));
  if (parts <= 1 || !has_helpers()) {
    for (std::size_t item = 0; item < n; ++item) body(item, 0);
    return;
  }
  LowestFailure failure;
#pragma omp parallel for num_threads(parts) schedule(dynamic, 1)
  for (std::size_t item = 0; item < n; ++item) {
    failure.guard(item, [&] { body(item, omp_get_thread_num()); });
  }
  failure.rethrow();
}

}  // namespace solion
