// Progress of long work: a live line on a terminal, a plain line now and then elsewhere, with the time left.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace solion {

class Progress {
 public:
  /// `total` steps of the work called `name`, of which `done` are finished already.
  Progress(std::string name, std::size_t total, std::size_t done = 0);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;
  ~Progress();

  /// Says that `done` steps are finished; prints at most twice a second (terminal) or every 15 s (elsewhere).
  void update(std::size_t done, const std::string& note = "");

 private:
  void print(const std::string& note, bool last);

  using Clock = std::chrono::steady_clock;
  std::string name_;
  std::size_t total_;
  std::size_t first_;
  std::size_t done_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point printed_ = start_;
  bool terminal_;
  bool shown_ = false;
};

/// 75 s → "1 min 15 s".
std::string format_duration(double seconds);

/// True once the user asked the process to end (Ctrl-C, SIGTERM); long loops then save and throw Interrupted.
bool interrupt_requested();
/// Installs the handlers that set the flag above; a second Ctrl-C ends the process at once.
void watch_interrupts();
/// Sets or clears the flag, for a host with handlers of its own (safe inside a signal handler).
void request_interrupt(bool wanted = true) noexcept;
/// Throws Interrupted if an interrupt was requested.
void throw_if_interrupted();

}  // namespace solion
