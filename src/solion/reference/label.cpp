// One loop that feeds an executor and deals with what ends.
#include "solion/reference/label.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/lock.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/reference/executor.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;

constexpr const char* result_name = "result.json";
constexpr const char* failed_name = "failed.json";
constexpr int most_interruptions = 20;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw WorkError("{}: cannot make the folder: {}", folder.string(), error.message());
}

/// A folder that no earlier try has.
fs::path make_try(const fs::path& folder) {
  for (int n = 1;; ++n) {
    fs::path path = folder / fmt::format("try{}", n);
    std::error_code error;
    if (fs::create_directory(path, error)) return path;
    if (error) throw WorkError("{}: cannot make the folder: {}", path.string(), error.message());
  }
}

struct Task {
  std::size_t index = 0;
  std::string key;
  std::unique_ptr<FileLock> claim;  ///< held while the task is in flight or to be tried again
  int attempt = 1;
  int interrupted = 0;         ///< tries that ended through no fault of the job
  bool waited = false;         ///< for another process that had it
  bool failed_before = false;  ///< in an earlier call
  fs::path tried;              ///< folder of the try in flight
};

/// The newest try of a frame; empty if there is none.
fs::path newest_try(const fs::path& folder) {
  fs::path newest;
  for (int n = 1; fs::exists(folder / fmt::format("try{}", n)); ++n)
    newest = folder / fmt::format("try{}", n);
  return newest;
}

/// One call of label().
class Run {
 public:
  Run(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
      const LabelOptions& options, const Receiver& receiver)
      : code_(code),
        settings_(settings),
        frames_(frames),
        options_(options),
        receiver_(receiver),
        audit_(options.audit),
        local_(options.executor.kind == ExecutorSettings::Kind::local) {
    for (const Frame& frame : options.known) audit_.accept(frame, *frame.labels.energy_eV, std::nullopt);
  }

  LabelSummary operator()() {
    summary_.n_frames = frames_.size();
    make_folder(options_.work);
    take_finished();
    if (!open_.empty()) {
      // Before hundreds of frames fail for the same reason; the nodes of a cluster may have what this machine
      // has not.
      if (local_) static_cast<void>(code_.version(settings_));
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
      Task task;
      task.index = i;
      task.key = label_key(code_, settings_, frames_[i]);
      if (!seen.insert(task.key).second) {
        ++summary_.repeated;
        ++done_;
        continue;
      }
      if (frames_[i].cell) {
        if (const auto reason = settings_.kpoints.refuse(*frames_[i].cell)) {
          fail(task, *reason, "", true);
          continue;
        }
      }
      if (take_result(task, true)) continue;
      if (receiver_.has && receiver_.has(task.key)) {
        ++summary_.resumed;
        ++done_;
        continue;
      }
      if (!options_.retry_failed && take_failure(task)) continue;
      task.failed_before = fs::exists(folder(task.key) / failed_name);
      if (receiver_.refuse) {
        if (const auto reason = receiver_.refuse(frames_[i], task.key)) {
          fail(task, *reason, "", true);
          continue;
        }
      }
      open_.push_back(std::move(task));
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
    const Frame& frame = frames_[task.index];
    if (const auto reason = audit_.reject(frame, raw)) {
      fail(task, *reason, last_log(task), true);
      return true;
    }
    Label label{task.index, task.key, {}, raw, resumed};
    label.frame = corrected(frame, raw, options_, label.pressure_correction_GPa);
    label.shear_correction_eV = options_.shear_correction_eV;
    if (const auto reason = receiver_.accept(label)) {
      fail(task, *reason, "", true);
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

  /// Tails of the logs of the newest try: the program's, and the queue's if there was one.
  [[nodiscard]] std::string last_log(const Task& task) const {
    const fs::path tried = newest_try(folder(task.key));
    if (tried.empty()) return {};
    std::string text = tail(tried / "log");
    if (text.empty() && !code_.log_name().empty()) text = tail(tried / code_.log_name());
    const std::string job = tail(tried / "job.log");
    if (!job.empty()) text += (text.empty() ? "" : "\n") + job;
    return text;
  }

  void compute() {
    // Frames with a try come first: it may be a job that is still in a queue.
    std::stable_partition(open_.begin(), open_.end(),
                          [this](const Task& task) { return fs::exists(folder(task.key) / "try1"); });
    const auto executor = open_executor(options_.executor, options_.jobs, options_.work);
    while (true) {
      throw_if_interrupted();
      start_some(*executor);
      if (in_flight_.empty() && open_.empty() && elsewhere_.empty()) return;
      for (const Ended& ended : executor->wait(std::chrono::milliseconds(200))) {
        throw_if_interrupted();  // what ends now may have been ended by Ctrl-C
        finish(ended);
      }
      look_elsewhere();
      if (progress_ != nullptr) progress_->update(done_, note(*executor));
    }
  }

  void start_some(Executor& executor) {
    std::vector<Job> jobs;
    while (!open_.empty() && jobs.size() < executor.room(open_.size() + jobs.size())) {
      Task task = std::move(open_.front());
      open_.pop_front();
      const fs::path place = folder(task.key);
      if (!task.claim) {
        make_folder(place);
        task.claim = std::make_unique<FileLock>(place / "lock");
        if (!task.claim->held()) {
          task.claim.reset();
          task.waited = true;
          elsewhere_.push_back(std::move(task));
          continue;
        }
        if (take_result(task, true)) continue;  // another process finished it meanwhile
        if (task.waited && take_failure(task)) continue;
        if (const fs::path newest = newest_try(place); !newest.empty()) {
          if (const int attempt = executor.adopt(newest); attempt > 0) {
            task.attempt = attempt;
            fly(std::move(task), newest);
            continue;
          }
        }
      }
      const fs::path tried = make_try(place);
      jobs.push_back(job_of(task, tried));
      fly(std::move(task), tried);
    }
    if (!jobs.empty()) executor.start(jobs);
  }

  void fly(Task task, const fs::path& tried) {
    task.tried = tried;
    in_flight_[fs::absolute(tried)] = std::move(task);
  }

  [[nodiscard]] Job job_of(const Task& task, const fs::path& tried) const {
    code_.prepare(frames_[task.index], settings_, tried);
    Job job;
    job.attempt = task.attempt;
    Command& command = job.command;
    command.argv = code_.command(settings_);
    command.folder = tried;
    command.log = tried / "log";
    // One core a frame unless the user says otherwise: several frames at once use a machine better than
    // threads. With a launcher the cores of a job are its processes.
    const std::string threads =
        settings_.launcher.empty() ? fmt::format("{}", options_.executor.cores_per_job) : "1";
    if (local_) command.environment = {{"OMP_NUM_THREADS", threads}, {"OPENBLAS_NUM_THREADS", threads}};
    for (const auto& [key, value] : settings_.environment) command.environment[key] = value;
    command.time_limit_s = options_.time_limit_s;
    command.nice = options_.nice;
    return job;
  }

  void finish(const Ended& ended) {
    if (ended.error) std::rethrow_exception(ended.error);
    auto node = in_flight_.extract(fs::absolute(ended.folder));
    Task& task = node.mapped();
    std::string reason =
        ended.outcome.success() ? collect(task, ended.outcome) : without_success(task, ended.outcome);
    if (reason.empty()) {
      take_result(task, false);
      return;
    }
    write_file(task.tried / "ended", reason + "\n");
    if (!ended.ran && ++task.interrupted <= most_interruptions) {
      log().warn("frame {}: {}; it is tried again", task.index + 1, reason);
      open_.push_front(std::move(task));
      return;
    }
    if (task.attempt <= options_.executor.retries) {
      log().warn("frame {}, try {} of {}: {}", task.index + 1, task.attempt, options_.executor.retries + 1,
                 reason);
      ++task.attempt;
      open_.push_front(std::move(task));
      return;
    }
    if (task.attempt > 1) reason += fmt::format(" (the last of {} tries)", task.attempt);
    write_json(folder(task.key) / failed_name, {{"reason", reason}});
    fail(task, reason, last_log(task));
  }

  /// Turns what the code left into a result; the reason if that cannot be done.
  [[nodiscard]] std::string collect(const Task& task, const Outcome& outcome) const {
    RawResult raw;
    try {
      raw = code_.parse(frames_[task.index], task.tried);
    } catch (const InputError& error) {
      return error.what();
    }
    if (!(raw.wall_s > 0)) raw.wall_s = outcome.wall_s;
    write_json(folder(task.key) / result_name, to_json(raw));
    std::error_code ignored;
    fs::remove(folder(task.key) / failed_name, ignored);
    return {};
  }

  /// The reason of a failure, empty if it is a result all the same: some codes end with an error status when
  /// the SCF does not converge, which trying again would not change.
  [[nodiscard]] std::string without_success(const Task& task, const Outcome& outcome) const {
    if (outcome.ending != Ending::exited || !outcome.said.empty()) return outcome.text();
    try {
      const RawResult raw = code_.parse(frames_[task.index], task.tried);
      return raw.converged ? outcome.text() : collect(task, outcome);
    } catch (const InputError&) {
      return outcome.text();
    }
  }

  /// What other processes have claimed: wait for their results, and take over what they leave.
  void look_elsewhere() {
    if (!open_.empty()) return;
    for (Task& task : elsewhere_) open_.push_back(std::move(task));
    elsewhere_.clear();
  }

  [[nodiscard]] std::string note(const Executor& executor) const {
    std::string text = executor.status();
    const auto add = [&](std::size_t n, const char* what) {
      if (n > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", n, what);
    };
    if (in_flight_.empty()) add(open_.size(), "of another process waited for");
    add(summary_.failed, "set aside");
    return text;
  }

  void fail(const Task& task, const std::string& reason, const std::string& log, bool judged = false) {
    ++summary_.failed;
    receiver_.fail({task.index, task.key, reason, log, judged, task.failed_before});
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
  Audit audit_;
  bool local_;
  std::deque<Task> open_;
  std::vector<Task> elsewhere_;
  std::map<fs::path, Task> in_flight_;  ///< by the folder of the try
  LabelSummary summary_;
  std::size_t done_ = 0;
  Progress* progress_ = nullptr;
};

/// What of a label is a correction, for its provenance.
Json correction_of(const Label& label) {
  Json about{{"pressure_correction_GPa", label.pressure_correction_GPa}};
  const Vec3& shear = label.shear_correction_eV;
  if (!shear.isZero(0)) about["shear_correction_eV"] = {shear[0], shear[1], shear[2]};
  return about;
}

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
  const Vec3 shear = static_cast<double>(frame.n_atoms()) * options.shear_correction_eV;
  Mat3 correction = Mat3::Identity() * virial;
  correction(1, 2) = correction(2, 1) = shear[0];
  correction(0, 2) = correction(2, 0) = shear[1];
  correction(0, 1) = correction(1, 0) = shear[2];
  result.labels.virial_eV = Mat3(-0.5 * volume * (stress + stress.transpose()) + correction);
  return result;
}

bool correct_anew(Frame& frame, Json& provenance, const LabelOptions& options) {
  const Json stress = provenance.value("raw_stress_eV_per_A3", Json());
  if (!stress.is_array() || !frame.cell) return false;
  const RawResult raw = parse_result(Json{{"stress_eV_per_A3", stress}}.dump(), "provenance of a label");
  Label label;
  label.frame = corrected(frame, raw, options, label.pressure_correction_GPa);
  label.shear_correction_eV = options.shear_correction_eV;
  const Json shear = provenance.value("shear_correction_eV", Json::array({0.0, 0.0, 0.0}));
  const double before = provenance.value("pressure_correction_GPa", 0.0);
  const Vec3& now = label.shear_correction_eV;
  if (std::abs(before - label.pressure_correction_GPa) <= 1e-9 * (1 + std::abs(before)) &&
      shear == Json::array({now[0], now[1], now[2]}))
    return false;
  frame.labels.virial_eV = label.frame.labels.virial_eV;
  provenance.erase("shear_correction_eV");
  provenance.update(correction_of(label));
  return true;
}

Json provenance(const Label& label, const Calculator& code) {
  Json about{{"code", code.name()},
             {"code_version", label.raw.code_version},
             {"key", label.key},
             {"wall_s", label.raw.wall_s},
             {"raw_stress_eV_per_A3", to_json(label.raw)["stress_eV_per_A3"]}};
  about.update(correction_of(label));
  return about;
}

LabelSummary label(const Calculator& code, const Settings& settings, std::span<const Frame> frames,
                   const LabelOptions& options, const Receiver& receiver) {
  return Run(code, settings, frames, options, receiver)();
}

}  // namespace solion::reference
