// A pool of threads, each running one child process at a time; the caller's functions are called under one
// lock.
#include "solion/reference/label.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/progress.hpp"
#include "solion/reference/process.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;

constexpr const char* result_name = "result.json";
constexpr const char* failed_name = "failed.json";

/// The claim on a frame's folder, or the news that another process has it.
class Claim {
 public:
  explicit Claim(const fs::path& folder) {
    const fs::path path = folder / "lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) throw WorkError("{}: cannot write: {}", path.string(), std::strerror(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
      held_ = true;
      // For people only: who works on it.
      std::array<char, 256> host{};
      ::gethostname(host.data(), host.size() - 1);
      const std::string owner = fmt::format("{} {}\n", host.data(), ::getpid());
      if (::ftruncate(fd_, 0) == 0) [[maybe_unused]]
        const auto n = ::write(fd_, owner.data(), owner.size());
    } else if (errno != EWOULDBLOCK) {
      const int error = errno;
      ::close(fd_);
      throw WorkError("{}: cannot lock: {}", path.string(), std::strerror(error));
    }
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() { ::close(fd_); }
  [[nodiscard]] bool held() const { return held_; }

 private:
  int fd_ = -1;
  bool held_ = false;
};

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw WorkError("{}: cannot make the folder: {}", folder.string(), error.message());
}

/// A folder that no earlier try has.
fs::path make_try(const fs::path& folder) {
  for (int n = 1;; ++n) {
    const fs::path path = folder / fmt::format("try{}", n);
    std::error_code error;
    if (fs::create_directory(path, error)) return path;
    if (error) throw WorkError("{}: cannot make the folder: {}", path.string(), error.message());
  }
}

struct Task {
  std::size_t index = 0;
  std::string key;
};

/// One call of label(): the shared state of the threads.
class Run {
 public:
  Run(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
      const LabelOptions& options, const Receiver& receiver)
      : code_(code),
        settings_(settings),
        frames_(frames),
        options_(options),
        receiver_(receiver),
        audit_(options.audit) {}

  LabelSummary operator()() {
    summary_.n_frames = frames_.size();
    make_folder(options_.work);
    take_finished();
    if (!open_.empty()) {
      static_cast<void>(code_.version(settings_));  // before hundreds of frames fail for the same reason
      Progress progress("label", frames_.size(), done_);
      progress_ = &progress;
      compute();
    }
    return summary_;
  }

 private:
  [[nodiscard]] fs::path folder(const std::string& key) const { return options_.work / key; }

  void take_finished() {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      throw_if_interrupted();
      const Task task{i, label_key(code_.name(), settings_, frames_[i])};
      if (!seen.insert(task.key).second) {
        ++summary_.repeated;
        ++done_;
        continue;
      }
      if (take_result(task, true)) continue;
      if (!options_.retry_failed && take_failure(task)) continue;
      if (receiver_.refuse) {
        if (const auto reason = receiver_.refuse(frames_[i], task.key)) {
          fail(task, *reason, "");
          continue;
        }
      }
      open_.push_back(task);
    }
  }

  /// Judges a finished result and hands it on; false if there is none.
  bool take_result(const Task& task, bool resumed) {
    const fs::path file = folder(task.key) / result_name;
    if (!fs::exists(file)) return false;
    RawResult raw;
    try {
      raw = parse_result(read_file(file), file.string());
    } catch (const InputError& error) {
      // Results are renamed into place whole; this one was damaged by somebody else.
      fail(task, error.what(), "");
      return true;
    }
    const std::lock_guard lock(mutex_);
    const Frame& frame = frames_[task.index];
    if (const auto reason = audit_.reject(frame, raw)) {
      fail_locked(task, *reason, last_log(task));
      return true;
    }
    Label label{task.index, task.key, {}, raw, resumed, 0.0};
    label.frame = corrected(frame, raw, options_, label.pressure_correction_GPa);
    if (const auto reason = receiver_.accept(label)) {
      fail_locked(task, *reason, "");
      return true;
    }
    audit_.accept(frame, *raw.energy_eV, raw.n_electrons);
    ++(resumed ? summary_.resumed : summary_.labelled);
    step();
    return true;
  }

  bool take_failure(const Task& task) {
    const fs::path file = folder(task.key) / failed_name;
    if (!fs::exists(file)) return false;
    const Json json = Json::parse(read_file(file), nullptr, false);
    if (!json.is_object() || !json.contains("reason") || !json["reason"].is_string()) return false;
    fail(task, json["reason"].get<std::string>(), last_log(task));
    return true;
  }

  /// Tail of the log of the newest try.
  [[nodiscard]] std::string last_log(const Task& task) const {
    fs::path newest;
    for (int n = 1; fs::exists(folder(task.key) / fmt::format("try{}", n)); ++n)
      newest = folder(task.key) / fmt::format("try{}", n);
    return newest.empty() ? std::string() : log_of(newest);
  }

  [[nodiscard]] std::string log_of(const fs::path& tried) const {
    std::string text = tail(tried / "log");
    if (text.empty() && !code_.log_name().empty()) text = tail(tried / code_.log_name());
    return text;
  }

  void compute() {
    std::vector<std::thread> threads;
    const auto n = std::min<std::size_t>(static_cast<std::size_t>(std::max(1, options_.jobs)), open_.size());
    // A thread pool of our own: the children die with the thread that started them (see process.hpp), so each
    // thread must live as long as its child.
    for (std::size_t t = 0; t < n; ++t) threads.emplace_back([this] { guard([this] { work(); }); });
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    throw_if_interrupted();
  }

  template <typename F>
  void guard(const F& body) {
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stop_ = true;
    }
  }

  [[nodiscard]] bool stopped() const { return stop_ || interrupt_requested(); }

  void work() {
    while (!stopped()) {
      const std::size_t mine = next_++;
      if (mine >= open_.size()) break;
      if (!try_task(open_[mine])) {
        const std::lock_guard lock(mutex_);
        elsewhere_.push_back(open_[mine]);
      }
    }
    // What other processes have claimed: wait for their results, and take over what they leave.
    while (!stopped()) {
      Task task;
      {
        const std::lock_guard lock(mutex_);
        if (elsewhere_.empty()) return;
        task = elsewhere_.back();
        elsewhere_.pop_back();
      }
      if (try_task(task)) continue;
      {
        const std::lock_guard lock(mutex_);
        elsewhere_.insert(elsewhere_.begin(), task);
        if (progress_ != nullptr)
          progress_->update(done_,
                            fmt::format("waiting for {} frames of another process", elsewhere_.size()));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }

  /// False if another process works on the frame.
  bool try_task(const Task& task) {
    const fs::path place = folder(task.key);
    make_folder(place);
    const Claim claim(place);
    if (!claim.held()) return false;
    if (take_result(task, true)) return true;  // another process finished it meanwhile
    if (const std::string reason = execute(task, place); !reason.empty()) {
      if (stopped()) return true;
      write_json(place / failed_name, {{"reason", reason}});
      fail(task, reason, last_log(task));
      return true;
    }
    take_result(task, false);
    return true;
  }

  /// Runs the code; the reason if there is no result in the end.
  std::string execute(const Task& task, const fs::path& place) {
    const Frame& frame = frames_[task.index];
    const fs::path tried = make_try(place);
    code_.prepare(frame, settings_, tried);
    Command command;
    command.argv = code_.command(settings_);
    command.folder = tried;
    command.log = tried / "log";
    // One core a frame unless the user says otherwise: several frames at once use a machine better than
    // threads.
    command.environment = {{"OMP_NUM_THREADS", "1"}, {"OPENBLAS_NUM_THREADS", "1"}};
    for (const auto& [key, value] : settings_.environment) command.environment[key] = value;
    command.time_limit_s = options_.time_limit_s;
    command.nice = options_.nice;
    const Outcome outcome = run(command, [this] { return stopped(); });
    if (!outcome.success()) return outcome.text();
    RawResult raw;
    try {
      raw = code_.parse(frame, tried);
    } catch (const InputError& error) {
      return error.what();
    }
    write_json(place / result_name, to_json(raw));
    std::error_code ignored;
    fs::remove(place / failed_name, ignored);
    return {};
  }

  void fail(const Task& task, const std::string& reason, const std::string& log) {
    const std::lock_guard lock(mutex_);
    fail_locked(task, reason, log);
  }
  void fail_locked(const Task& task, const std::string& reason, const std::string& log) {
    ++summary_.failed;
    receiver_.fail({task.index, task.key, reason, log});
    step();
  }
  void step() {
    ++done_;
    if (progress_ != nullptr)
      progress_->update(done_, summary_.failed > 0 ? fmt::format("{} set aside", summary_.failed) : "");
  }

  const Calculator& code_;
  const Settings& settings_;
  std::span<const Frame> frames_;
  const LabelOptions& options_;
  const Receiver& receiver_;
  std::vector<Task> open_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stop_{false};
  // Guarded by mutex_ once threads run.
  std::mutex mutex_;
  Audit audit_;
  std::vector<Task> elsewhere_;
  LabelSummary summary_;
  std::size_t done_ = 0;
  Progress* progress_ = nullptr;
  std::exception_ptr failure_;
};

}  // namespace

TaskState task_state(const fs::path& work, const std::string& key) {
  if (fs::exists(work / key / result_name)) return TaskState::finished;
  return fs::exists(work / key / failed_name) ? TaskState::failed : TaskState::open;
}

Frame corrected(const Frame& frame, const RawResult& raw, const LabelOptions& options,
                double& correction_GPa) {
  Frame result = frame;
  const double volume = frame.cell->volume();
  const Mat3& stress = *raw.stress_eV_per_A3;
  double virial = options.pressure_correction_GPa / constants::eV_per_A3_in_GPa * volume;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (const auto found = options.virial_correction_eV.find(frame.element(i));
        found != options.virial_correction_eV.end())
      virial += found->second;
  }
  correction_GPa = virial / volume * constants::eV_per_A3_in_GPa;
  result.labels = {};
  result.labels.energy_eV = raw.energy_eV;
  result.labels.forces_eV_per_A = raw.forces_eV_per_A;
  result.labels.virial_eV = Mat3(-0.5 * volume * (stress + stress.transpose()) + Mat3::Identity() * virial);
  return result;
}

LabelSummary label(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
                   const LabelOptions& options, const Receiver& receiver) {
  return Run(code, settings, frames, options, receiver)();
}

}  // namespace solion::reference
