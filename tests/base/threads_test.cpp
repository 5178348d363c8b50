// Loops over threads: every item once, and failures that do not depend on who was faster.
#include "solion/base/threads.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace solion {
namespace {

TEST(Threads, EveryItemIsDoneOnce) {
  for (const int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> done(101);
    parallel_dynamic(done.size(), threads, [&](std::size_t item, int) { ++done[item]; });
    parallel_for(done.size(), threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t item = begin; item < end; ++item) ++done[item];
    });
    for (const auto& count : done) EXPECT_EQ(count, 2);
  }
}

std::string what_is_thrown(int threads, std::atomic<std::size_t>& highest) {
  try {
    parallel_dynamic(1000, threads, [&](std::size_t item, int) {
      for (std::size_t seen = highest; seen < item && !highest.compare_exchange_weak(seen, item);) {
      }
      // The lower of two failures comes later.
      if (item == 10) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (item == 10 || item == 11 || item > 900) throw std::runtime_error(std::to_string(item));
      if (item > 11) std::this_thread::sleep_for(std::chrono::microseconds(200));
    });
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing";
}

TEST(Threads, TheLowestFailureIsTheOneThatIsSaid) {
  for (const int threads : {1, 2, 4}) {
    std::atomic<std::size_t> highest = 0;
    EXPECT_EQ(what_is_thrown(threads, highest), "10") << threads;
    EXPECT_LT(highest, 500U) << threads;  // it stops
  }
}

/// The sum of the ranges' ends, which depends on how they are cut.
std::size_t sum_of_ends() {
  std::atomic<std::size_t> sum = 0;
  parallel_for(7, 2, [&](std::size_t, std::size_t end, int) { sum += end; });
  parallel_dynamic(7, 2, [&](std::size_t item, int) { sum += 100 * item; });
  return sum;
}

TEST(Threads, AForkedProcessGoesOn) {
  const std::size_t expected = sum_of_ends();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);  // it would wait for ever
    ::_exit(sum_of_ends() == expected ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(sum_of_ends(), expected);
}

}  // namespace
}  // namespace solion
