// The settings of executors, and the processes of this machine: one thread a job.
#include "solion/reference/executor.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/progress.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;

void read_local(TomlTable& table, ExecutorSettings& settings) {
  settings.retries = static_cast<int>(table.count("retries", 0, 0, 100));
  settings.cores_per_job = static_cast<int>(table.count("cores_per_job", 1, 1));
  if (table.has("cores")) settings.cores = static_cast<int>(table.count("cores", 1, 1));
  if (settings.cores > 0 && settings.cores_per_job > settings.cores)
    table.fail("cores_per_job", "one job does not fit into `cores`");
  if (table.has("memory_per_job_GB")) settings.memory_per_job_GB = table.positive("memory_per_job_GB", 0);
  if (table.has("memory_GB")) {
    settings.memory_GB = table.positive("memory_GB", 0);
    if (settings.memory_per_job_GB == 0)
      table.fail("memory_GB", "a budget of memory needs memory_per_job_GB");
    if (settings.memory_per_job_GB > settings.memory_GB)
      table.fail("memory_per_job_GB", "one job does not fit into memory_GB");
  }
}

void read_slurm(TomlTable& table, ExecutorSettings& settings) {
  settings.retries = static_cast<int>(table.count("retries", 1, 0, 100));
  if (table.has("script") && table.has("script_file"))
    table.fail("script_file", "give either script or script_file");
  settings.script =
      table.has("script_file") ? read_file(table.path("script_file")) : table.text("script", "");
  // Each task in flight keeps the lock of its frame open.
  settings.in_flight = static_cast<int>(table.count("in_flight", settings.in_flight, 1, 500));
  settings.running = static_cast<int>(table.count("running", 0, 0));
  settings.array_size = static_cast<int>(table.count("array_size", settings.array_size, 1));
  settings.poll_s = table.positive("poll_s", settings.poll_s);
}

class LocalExecutor final : public Executor {
 public:
  LocalExecutor(const ExecutorSettings& settings, int jobs)
      : settings_(settings), slots_(local_slots(settings, jobs, free_memory_GB())) {}
  LocalExecutor(const LocalExecutor&) = delete;
  LocalExecutor& operator=(const LocalExecutor&) = delete;
  LocalExecutor(LocalExecutor&&) = delete;
  LocalExecutor& operator=(LocalExecutor&&) = delete;
  ~LocalExecutor() override {
    stop_ = true;
    for (auto& [folder, thread] : threads_) thread.join();
  }

  [[nodiscard]] std::size_t room(std::size_t /*waiting*/) const override {
    if (threads_.size() >= slots_) return 0;
    const std::size_t slots = slots_ - threads_.size();
    if (settings_.memory_per_job_GB <= 0) return slots;
    // Others use this machine as well: with little memory left, one job goes on alone. Jobs that began a
    // moment ago have not taken yet what they need.
    const auto now = std::chrono::steady_clock::now();
    const auto young = std::count_if(began_.begin(), began_.end(),
                                     [&](const auto& job) { return now - job.second < memory_settles; });
    const double fit =
        std::floor(free_memory_GB() / settings_.memory_per_job_GB) - static_cast<double>(young);
    const double least = threads_.empty() ? 1 : 0;
    return static_cast<std::size_t>(std::clamp(fit, least, static_cast<double>(slots)));
  }

  void start(const std::vector<Job>& jobs) override {
    // Children die with the thread that started them (process.hpp), so each has one of its own.
    for (const Job& job : jobs) {
      began_[job.command.folder] = std::chrono::steady_clock::now();
      threads_.emplace(job.command.folder, std::thread([this, job] { execute(job); }));
    }
  }

  int adopt(const fs::path& /*folder*/) override { return 0; }

  std::vector<Ended> wait(std::chrono::milliseconds patience) override {
    std::vector<Ended> result;
    {
      std::unique_lock lock(mutex_);
      something_.wait_for(lock, patience, [this] { return !ended_.empty(); });
      result.swap(ended_);
    }
    for (const Ended& ended : result) {
      const auto thread = threads_.find(ended.folder);
      thread->second.join();
      threads_.erase(thread);
      began_.erase(ended.folder);
    }
    return result;
  }

 private:
  void execute(const Job& job) {
    Ended ended;
    ended.folder = job.command.folder;
    try {
      ended.outcome = run(job.command, [this] { return stop_ || interrupt_requested(); });
    } catch (...) {
      ended.error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    ended_.push_back(std::move(ended));
    something_.notify_one();
  }

  static constexpr std::chrono::seconds memory_settles{60};
  ExecutorSettings settings_;
  std::size_t slots_;
  std::atomic<bool> stop_{false};
  std::map<fs::path, std::thread> threads_;
  std::map<fs::path, std::chrono::steady_clock::time_point> began_;  ///< of those in threads_
  std::mutex mutex_;
  std::condition_variable something_;
  std::vector<Ended> ended_;  // guarded by mutex_
};

}  // namespace

double free_memory_GB() {
  std::ifstream stream("/proc/meminfo");
  std::string key;
  double kB = 0;
  std::string rest;
  while (stream >> key >> kB && std::getline(stream, rest)) {
    if (key == "MemAvailable:") return kB / 1048576.0;
  }
  return HUGE_VAL;
}

ExecutorSettings read_executor(TomlTable table) {
  ExecutorSettings settings;
  const std::string kind = table.text("kind", "local");
  if (kind == "slurm") {
    settings.kind = ExecutorSettings::Kind::slurm;
    read_slurm(table, settings);
  } else if (kind == "local") {
    read_local(table, settings);
  } else {
    table.fail("kind", "expected \"local\" or \"slurm\"");
  }
  table.refuse_unknown();
  return settings;
}

std::size_t local_slots(const ExecutorSettings& settings, int jobs, double free_GB) {
  double slots = std::max(1, jobs);
  if (settings.cores > 0) {
    const int by_cores = settings.cores / settings.cores_per_job;
    slots = std::min(slots, static_cast<double>(by_cores));
  }
  if (settings.memory_per_job_GB > 0) {
    const double budget = settings.memory_GB > 0 ? settings.memory_GB : free_GB;
    slots = std::min(slots, std::floor(budget / settings.memory_per_job_GB));
  }
  return static_cast<std::size_t>(std::max(1.0, slots));
}

std::unique_ptr<Executor> open_executor(const ExecutorSettings& settings, int jobs, const fs::path& work) {
  if (settings.kind == ExecutorSettings::Kind::slurm) return open_slurm(settings, work);
  return std::make_unique<LocalExecutor>(settings, jobs);
}

}  // namespace solion::reference
