// Jobs as tasks of Slurm arrays, such that a kill of solion, a lost controller or a lost answer of sbatch
// starts nothing twice.
//
//     WORK/slurm/NAME/           one array; NAME is the job's name, unique
//         batch.json, folders    its tasks, written before sbatch is called
//         job.sh, job_id         the script; the number, written after
//         N.log                  what Slurm and the user's lines say about task N
//     FOLDER/slurm.json          which task of which array the folder is
//     FOLDER/taken/              made by the task when it begins, or by solion when it gives the task up:
//     whoever
//                                makes it first has the folder (mkdir is atomic on shared file systems, too)
//     FOLDER/exit                status and seconds, written by the task itself: the queue is asked only
//     about tasks
//                                that have not written it, and forgets jobs after a while
//     FOLDER/ended               made by the caller once it has dealt with a failure
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/reference/executor.hpp"
#include "solion/reference/slurm.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// A job without an exit file that the queue says has ended, or does not know, is given up after so many
/// answers: files of other nodes may show late.
constexpr int patient_polls = 3;

struct Batch {
  std::string name;
  std::vector<fs::path> folders;
  std::string id;  ///< of the job; empty until sbatch has said it or the queue shows the name
  bool to_submit = false;
};

struct Task {
  std::shared_ptr<Batch> batch;
  int index = 0;
  int missed = 0;
  bool running = false;
};

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw WorkError("{}: cannot make the folder: {}", folder.string(), error.message());
}

/// Takes the folder away from a task that has not begun; false if it has.
bool take(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directory(folder / "taken", error);
  if (error) throw WorkError("{}: cannot make the folder: {}", (folder / "taken").string(), error.message());
  return made;
}

/// What a task runs, once it has its folder.
std::string task_script(const Command& command) {
  std::string text = "cd " + shell_quoted(command.folder.string()) + " || exit 125\n";
  for (const auto& [key, value] : command.environment)
    text += fmt::format("export {}={}\n", key, shell_quoted(value));
  text += "SECONDS=0\n";
  // Slurm counts whole minutes and looks twice a minute; this counts seconds.
  if (command.time_limit_s > 0) text += fmt::format("timeout -k 10 {:.3f} ", command.time_limit_s);
  for (const std::string& word : command.argv) text += shell_quoted(word) + " ";
  text += fmt::format("> {} 2>&1 < /dev/null\n", shell_quoted(command.log.string()));
  text += "status=$?\n";
  if (command.time_limit_s > 0)  // timeout ends a stubborn command by SIGKILL and says 137
    text += fmt::format("[ $status = 137 ] && [ $SECONDS -ge {:.0f} ] && status=124\n", command.time_limit_s);
  text += "echo \"$status $SECONDS\" > exit.partial && mv exit.partial exit\nexit $status\n";
  return text;
}

std::string job_script(const ExecutorSettings& settings, const fs::path& place) {
  return fmt::format(
      "#!/bin/bash\n{}\n# Task N of the array has the N-th folder of the list, unless it is taken.\n"
      "folder=$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" {})\n"
      "[ -n \"$folder\" ] && cd \"$folder\" || exit 125\n"
      "mkdir taken 2> /dev/null || exit 0\n"
      "export OMP_NUM_THREADS=${{OMP_NUM_THREADS:-${{SLURM_CPUS_PER_TASK:-1}}}}\n"
      "exec bash task.sh\n",
      settings.script, shell_quoted((place / "folders").string()));
}

class SlurmExecutor final : public Executor {
 public:
  SlurmExecutor(const ExecutorSettings& settings, const fs::path& work)
      : settings_(settings), root_(fs::absolute(work) / "slurm") {
    for (const char* program : {"sbatch", "squeue"}) {
      if (in_path(program)) continue;
      throw WorkError(
          "the executor is Slurm, and its {} is not here: run this where jobs can be submitted (Debian: "
          "slurm-client), or use kind = \"local\"",
          program);
    }
    make_folder(root_);
  }
  SlurmExecutor(const SlurmExecutor&) = delete;
  SlurmExecutor& operator=(const SlurmExecutor&) = delete;
  SlurmExecutor(SlurmExecutor&&) = delete;
  SlurmExecutor& operator=(SlurmExecutor&&) = delete;
  ~SlurmExecutor() override {
    if (tasks_.empty()) return;
    std::string names;
    for (const std::string& name : names_of_tasks()) names += (names.empty() ? "" : ",") + name;
    log().warn("{} tasks stay in Slurm's queue: the same command collects them; scancel --name={} ends them",
               tasks_.size(), names);
  }

  [[nodiscard]] std::size_t room(std::size_t waiting) const override {
    const auto all = static_cast<std::size_t>(settings_.in_flight);
    if (tasks_.size() >= all) return 0;
    const std::size_t free = all - tasks_.size();
    // In bites, so that arrays stay arrays.
    return free >= waiting || 4 * free >= all ? std::min(free, waiting) : 0;
  }

  void start(const std::vector<Job>& jobs) override {
    const auto size = static_cast<std::size_t>(settings_.array_size);
    for (std::size_t at = 0; at < jobs.size(); at += size) {
      const std::size_t end = std::min(jobs.size(), at + size);
      submit(record(
          {jobs.begin() + static_cast<std::ptrdiff_t>(at), jobs.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
  }

  int adopt(const fs::path& given) override {
    const fs::path folder = fs::absolute(given);
    if (!fs::exists(folder / "slurm.json") || fs::exists(folder / "ended")) return 0;
    const Json about = Json::parse(read_file(folder / "slurm.json"), nullptr, false);
    if (!about.is_object()) return 0;
    const auto batch = known_batch(about.value("batch", ""));
    const auto place = batch ? std::find(batch->folders.begin(), batch->folders.end(), folder)
                             : std::vector<fs::path>::iterator();
    if (!batch || place == batch->folders.end()) {
      // Written down and never submitted: solion was killed in between.
      return 0;
    }
    tasks_[folder] = {batch, static_cast<int>(place - batch->folders.begin()), 0, false};
    next_poll_ = Clock::now();
    return std::max(1, about.value("attempt", 1));
  }

  std::vector<Ended> wait(std::chrono::milliseconds patience) override {
    const auto now = Clock::now();
    if (tasks_.empty() || now < next_poll_) {
      std::this_thread::sleep_for(tasks_.empty() ? patience
                                                 : std::min<Clock::duration>(patience, next_poll_ - now));
      return {};
    }
    std::vector<Ended> ended = poll();
    next_poll_ = Clock::now() + std::chrono::milliseconds(static_cast<std::int64_t>(1000 * settings_.poll_s));
    return ended;
  }

  [[nodiscard]] std::string status() const override {
    if (away_) return "waiting for Slurm's controller";
    const auto running =
        std::count_if(tasks_.begin(), tasks_.end(), [](const auto& entry) { return entry.second.running; });
    return fmt::format("Slurm: {} running, {} waiting{}", running,
                       tasks_.size() - static_cast<std::size_t>(running),
                       waits_for_.empty() ? "" : " (" + waits_for_ + ")");
  }

 private:
  /// Writes an array down, before anybody is asked to run it.
  std::shared_ptr<Batch> record(const std::vector<Job>& jobs) {
    auto batch = std::make_shared<Batch>();
    std::string content;
    for (const Job& job : jobs) content += fs::absolute(job.command.folder).string() + "\n";
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    batch->name = "solion-" + sha256(fmt::format("{}{} {}", content, now, ::getpid())).substr(0, 12);
    batch->to_submit = true;
    const fs::path place = root_ / batch->name;
    make_folder(place);
    write_file(place / "folders", content);
    write_file(place / "job.sh", job_script(settings_, place));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      Command command = jobs[i].command;
      command.folder = fs::absolute(command.folder);
      command.log = fs::absolute(command.log);
      write_file(command.folder / "task.sh", task_script(command));
      write_json(command.folder / "slurm.json", {{"batch", batch->name}, {"attempt", jobs[i].attempt}});
      batch->folders.push_back(command.folder);
      tasks_[command.folder] = {batch, static_cast<int>(i), 0, false};
    }
    write_json(place / "batch.json", {{"name", batch->name}, {"tasks", batch->folders.size()}});
    batches_[batch->name] = batch;
    return batch;
  }

  /// The array of that name in the work folder; nothing if it was never ready to be submitted.
  std::shared_ptr<Batch> known_batch(const std::string& name) {
    if (const auto found = batches_.find(name); found != batches_.end()) return found->second;
    const fs::path place = root_ / name;
    if (name.empty() || !fs::exists(place / "batch.json")) return nullptr;
    auto batch = std::make_shared<Batch>();
    batch->name = name;
    std::istringstream lines(read_file(place / "folders"));
    std::string line;
    while (std::getline(lines, line)) batch->folders.emplace_back(line);
    if (fs::exists(place / "job_id")) {
      batch->id = read_file(place / "job_id");
      log().info("Slurm job {} ({}) goes on from before", batch->id, name);
    }
    batches_[name] = batch;
    return batch;
  }

  void submit(const std::shared_ptr<Batch>& batch) {
    const fs::path place = root_ / batch->name;
    std::string pattern = place.string();  // % begins a field in Slurm's file names
    for (std::size_t at = 0; (at = pattern.find('%', at)) != std::string::npos; at += 2)
      pattern.insert(at, "%");
    Command command;
    command.argv = {"sbatch",
                    "--parsable",
                    "--no-requeue",  // a new try has a new folder, and solion counts it
                    fmt::format("--array=0-{}{}", batch->folders.size() - 1,
                                settings_.running > 0 ? fmt::format("%{}", settings_.running) : ""),
                    "--job-name=" + batch->name,
                    "--chdir=" + place.string(),
                    "--output=" + pattern + "/%a.log",
                    (place / "job.sh").string()};
    command.folder = place;
    command.log = place / "sbatch.log";
    command.time_limit_s = 300;
    const Outcome outcome = run(command, [] { return interrupt_requested(); });
    throw_if_interrupted();
    const std::string said = fs::exists(command.log) ? read_file(command.log) : "";
    if (outcome.success() && !parse_sbatch(said).empty()) {
      note_id(*batch, parse_sbatch(said));
      log().info("Slurm job {} ({}): {} tasks", batch->id, batch->name, batch->folders.size());
      next_poll_ = std::min(next_poll_, Clock::now() + std::chrono::milliseconds(500));
      return;
    }
    // The answer may have been lost on its way; the next poll looks for the name before it tries again.
    const bool others = std::any_of(tasks_.begin(), tasks_.end(),
                                    [&](const auto& entry) { return !entry.second.batch->id.empty(); });
    if (outcome.ending != Ending::exited || slurm_transient(said) || (slurm_limit(said) && others)) {
      log().warn("sbatch: {}; {} tasks wait", tail(command.log, 1), batch->folders.size());
      next_poll_ =
          Clock::now() + std::chrono::milliseconds(static_cast<std::int64_t>(1000 * settings_.poll_s));
      return;
    }
    std::error_code ignored;
    fs::remove(place / "batch.json", ignored);  // so that the same command begins anew
    for (const fs::path& folder : batch->folders) tasks_.erase(folder);
    throw WorkError("sbatch does not take the job ({}): {}", (place / "job.sh").string(), tail(command.log));
  }

  void note_id(Batch& batch, const std::string& id) {
    batch.id = id;
    batch.to_submit = false;
    write_file(root_ / batch.name / "job_id", id);
  }

  [[nodiscard]] std::vector<std::string> names_of_tasks() const {
    std::vector<std::string> names;
    names.reserve(tasks_.size());
    for (const auto& [folder, task] : tasks_) names.push_back(task.batch->name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  std::vector<Ended> poll() {
    std::string trouble;
    const auto queue = ask_slurm(names_of_tasks(), root_, trouble);
    if (!queue && !away_) {
      log().warn("Slurm's controller does not answer ({}); its jobs are waited for", trouble);
    } else if (queue && away_) {
      log().info("Slurm's controller answers again");
    }
    away_ = !queue;
    waits_for_.clear();
    std::vector<Ended> ended;
    std::vector<std::shared_ptr<Batch>> to_submit;
    for (auto entry = tasks_.begin(); entry != tasks_.end();) {
      auto& [folder, task] = *entry;
      const SlurmTask* seen = nullptr;
      if (queue) {
        const auto found = queue->find({task.batch->name, task.index});
        if (found != queue->end()) seen = &found->second;
      }
      if (seen != nullptr && task.batch->id.empty()) note_id(*task.batch, seen->job);
      if (queue && task.batch->to_submit) {
        if (std::find(to_submit.begin(), to_submit.end(), task.batch) == to_submit.end())
          to_submit.push_back(task.batch);
        ++entry;
        continue;
      }
      if (auto end = judge(folder, task, queue.has_value(), seen)) {
        keep_log(folder, task);
        ended.push_back(std::move(*end));
        entry = tasks_.erase(entry);
      } else {
        ++entry;
      }
    }
    for (const auto& batch : to_submit) submit(batch);
    return ended;
  }

  /// The end of a task, if it has come. `answered`: the queue was heard; `seen`: what it knows of the task.
  std::optional<Ended> judge(const fs::path& folder, Task& task, bool answered, const SlurmTask* seen) {
    const bool active = seen != nullptr && slurm_active(seen->state);
    task.running = active && seen->state != "PENDING";
    if (active && !task.running) waits_for_ = seen->reason;
    if (auto end = read_exit(folder)) {
      // A signal comes from somewhere, and the queue knows from where once the job has left it.
      const bool signalled = end->outcome.code >= 128;
      if (signalled && (active || !answered) && ++task.missed < patient_polls) return std::nullopt;
      if (!end->outcome.success() && seen != nullptr && !active && seen->state != "FAILED") {
        end->outcome.said = describe(task, *seen);
        end->ran = !taken_away(seen->state);
      }
      return end;
    }
    if (!answered || active) {
      task.missed = 0;
      return std::nullopt;
    }
    const bool in_doubt = seen == nullptr || seen->state == "COMPLETED" || seen->state == "FAILED";
    if (in_doubt && ++task.missed < patient_polls) return std::nullopt;
    Ended end;
    end.folder = folder;
    const bool never_began = take(folder);
    end.outcome.code = 1;
    if (seen != nullptr) {
      end.outcome.said = describe(task, *seen);
      end.ran = !taken_away(seen->state);
      if (never_began) end.outcome.said += ", before the calculation began";
    } else if (never_began && task.batch->id.empty()) {
      end.ran = false;
      end.outcome.said = "was never submitted";
    } else {
      end.outcome.said = fmt::format("Slurm job {}_{} is gone from the queue and left no exit status",
                                     task.batch->id, task.index);
    }
    return end;
  }

  /// Endings that say nothing about the job: the cluster took its node.
  static bool taken_away(const std::string& state) {
    return state == "PREEMPTED" || state == "NODE_FAIL" || state == "BOOT_FAIL";
  }

  static std::string describe(const Task& task, const SlurmTask& seen) {
    std::string text = fmt::format("Slurm job {}_{} ended as {}", seen.job, task.index, seen.state);
    if (!seen.reason.empty() && seen.reason != "None") text += fmt::format(" ({})", seen.reason);
    if (!seen.node.empty()) text += fmt::format(" on {}", seen.node);
    return text;
  }

  /// What the task wrote at its end.
  static std::optional<Ended> read_exit(const fs::path& folder) {
    if (!fs::exists(folder / "exit")) return std::nullopt;
    std::istringstream stream(read_file(folder / "exit"));
    Ended end;
    end.folder = folder;
    if (!(stream >> end.outcome.code >> end.outcome.wall_s)) return std::nullopt;
    if (end.outcome.code == 124) {
      end.outcome.ending = Ending::timed_out;
    } else if (end.outcome.code > 128 && end.outcome.code < 192) {
      end.outcome.said = Outcome{Ending::signalled, end.outcome.code - 128, 0, {}}.text();
    }
    return end;
  }

  /// Slurm's own log of a task goes beside that of the program.
  void keep_log(const fs::path& folder, const Task& task) const {
    const std::string text = tail(root_ / task.batch->name / fmt::format("{}.log", task.index), 40);
    if (!text.empty()) write_file(folder / "job.log", text + "\n");
  }

  ExecutorSettings settings_;
  fs::path root_;
  std::map<std::string, std::shared_ptr<Batch>> batches_;
  std::map<fs::path, Task> tasks_;
  Clock::time_point next_poll_ = Clock::now();
  bool away_ = false;
  std::string waits_for_;
};

}  // namespace

std::unique_ptr<Executor> open_slurm(const ExecutorSettings& settings, const fs::path& work) {
  return std::make_unique<SlurmExecutor>(settings, work);
}

}  // namespace solion::reference
