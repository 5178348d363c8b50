// fork and exec with a process group, polled by waitpid so that a time limit and Ctrl-C are seen.
#include "solion/reference/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"

namespace solion::reference {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto poll_interval = std::chrono::milliseconds(50);
constexpr double grace_s = 2.0;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Everything that exec needs, made before the fork: after it only async-signal-safe calls are allowed, as
/// other threads may have held a lock of the allocator.
struct Prepared {
  std::vector<char*> argv;
  std::vector<std::string> environment_text;
  std::vector<char*> environment;
  int log = -1;
  std::array<int, 2> errors{-1, -1};  ///< pipe that carries errno of a failed exec; closed by a good one

  explicit Prepared(const Command& command) {
    if (command.argv.empty()) throw WorkError("no program to run");
    for (const std::string& arg : command.argv) argv.push_back(const_cast<char*>(arg.c_str()));
    argv.push_back(nullptr);
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      if (!command.environment.contains(text.substr(0, text.find('=')))) environment_text.push_back(text);
    }
    for (const auto& [key, value] : command.environment) {
      std::string text = key;
      environment_text.push_back(text.append("=").append(value));
    }
    for (std::string& text : environment_text) environment.push_back(text.data());
    environment.push_back(nullptr);
    log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (log < 0) throw WorkError("{}: cannot write: {}", command.log.string(), std::strerror(errno));
    if (::pipe2(errors.data(), O_CLOEXEC) != 0) {
      ::close(log);
      throw WorkError("cannot make a pipe: {}", std::strerror(errno));
    }
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() {
    for (const int fd : {log, errors[0], errors[1]}) {
      if (fd >= 0) ::close(fd);
    }
  }
};

/// The child between fork and exec.
[[noreturn]] void become(const Prepared& prepared, const char* folder, int priority, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent died before prctl
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) ::sigaction(signal, &standard, nullptr);
  ::setpriority(PRIO_PROCESS, 0, priority);
  const int null = ::open("/dev/null", O_RDONLY);
  if (::chdir(folder) == 0 && null >= 0 && ::dup2(null, 0) >= 0 && ::dup2(prepared.log, 1) >= 0 &&
      ::dup2(prepared.log, 2) >= 0) {
    ::execvpe(prepared.argv[0], prepared.argv.data(), prepared.environment.data());
  }
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(prepared.errors[1], &error, sizeof error);
  ::_exit(127);
}

/// A running child; its group is killed if nobody waited for its end.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!ended_) stop();
  }
  /// True once the child has ended; `status` is then that of waitpid.
  bool ended() {
    if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return ended_;
  }
  [[nodiscard]] int status() const { return status_; }
  /// Ends the whole group, first gently; what the group leaves behind is killed in any case.
  void stop() {
    ::kill(-pid_, SIGTERM);
    const auto start = Clock::now();
    while (!ended() && seconds_since(start) < grace_s) std::this_thread::sleep_for(poll_interval);
    ::kill(-pid_, SIGKILL);
    while (!ended_) ended_ = ::waitpid(pid_, &status_, 0) == pid_ || errno != EINTR;
  }
  void kill_rest_of_group() const { ::kill(-pid_, SIGKILL); }

 private:
  pid_t pid_;
  int status_ = 0;
  bool ended_ = false;
};

pid_t start(const Command& command, Prepared& prepared) {
  const int priority = std::min(19, ::getpriority(PRIO_PROCESS, 0) + command.nice);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw WorkError("cannot start {}: {}", command.argv[0], std::strerror(errno));
  if (pid == 0) become(prepared, command.folder.c_str(), priority, parent);
  ::setpgid(pid, pid);  // both sides set it, so that it holds whoever comes first
  ::close(prepared.errors[1]);
  prepared.errors[1] = -1;
  int error = 0;
  if (::read(prepared.errors[0], &error, sizeof error) == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(pid, nullptr, 0);
    throw WorkError("cannot run {} in {}: {}", command.argv[0], command.folder.string(),
                    std::strerror(error));
  }
  return pid;
}

}  // namespace

std::string Outcome::text() const {
  if (!said.empty()) return said;
  switch (ending) {
    case Ending::exited:
      return fmt::format("exit status {}", code);
    case Ending::signalled:
      return fmt::format("killed by signal {} ({}){}", code, ::strsignal(code),
                         code == SIGKILL ? "; out of memory?" : "");
    case Ending::timed_out:
      return fmt::format("no end within {}", format_duration(wall_s));
    case Ending::cancelled:
      return "cancelled";
  }
  return {};
}

Outcome run(const Command& command, const std::function<bool()>& cancelled) {
  Prepared prepared(command);
  const auto begin = Clock::now();
  Child child(start(command, prepared));
  Outcome outcome;
  while (!child.ended()) {
    const bool too_long = command.time_limit_s > 0 && seconds_since(begin) > command.time_limit_s;
    if (too_long || cancelled()) {
      outcome.ending = too_long ? Ending::timed_out : Ending::cancelled;
      child.stop();
      outcome.wall_s = seconds_since(begin);
      return outcome;
    }
    std::this_thread::sleep_for(poll_interval);
  }
  child.kill_rest_of_group();
  outcome.wall_s = seconds_since(begin);
  const int status = child.status();
  outcome.ending = WIFSIGNALED(status) ? Ending::signalled : Ending::exited;
  outcome.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  return outcome;
}

bool in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    if (::access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string tail(const std::filesystem::path& file, int lines) {
  constexpr std::streamoff longest = 16384;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return {};
  stream.seekg(0, std::ios::end);
  const std::streamoff size = stream.tellg();
  stream.seekg(std::max<std::streamoff>(0, size - longest));
  std::string text(static_cast<std::size_t>(std::min(size, longest)), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\t') c = '?';
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::size_t begin = text.size();
  for (int n = 0; n < lines && begin != std::string::npos && begin > 0; ++n) {
    begin = text.rfind('\n', begin - 1);
  }
  return begin == std::string::npos ? text : text.substr(begin == 0 ? 0 : begin + 1);
}

}  // namespace solion::reference
