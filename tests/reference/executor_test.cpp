// Settings of executors, budgets, and what Slurm prints. A real Slurm is in tests/cli/slurm.sh.
#include "solion/reference/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "fake_code.hpp"
#include "solion/reference/label.hpp"
#include "solion/reference/slurm.hpp"

namespace solion::reference {
namespace {

using ::testing::HasSubstr;

ExecutorSettings settings_of(const std::string& text) {
  return read_executor(TomlTable::parse(text, "label.toml"));
}

std::string refusal(const std::string& text) {
  try {
    settings_of(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ExecutorSettings, AreReadAndCheckedByKind) {
  EXPECT_EQ(settings_of("").kind, ExecutorSettings::Kind::local);
  const ExecutorSettings slurm =
      settings_of("kind = 'slurm'\nscript = '#SBATCH --time=10'\nin_flight = 40\nrunning = 8\nretries = 3");
  EXPECT_EQ(slurm.kind, ExecutorSettings::Kind::slurm);
  EXPECT_EQ(slurm.script, "#SBATCH --time=10");
  EXPECT_EQ(slurm.in_flight, 40);
  EXPECT_EQ(slurm.running, 8);
  EXPECT_EQ(slurm.retries, 3);
  EXPECT_THAT(refusal("kind = 'pbs'"), HasSubstr("label.toml:1: kind"));
  EXPECT_THAT(refusal("kind = 'slurm'\ncores = 4"), HasSubstr("cores"));
  EXPECT_THAT(refusal("script = ''"), HasSubstr("script"));
  EXPECT_THAT(refusal("kind = 'slurm'\nin_flight = 0"), HasSubstr("label.toml:2: in_flight"));
  EXPECT_THAT(refusal("kind = 'slurm'\npoll_s = nan"), HasSubstr("poll_s"));
  EXPECT_THAT(refusal("cores = 2\ncores_per_job = 4"), HasSubstr("does not fit"));
  EXPECT_THAT(refusal("memory_GB = 8"), HasSubstr("memory_per_job_GB"));
  EXPECT_THAT(refusal("memory_GB = 8\nmemory_per_job_GB = 9"), HasSubstr("does not fit"));
}

TEST(ExecutorSettings, BudgetsBoundTheJobsAtOnce) {
  ExecutorSettings settings;
  EXPECT_EQ(local_slots(settings, 12, 1), 12U);
  settings.cores = 16;
  settings.cores_per_job = 3;
  EXPECT_EQ(local_slots(settings, 12, 1), 5U);
  EXPECT_EQ(local_slots(settings, 2, 1), 2U);
  settings.memory_per_job_GB = 6;
  EXPECT_EQ(local_slots(settings, 12, 25), 4U) << "what is free bounds where no budget is given";
  settings.memory_GB = 13;
  EXPECT_EQ(local_slots(settings, 12, 100), 2U);
  EXPECT_EQ(local_slots(settings, 12, 0.5), 2U);
  settings.memory_GB = 0;
  EXPECT_EQ(local_slots(settings, 12, 0.5), 1U) << "one job goes on alone";
}

TEST(LocalExecutor, RunsAtMostWhatTheBudgetAllows) {
  const testing::Scratch scratch("budget");
  // Each run notes when it begins and ends.
  const auto journal = scratch.path() / "journal";
  ExecutorSettings settings;
  settings.memory_GB = 0.02;
  settings.memory_per_job_GB = 0.01;
  const auto executor = open_executor(settings, 8, scratch.path());
  std::size_t waiting = 6;
  std::size_t ended = 0;
  while (ended < 6) {
    std::vector<Job> jobs;
    for (std::size_t room = std::min(waiting, executor->room(waiting)); room > 0; --room) {
      Job job;
      job.command.folder = scratch.path() / std::to_string(waiting--);
      std::filesystem::create_directory(job.command.folder);
      job.command.log = job.command.folder / "log";
      job.command.argv = {"bash", "-c", "echo + >> ../journal; sleep 0.1; echo - >> ../journal"};
      jobs.push_back(job);
    }
    executor->start(jobs);
    for (const Ended& end : executor->wait(std::chrono::milliseconds(50))) ended += end.outcome.success();
  }
  std::istringstream lines(read_file(journal));
  std::string line;
  int at_once = 0;
  int most = 0;
  while (std::getline(lines, line)) most = std::max(most, at_once += line == "+" ? 1 : -1);
  EXPECT_EQ(most, 2);
}

TEST(LocalExecutor, AJobWithoutResultIsTriedAgain) {
  const testing::Scratch scratch("retry");
  const testing::FakeCode code(scratch.path() / "journal");
  LabelOptions options;
  options.work = scratch.path() / "work";
  options.executor.retries = 2;
  std::vector<Failure> failures;
  Receiver receiver;
  receiver.accept = [](const Label&) { return std::nullopt; };
  receiver.fail = [&](const Failure& failure) { failures.push_back(failure); };
  const std::vector<Frame> frames{testing::fake_frame(1, "crash"), testing::fake_frame(2),
                                  testing::fake_frame(3, "unconverged")};
  const LabelSummary summary = label(code, {}, frames, options, receiver);
  EXPECT_EQ(summary.labelled, 1U);
  ASSERT_EQ(failures.size(), 2U);
  std::istringstream lines(read_file(scratch.path() / "journal"));
  std::multiset<std::string> runs;
  for (std::string line; std::getline(lines, line);) runs.insert(line);
  EXPECT_EQ(runs.count(label_key("fake", {}, frames[0])), 3U);
  EXPECT_EQ(runs.count(label_key("fake", {}, frames[1])), 1U);
  EXPECT_EQ(runs.count(label_key("fake", {}, frames[2])), 1U) << "an SCF that does not converge is a result";
  const bool first = failures[0].index == 0;
  EXPECT_EQ(failures[first ? 0 : 1].reason, "exit status 3 (the last of 3 tries)");
}

TEST(Slurm, AnswersAreRead) {
  const auto task = parse_slurm_task("12|3|RUNNING|solion-ab|None|node7");
  ASSERT_TRUE(task);
  EXPECT_EQ(task->job, "12");
  EXPECT_EQ(task->index, 3);
  EXPECT_EQ(task->state, "RUNNING");
  EXPECT_EQ(task->name, "solion-ab");
  EXPECT_EQ(task->node, "node7");
  EXPECT_TRUE(parse_slurm_task("12|3|PENDING|solion-ab|Resources|"));
  for (const char* bad : {"", "slurm_load_jobs error: no", "12|N/A|RUNNING|x|None|n", "12|3",
                          "|3|RUNNING|x|n|n", "12|3||x|None|n", "12|3x|RUNNING|x|None|n"})
    EXPECT_FALSE(parse_slurm_task(bad)) << bad;
  EXPECT_EQ(parse_sbatch("sbatch: warning: something 5\n4711\n"), "4711");
  EXPECT_EQ(parse_sbatch("4711;west\n"), "4711");
  EXPECT_EQ(parse_sbatch("sbatch: error: no\n"), "");
  for (const char* state : {"PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "CONFIGURING", "A_NEW_STATE"})
    EXPECT_TRUE(slurm_active(state)) << state;
  for (const char* state : {"TIMEOUT", "NODE_FAIL", "CANCELLED", "COMPLETED", "OUT_OF_MEMORY"})
    EXPECT_FALSE(slurm_active(state)) << state;
  EXPECT_TRUE(
      slurm_transient("Batch job submission failed: Unable to contact slurm controller (connect failure)"));
  EXPECT_TRUE(slurm_transient("Batch job submission failed: Socket timed out on send/recv operation"));
  EXPECT_FALSE(slurm_transient("Batch job submission failed: Invalid partition name specified"));
  EXPECT_TRUE(
      slurm_limit("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"));
  EXPECT_EQ(shell_quoted("a 'b' $c"), "'a '\\''b'\\'' $c'");
}

}  // namespace
}  // namespace solion::reference
