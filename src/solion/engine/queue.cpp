#include "solion/engine/queue.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/progress.hpp"

namespace solion::engine {

namespace fs = std::filesystem;

Queue::Queue(const reference::ExecutorSettings& settings, const fs::path& folder)
    : folder_(fs::absolute(folder)) {
  fs::create_directories(folder_);
  executor_ = reference::open_executor(settings, 1, folder_);
}

std::vector<fs::path> Queue::jobs() const {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    if (entry.path().filename().string().starts_with("step-")) found.push_back(entry.path());
  }
  return found;
}

bool Queue::holds_any() const {
  const auto all = jobs();
  return std::any_of(all.begin(), all.end(), [](const fs::path& job) {
    return fs::exists(job / "slurm.json") && !fs::exists(job / "exit") && !fs::exists(job / "ended");
  });
}

void Queue::forget() {
  for (const fs::path& job : jobs()) fs::remove_all(job);
}

reference::Outcome Queue::run(std::int64_t begin, const reference::Command& command,
                              const std::function<void()>& prepare,
                              const std::function<void(const std::string&)>& show) {
  const auto place = [&](int k) { return folder_ / fmt::format("step-{}-try-{}", begin, k); };
  int newest = 0;
  while (fs::exists(place(newest + 1))) ++newest;
  job_ = place(newest);
  if (newest == 0 || executor_->adopt(job_) == 0) {
    prepare();
    job_ = place(newest + 1);
    fs::create_directories(job_);
    reference::Job job{.command = command};
    job.command.argv.insert(job.command.argv.begin(), {"env", "-C", fs::absolute(command.folder).string()});
    job.command.folder = job_;
    job.command.log = fs::absolute(command.log);
    executor_->start({job});
  }
  while (true) {
    const auto ended = executor_->wait(std::chrono::milliseconds(200));
    if (!ended.empty()) {
      if (ended.front().error) std::rethrow_exception(ended.front().error);
      return ended.front().outcome;
    }
    throw_if_interrupted();
    show(executor_->status());
  }
}

void Queue::close() { write_file(job_ / "ended", "taken over\n"); }

}  // namespace solion::engine
