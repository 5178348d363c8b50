// Several processes played by threads of one, which add up in the order of their ranks.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

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
  bool shares_memory = false;
  std::vector<std::vector<double>> memory[2];  ///< [turn][rank]

 private:
  int n_;
  int here_ = 0;
  long turn_ = 0;
  bool left_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
};

class ThreadRanks final : public Ranks {
 public:
  ThreadRanks(World& world, int rank, int size) : Ranks(rank, size), world_(world) {}

 private:
  using Operation = World::Operation;
  void begin_sum(void* values, std::size_t n, std::size_t bytes_each, int owner) override {
    begun_.push_back({values, n, bytes_each, owner});
  }
  void begin_copy(void* values, std::size_t bytes, int owner) override {
    begun_.push_back({values, bytes, 0, owner});
  }
  std::vector<void*> windows(std::size_t bytes, int turn) override {
    if (!world_.shares_memory) return {};
    auto& memory = world_.memory[turn];
    memory[static_cast<std::size_t>(rank())].resize(bytes / sizeof(double) + 1);
    meet();  // addresses stand still
    std::vector<void*> list;
    for (auto& one : memory) list.push_back(one.data());
    return list;
  }
  void begin_meeting() override { meeting_ = true; }
  void wait() override {
    if (std::exchange(meeting_, false)) return meet();
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
  void meet() {
    if (world_.meet()) return;
    if (first()) throw Broken();
    throw Elsewhere();
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
  bool meeting_ = false;
};

/// Runs body(ranks) as each of n processes; what each threw. One that threw has left, which the others meet.
/// `shares_memory`: through windows, as processes of one machine.
template <typename F>
std::vector<std::exception_ptr> in_company(int n, const F& body, bool shares_memory = false) {
  World world(n);
  world.shares_memory = shares_memory;
  for (auto& memory : world.memory) memory.resize(static_cast<std::size_t>(n));
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
