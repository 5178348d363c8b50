// Loops over threads: the only place that knows how threads are made.
#pragma once

#include <cstddef>
#include <functional>

namespace solion {

/// Number of cores that this process may use (its affinity mask).
int available_threads();

/// For the first line of main, with its argv: threads that wait for each other spin a thirtieth as long as
/// OpenMP lets them (10,000 turns: 0.3 ms on Zen 3) before they sleep; that costs where other programs want
/// the cores too (docs/performance.md). OpenMP reads this from the environment before main, so that the
/// program replaces itself by one that finds it there, and takes it out again for the programs that it
/// starts. An environment that says how to wait (OMP_WAIT_POLICY, GOMP_SPINCOUNT) is left alone.
void keep_waits_short(char** argv);

/// Calls body(begin, end, thread) on `threads` disjoint ranges that cover [0, n), `thread` in [0, threads).
/// The exception of the lowest range is thrown again here. Ranges depend on n and `threads` only.
void parallel_for(std::size_t n, int threads,
                  const std::function<void(std::size_t begin, std::size_t end, int thread)>& body);

/// Calls body(item, thread) for every item of [0, n), each taken by the next free thread (items of unequal
/// cost). After an item has thrown, none beyond it begins; the exception of the lowest one is thrown again
/// here, the same whatever the number of threads and their speed.
void parallel_dynamic(std::size_t n, int threads,
                      const std::function<void(std::size_t item, int thread)>& body);

}  // namespace solion
