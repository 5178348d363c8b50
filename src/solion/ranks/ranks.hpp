// Several processes that work on one task, and what they say to each other.
#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <span>
#include <vector>

#include "solion/base/errors.hpp"

namespace solion::ranks {

/// A range of an array and the process that it belongs to.
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
  int owner = 0;
  bool operator==(const Part&) const = default;
};

/// Another process ended the work and has said why: this one says nothing and waits for its end.
class Elsewhere : public Error {
 public:
  Elsewhere() : Error("another process of this run says what went wrong") {}
};

/// While the first process waited for the others, the run was asked to end, as a launcher does when one of
/// them is gone. The others throw Elsewhere.
class Broken : public WorkError {
 public:
  Broken() : WorkError("a process of this run has ended, or the run was asked to end") {}
};

/// The processes of a run, numbered from 0. Every function is called by all of them in the same order with
/// arrays of the same length; each returns when this process may use its array again. The base class is a
/// process alone.
class Ranks {
 public:
  Ranks() = default;
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  Ranks(Ranks&&) = delete;
  Ranks& operator=(Ranks&&) = delete;
  virtual ~Ranks() = default;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// The one that writes files and speaks to the user.
  [[nodiscard]] bool first() const { return rank_ == 0; }

  /// Every number becomes its sum over the processes, with the same bits on all of them.
  void sum(std::span<double> values);
  /// Every part becomes its sum over the processes where its owner is; elsewhere its content is undefined.
  template <typename T>
  void collect(std::span<T> values, std::span<const Part> parts) {
    begin_collect(values, parts);
    finish();
  }
  /// The same in two halves, by messages: until `finish` has returned, the values stay as they are. Any
  /// number may be begun; `go_on` lets them get on in between.
  template <typename T>
  void begin_collect(std::span<T> values, std::span<const Part> parts);
  virtual void go_on() {}
  void finish() {
    if (size_ > 1) wait();
  }
  /// Every part becomes what it is where its owner is.
  template <typename T>
  void spread(std::span<T> values, std::span<const Part> parts);

  /// Memory that all processes read and write: n numbers of this process's, zero at first, and where those of
  /// each process are. It stays as long as this object. Empty, in all of them, where the processes do not
  /// share a machine or there is no room.
  template <typename T>
  std::vector<T*> share(std::size_t n) {
    std::vector<T*> typed;
    for (void* at : share_bytes(n * sizeof(T))) typed.push_back(static_cast<T*>(at));
    return typed;
  }
  /// Returns when all have come here; they then see what was written into shared memory before. Only where
  /// there is some.
  virtual void meet() {}

  /// Runs `body` in every process, which may not call the functions above. If it throws in any, all throw:
  /// the first such process its exception, the others Elsewhere.
  template <typename F>
  void together(const F& body) {
    std::exception_ptr problem;
    try {
      body();
    } catch (...) {
      if (size_ == 1) throw;
      problem = std::current_exception();
    }
    throw_together(problem);
  }

 protected:
  Ranks(int rank, int size) : rank_(rank), size_(size) {}

 private:
  /// Begins to add up `n` numbers at `values` into those of `owner`.
  virtual void begin_sum(void* /*values*/, std::size_t /*n*/, std::size_t /*bytes_each*/, int /*owner*/) {}
  /// Begins to copy the bytes at `values` from `owner` to all others.
  virtual void begin_copy(void* /*values*/, std::size_t /*bytes*/, int /*owner*/) {}
  /// What `share` says, on a cache line.
  virtual std::vector<void*> share_bytes(std::size_t /*bytes*/) { return {}; }
  /// Returns when all that was begun is done.
  virtual void wait() {}
  const std::vector<void*>& next_window(std::size_t bytes);
  void throw_together(const std::exception_ptr& problem);

  int rank_ = 0;
  int size_ = 1;
  /// Shared memory through which small sums and copies go; two of them take turns.
  struct Window {
    std::vector<void*> of_processes;
    std::size_t bytes = 0;
  };
  std::array<Window, 2> windows_;
  std::size_t turn_ = 0;
  bool no_room_ = false;
};

/// Gives each item, heaviest first, to the process with the least so far: the owner of each. The same for the
/// same weights; equal weights go round.
std::vector<int> deal(std::span<const double> weights, int n_ranks);

}  // namespace solion::ranks
