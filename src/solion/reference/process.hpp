// An outside program as a child process: its own folder, log, time limit and process group.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace solion::reference {

/// What to run and where.
struct Command {
  std::vector<std::string> argv;                   ///< argv[0] is searched in PATH
  std::filesystem::path folder;                    ///< working folder of the child
  std::filesystem::path log;                       ///< standard output and error, in this order of writing
  std::map<std::string, std::string> environment;  ///< added to that of this process
  double time_limit_s = 0;                         ///< 0: none
  int nice = 0;                                    ///< added to this process's niceness
};

enum class Ending { exited, signalled, timed_out, cancelled };

/// How a child ended.
struct Outcome {
  Ending ending = Ending::exited;
  int code = 0;  ///< exit status (`exited`) or signal number (`signalled`)
  double wall_s = 0;
  std::string said;  ///< by who ran it (a queue), in place of what ending and code say

  [[nodiscard]] bool success() const { return ending == Ending::exited && code == 0; }
  /// "exit status 3", "killed by signal 9 (Killed); out of memory?", "no end within 30 min", "cancelled".
  [[nodiscard]] std::string text() const;
};

/// Runs the command and waits for its end. At the time limit, or once `cancelled()` is true (asked 20 times a
/// second), the whole process group of the child gets SIGTERM and two seconds later SIGKILL; an exception out
/// of `cancelled` does the same. The child is killed too if this process dies. May be called from several
/// threads at once. WorkError if the program cannot be started (it names the program).
Outcome run(const Command& command, const std::function<bool()>& cancelled);

/// Whether a program of this name is in one of the folders of $PATH.
bool in_path(const std::string& program);

/// The last `lines` lines of a file (of its last 16 kB at most) without control characters; empty if there is
/// no such file.
std::string tail(const std::filesystem::path& file, int lines = 12);

}  // namespace solion::reference
