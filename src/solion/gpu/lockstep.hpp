// Many runs of md::run, each in a thread of its own with its own files, whose steps a device makes together.
// Theory: docs/theory/gpu.md, section 5.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "solion/gpu/device_potential.hpp"
#include "solion/gpu/replicas.hpp"
#include "solion/md/simulation.hpp"

namespace solion::gpu {

/// Whoever asks for steps waits until all have asked; the last one makes them, for all. Who comes later
/// joins, and who has left goes, when the others stand at points where a restart would be exact: so every
/// run has the bits that it would have alone (on the host; on a GPU to rounding where a library multiplies
/// matrices). A run that fails ends alone; a device that fails ends them all.
class Lockstep {
 public:
  /// Device, model, precision and skin of the potential, which need not outlive this.
  explicit Lockstep(const DevicePotential& potential);
  Lockstep(const Lockstep&) = delete;
  Lockstep& operator=(const Lockstep&) = delete;
  Lockstep(Lockstep&&) = delete;
  Lockstep& operator=(Lockstep&&) = delete;
  ~Lockstep();

  /// For md::RunOptions::mover; this must outlive the runs.
  std::function<std::unique_ptr<md::Simulation>(const md::Settings&, md::State)> mover();

  /// Most replicas that were ever stepped together.
  [[nodiscard]] int largest_batch() const;

 private:
  struct Seat;
  class Member;

  void enter(Seat& seat);
  void leave(Seat& seat);
  void advance(Seat& seat, std::int64_t steps);
  [[nodiscard]] bool all_ask() const;
  [[nodiscard]] bool aligned() const;
  [[nodiscard]] std::int64_t step_of(const Seat& seat) const;
  void step_all();
  void gather();
  void fail_all(const std::exception_ptr& why);

  std::shared_ptr<SharedDevice> device_;
  std::shared_ptr<const dp::Model> model_;
  DeviceOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Seat*> seats_;
  std::unique_ptr<Replicas> replicas_;
  bool stale_ = false;  ///< the batch is not that of the seats
  int largest_ = 0;
};

/// Expected to fill a GPU, not measured; more at once would only end later.
constexpr std::size_t enough_atoms = 100'000;

/// Calls work(i) for every run in a thread of its own that mostly waits, in their order, as many at once as
/// have `room` atoms together, or one that has more. The exception of the first that fails is thrown again;
/// none begins after it.
void run_together(const std::vector<std::size_t>& atoms, std::size_t room,
                  const std::function<void(std::size_t)>& work);

}  // namespace solion::gpu
