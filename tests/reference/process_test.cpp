// Child processes: endings, time limit for the whole group, environment, the tail of a log.
#include "solion/reference/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "fake_code.hpp"
#include "solion/base/errors.hpp"

namespace solion::reference {
namespace {

using ::testing::HasSubstr;
using testing::Scratch;

Command shell(const Scratch& scratch, const std::string& script) {
  Command command;
  command.argv = {"bash", "-c", script};
  command.folder = scratch.path();
  command.log = scratch.path() / "log";
  return command;
}

bool never() { return false; }

TEST(Process, RunsInItsFolderWithItsEnvironmentAndLog) {
  const Scratch scratch("env");
  Command command = shell(scratch, "pwd -P; echo error >&2; echo $SOLION_TEST $OMP_NUM_THREADS; nice");
  command.environment = {{"SOLION_TEST", "a b"}, {"OMP_NUM_THREADS", "1"}};
  command.nice = 3;
  ASSERT_TRUE(run(command, never).success());
  const int own = ::nice(0);
  EXPECT_EQ(read_file(command.log),
            fmt::format("{}\nerror\na b 1\n{}\n", std::filesystem::canonical(scratch.path()).string(),
                        std::min(19, own + 3)));
}

TEST(Process, TellsExitStatusAndSignal) {
  const Scratch scratch("ends");
  EXPECT_EQ(run(shell(scratch, "exit 3"), never).text(), "exit status 3");
  const Outcome killed = run(shell(scratch, "kill -9 $$"), never);
  EXPECT_EQ(killed.ending, Ending::signalled);
  EXPECT_THAT(killed.text(), HasSubstr("signal 9"));
  Command missing = shell(scratch, "");
  missing.argv = {"no-such-program-anywhere"};
  try {
    run(missing, never);
    FAIL();
  } catch (const WorkError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no-such-program-anywhere"));
  }
}

/// True once no process of that id is left (a zombie of init counts as gone).
bool gone(pid_t pid) {
  for (int i = 0; i < 100; ++i) {
    if (::kill(pid, 0) != 0) return true;
    std::ifstream stat(fmt::format("/proc/{}/stat", pid));
    std::string id, name, state;
    stat >> id >> name >> state;
    if (state == "Z") return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

TEST(Process, TheTimeLimitEndsTheWholeGroup) {
  const Scratch scratch("limit");
  // A grandchild, and both deaf to SIGTERM.
  Command command =
      shell(scratch, "trap '' TERM; (echo $BASHPID > grandchild; exec sleep 100) & sleep 100; sleep 100");
  command.time_limit_s = 1.0;
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = run(command, never);
  EXPECT_EQ(outcome.ending, Ending::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  pid_t grandchild = 0;
  std::ifstream(scratch.path() / "grandchild") >> grandchild;
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(gone(grandchild));
}

TEST(Process, CancellingEndsTheChild) {
  const Scratch scratch("cancel");
  int asked = 0;
  const Outcome outcome = run(shell(scratch, "sleep 100"), [&] { return ++asked > 3; });
  EXPECT_EQ(outcome.ending, Ending::cancelled);
  EXPECT_LT(outcome.wall_s, 20);
}

TEST(Process, TailGivesTheLastLinesOfAnything) {
  const Scratch scratch("tail");
  const auto file = scratch.path() / "f";
  EXPECT_EQ(tail(file), "");
  write_file(file, "");
  EXPECT_EQ(tail(file), "");
  write_file(file, "one");
  EXPECT_EQ(tail(file, 1), "one");
  write_file(file, "one\ntwo\nthree\n\n");
  EXPECT_EQ(tail(file, 2), "two\nthree");
  EXPECT_EQ(tail(file, 9), "one\ntwo\nthree");
  write_file(file, std::string(100000, 'x') + "\x1b\n");
  EXPECT_EQ(tail(file, 3).back(), '?');
  EXPECT_LE(tail(file, 3).size(), 16384U);
}

}  // namespace
}  // namespace solion::reference
