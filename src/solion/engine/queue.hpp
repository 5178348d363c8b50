// The stretches of a LAMMPS run as jobs of Slurm: submitted, waited for, and taken over by the same command
// after a kill.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "solion/reference/executor.hpp"

namespace solion::engine {

/// One job at a time. Each has a folder of its own below `folder`, step-BEGIN-try-K, while its command runs
/// where it says; BEGIN is the step that the stretch goes on from.
class Queue {
 public:
  /// WorkError if sbatch is not here.
  Queue(const reference::ExecutorSettings& settings, const std::filesystem::path& folder);

  /// A job of an earlier process is in the queue, or at work, or its end has not been looked at.
  [[nodiscard]] bool holds_any() const;
  /// Removes what earlier runs left.
  void forget();
  /// The outcome of the stretch from `begin`: of the job that an earlier process submitted, if its end has
  /// not been looked at, else of a new one, before which `prepare` is called. `show` gets a word of its state
  /// now and then. Throws Interrupted after a signal, and leaves the job in the queue.
  reference::Outcome run(std::int64_t begin, const reference::Command& command,
                         const std::function<void()>& prepare,
                         const std::function<void(const std::string&)>& show);
  /// What the job of the last `run` did is taken over.
  void close();

 private:
  [[nodiscard]] std::vector<std::filesystem::path> jobs() const;

  std::filesystem::path folder_;
  std::filesystem::path job_;
  std::unique_ptr<reference::Executor> executor_;
};

}  // namespace solion::engine
