// Several processes played by threads of one, which add up in the order of their ranks.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "solion/base/aligned.hpp"
#include "solion/ranks/ranks.hpp"

namespace solion::ranks::testing {

class World {
 public:
  explicit World(int n) : lists(static_cast<std::size_t>(n)), n_(n) {}

  struct Operation {
    void* values = nullptr;
    std::size_t n = 0;           ///< numbers of a sum, bytes of a copy
    std::size_t bytes_each = 0;  ///< 0: a copy
    int owner = 0;
  };

  /// Returns when all are here; false once one has left.
  bool meet() {
    std::unique_lock lock(mutex_);
    const long turn = turn_;
    if (++here_ == n_) {
      here_ = 0;
      ++turn_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return turn_ != turn || left_; });
    return turn_ != turn;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    left_ = true;
    changed_.notify_all();
  }

  std::vector<const std::vector<Operation>*> lists;  ///< [rank]
  std::size_t most_pieces = 0;                       ///< of shared memory
  /// One more piece of memory of `rank`, zero; where that of all is follows when all have met.
  void make_memory(int rank, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto& pieces = memory_[rank];
    pieces.emplace_back(bytes);
  }
  std::vector<void*> memory(std::size_t piece) {
    const std::lock_guard lock(mutex_);
    std::vector<void*> list;
    for (auto& [rank, pieces] : memory_) list.push_back(pieces[piece].data());
    return list;
  }

 private:
  int n_;
  int here_ = 0;
  long turn_ = 0;
  bool left_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, std::deque<AlignedVector<char>>> memory_;  ///< [rank][piece]
};

class ThreadRanks final : public Ranks {
 public:
  ThreadRanks(World& world, int rank, int size) : Ranks(rank, size), world_(world) {}
  void meet() override {
    if (world_.meet()) return;
    if (first()) throw Broken();
    throw Elsewhere();
  }

 private:
  using Operation = World::Operation;
  void begin_sum(void* values, std::size_t n, std::size_t bytes_each, int owner) override {
    begun_.push_back({values, n, bytes_each, owner});
  }
  void begin_copy(void* values, std::size_t bytes, int owner) override {
    begun_.push_back({values, bytes, 0, owner});
  }
  std::vector<void*> share_bytes(std::size_t bytes) override {
    if (pieces_ == world_.most_pieces) return {};
    world_.make_memory(rank(), bytes);
    meet();
    return world_.memory(pieces_++);
  }
  void wait() override {
    world_.lists[static_cast<std::size_t>(rank())] = &begun_;
    meet();
    for (std::size_t k = 0; k < begun_.size(); ++k) {
      const Operation& mine = begun_[k];
      if (mine.bytes_each == 0 && mine.owner != rank()) {
        const void* from = (*world_.lists[static_cast<std::size_t>(mine.owner)])[k].values;
        std::copy_n(static_cast<const char*>(from), mine.n, static_cast<char*>(mine.values));
      }
      if (mine.bytes_each == 4 && mine.owner == rank()) add<float>(k);
      if (mine.bytes_each == 8 && mine.owner == rank()) add<double>(k);
    }
    meet();
    begun_.clear();
  }
  template <typename T>
  void add(std::size_t k) {
    const Operation& mine = begun_[k];
    std::vector<T> total(mine.n);
    for (const auto* list : world_.lists) {
      const T* from = static_cast<const T*>((*list)[k].values);
      for (std::size_t i = 0; i < mine.n; ++i) total[i] += from[i];
    }
    std::copy(total.begin(), total.end(), static_cast<T*>(mine.values));
  }

  World& world_;
  std::vector<Operation> begun_;
  std::size_t pieces_ = 0;
};

constexpr auto any_memory = static_cast<std::size_t>(-1);

/// Runs body(ranks) as each of n processes; what each threw. One that threw has left, which the others meet.
/// They share memory until they have asked for so many pieces of it.
template <typename F>
std::vector<std::exception_ptr> in_company(int n, const F& body, std::size_t pieces_of_memory = 0) {
  World world(n);
  world.most_pieces = pieces_of_memory;
  std::vector<std::exception_ptr> problems(static_cast<std::size_t>(n));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < n; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        ThreadRanks ranks(world, rank, n);
        body(ranks);
      } catch (...) {
        problems[static_cast<std::size_t>(rank)] = std::current_exception();
        world.leave();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return problems;
}

}  // namespace solion::ranks::testing
