// Where commands run: as processes of this machine within a budget, or as tasks of Slurm job arrays.
//
// One thread drives an executor: it starts jobs while there is room, and waits for ends. A job is a command
// in a folder that no other job ever uses; the folder is its identity.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/reference/process.hpp"

namespace solion::reference {

/// The table [executor] of a settings file or of a campaign's [reference]:
///
///     kind = "local"            # the default
///     cores = 16                # budget; without it `jobs` alone counts
///     cores_per_job = 4
///     memory_GB = 64            # budget; without it what is free at the start
///     memory_per_job_GB = 12
///     retries = 0               # further tries of a job that gives no result
///
///     kind = "slurm"
///     script = "#SBATCH --time=01:00:00\nmodule load gpaw"   # or script_file = "gpaw.sbatch"
///     in_flight = 100           # tasks in Slurm's queue at once, waiting or running
///     running = 40              # of one array at once; without it Slurm decides
///     array_size = 100          # tasks of one array
///     poll_s = 20
///     retries = 1
struct ExecutorSettings {
  enum class Kind { local, slurm };
  Kind kind = Kind::local;
  int retries = 0;
  int cores = 0;  ///< 0: no budget
  int cores_per_job = 1;
  double memory_GB = 0;
  double memory_per_job_GB = 0;  ///< 0: not known, memory is not counted
  std::string script;            ///< lines in front of every job script
  int in_flight = 100;
  int running = 0;
  int array_size = 100;
  double poll_s = 20;
};

/// InputError with file, line and key for what is wrong or unknown.
ExecutorSettings read_executor(TomlTable table);

/// A command in a folder of its own, wanted once.
struct Job {
  Command command;
  int attempt = 1;  ///< a number that is kept with the job, for the caller
};

/// How a job ended.
struct Ended {
  std::filesystem::path folder;
  Outcome outcome;
  bool ran = true;           ///< false: it never started or lost its node, and this is no fault of the job
  std::exception_ptr error;  ///< what no other job will do better: the program cannot be started
};

class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  Executor(Executor&&) = delete;
  Executor& operator=(Executor&&) = delete;
  /// Jobs of this machine are killed; jobs in a queue stay there, to be taken over by `adopt`.
  virtual ~Executor() = default;

  /// How many jobs it takes now, if so many are waiting.
  [[nodiscard]] virtual std::size_t room(std::size_t waiting) const = 0;
  /// Takes the jobs; they run at once or when their turn comes.
  virtual void start(const std::vector<Job>& jobs) = 0;
  /// Takes over the job that an earlier process started in this folder; its `attempt`, or 0 if there is none
  /// whose result could still come.
  virtual int adopt(const std::filesystem::path& folder) = 0;
  /// The jobs that ended since the last call; waits up to `patience` for the first one.
  virtual std::vector<Ended> wait(std::chrono::milliseconds patience) = 0;
  /// For the progress line; may be empty.
  [[nodiscard]] virtual std::string status() const { return {}; }
};

/// `jobs`: at once on this machine. `work`: folder for the executor's own records; for Slurm it must be seen
/// by the nodes. WorkError if Slurm is asked for and sbatch is not here.
std::unique_ptr<Executor> open_executor(const ExecutorSettings& settings, int jobs,
                                        const std::filesystem::path& work);
std::unique_ptr<Executor> open_slurm(const ExecutorSettings& settings, const std::filesystem::path& work);

/// Memory that new processes could take without pushing others out (GB); infinite where nobody says.
double free_memory_GB();

/// How many jobs the budget allows at once, `free_GB` of memory being free: at most `jobs`, at least 1.
std::size_t local_slots(const ExecutorSettings& settings, int jobs, double free_GB);

}  // namespace solion::reference
