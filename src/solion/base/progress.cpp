// Progress lines on standard error, and the interrupt flag.
#include "solion/base/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <utility>

#include "solion/base/errors.hpp"

namespace solion {
namespace {

std::atomic<bool> interrupt_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int signal) {
  if (interrupt_flag.exchange(true)) ::_exit(128 + signal);
}

}  // namespace

std::string format_duration(double seconds) {
  const auto s = std::lround(std::max(0.0, seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
}

Progress::Progress(std::string name, std::size_t total, std::size_t done)
    : name_(std::move(name)), total_(total), first_(done), done_(done), terminal_(::isatty(2) == 1) {}

Progress::~Progress() {
  if (shown_) print("", true);
}

void Progress::update(std::size_t done, const std::string& note) {
  done_ = done;
  const auto now = Clock::now();
  const double since = std::chrono::duration<double>(now - printed_).count();
  if (since < (terminal_ ? 0.5 : 15.0)) return;
  printed_ = now;
  print(note, false);
}

void Progress::print(const std::string& note, bool last) {
  shown_ = true;
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const std::size_t fresh = done_ - std::min(first_, done_);
  std::string left;
  if (last) {
    left = fmt::format("{} taken", format_duration(elapsed));
  } else if (fresh > 0 && fresh >= (total_ - first_) / 100 && done_ < total_) {  // the first steps may lie
    const double rate = elapsed / static_cast<double>(fresh);
    left = fmt::format("{} left", format_duration(rate * static_cast<double>(total_ - done_)));
  }
  const std::string line =
      fmt::format("{}: {}/{} {}{}{}", name_, done_, total_, left, note.empty() ? "" : ", ", note);
  // Not fmt::print, which throws where the terminal has closed, also as an interrupted run unwinds.
  std::fputs(terminal_ ? fmt::format("\r\033[K{}{}", line, last ? "\n" : "").c_str() : (line + "\n").c_str(),
             stderr);
  std::fflush(stderr);
}

bool interrupt_requested() { return interrupt_flag.load(std::memory_order_relaxed); }

void request_interrupt(bool wanted) noexcept { interrupt_flag.store(wanted, std::memory_order_relaxed); }

void watch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that closes, unless nohup says that it shall not matter.
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
}

void throw_if_interrupted() {
  if (interrupt_requested()) throw Interrupted();
}

}  // namespace solion
