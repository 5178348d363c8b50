// The labelling flow with a shell script as the code: failures stay aside, kills lose nothing.
#include "solion/reference/label.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "fake_code.hpp"
#include "solion/base/constants.hpp"
#include "solion/reference/stress_check.hpp"

namespace solion::reference {
namespace {

namespace fs = std::filesystem;
using testing::fake_frame;
using testing::FakeCode;
using ::testing::HasSubstr;
using testing::Scratch;

struct Collected {
  std::vector<Label> labels;
  std::map<std::size_t, Failure> failures;
  Receiver receiver() {
    Receiver receiver;
    receiver.accept = [this](const Label& label) -> std::optional<std::string> {
      labels.push_back(label);
      return std::nullopt;
    };
    receiver.fail = [this](const Failure& failure) { failures[failure.index] = failure; };
    return receiver;
  }
};

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  if (!fs::exists(file)) return lines;
  std::istringstream stream(read_file(file));
  std::string line;
  while (std::getline(stream, line)) lines.push_back(line);
  return lines;
}

class LabelTest : public ::testing::Test {
 protected:
  LabelTest() { options_.work = scratch_.path() / "work"; }
  Scratch scratch_{::testing::UnitTest::GetInstance()->current_test_info()->name()};
  fs::path journal_ = scratch_.path() / "journal";
  FakeCode code_{journal_};
  Settings settings_;
  LabelOptions options_;
  Collected collected_;
};

TEST_F(LabelTest, FailuresAreSetAsideWithTheirReasonAndNeverStopTheRest) {
  const std::vector<std::pair<std::string, std::string>> kinds{
      {"garbage", "not valid JSON"}, {"half", "not valid JSON"}, {"nothing", "result.json"},
      {"hang", "no end within"},     {"killed", "signal 9"},     {"unconverged", "did not converge"},
      {"stops", "did not converge"}, {"crash", "exit status 3"}};
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    frames.push_back(fake_frame(2 * i, kinds[i].first));
    frames.push_back(fake_frame(2 * i + 1));
  }
  options_.jobs = 3;
  options_.time_limit_s = 1.5;
  LabelSummary summary = label(code_, settings_, frames, options_, collected_.receiver());
  EXPECT_EQ(summary.labelled, kinds.size());
  EXPECT_EQ(summary.failed, kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    ASSERT_TRUE(collected_.failures.contains(2 * i)) << kinds[i].first;
    EXPECT_THAT(collected_.failures[2 * i].reason, HasSubstr(kinds[i].second));
  }
  EXPECT_EQ(collected_.failures[14].log_tail, "some output\nsegmentation something");

  // Again: everything is known, nothing runs.
  const std::size_t started = lines_of(journal_).size();
  EXPECT_EQ(started, frames.size());
  Collected again;
  summary = label(code_, settings_, frames, options_, again.receiver());
  EXPECT_EQ(summary.resumed, kinds.size());
  EXPECT_EQ(summary.failed, kinds.size());
  EXPECT_EQ(lines_of(journal_).size(), started);
  // Retrying runs those that gave no result; an unconverged SCF is a result.
  options_.retry_failed = true;
  label(code_, settings_, frames, options_, again.receiver());
  EXPECT_EQ(lines_of(journal_).size(), started + kinds.size() - 2);
}

TEST_F(LabelTest, TheAuditKnowsTheLabelsOfEarlierCalls) {
  const std::vector<Frame> frames{fake_frame(1)};  // -3.5 eV
  for (int i = 0; i < 6; ++i) {
    options_.known.push_back(fake_frame(10 + static_cast<std::size_t>(i)));
    options_.known.back().labels.energy_eV = -9.5 + 0.001 * i;
  }
  LabelSummary summary = label(code_, settings_, frames, options_, collected_.receiver());
  EXPECT_EQ(summary.failed, 1U);
  EXPECT_THAT(collected_.failures[0].reason, HasSubstr("away from the median of 6 labels"));
  EXPECT_TRUE(collected_.failures[0].judged);
  for (Frame& frame : options_.known) *frame.labels.energy_eV += 6;
  summary = label(code_, settings_, frames, options_, collected_.receiver());
  EXPECT_EQ(summary.resumed, 1U);
}

TEST_F(LabelTest, AFailureSaysWhetherItIsTheFirst) {
  const std::vector<Frame> frames{fake_frame(1, "crash")};
  label(code_, settings_, frames, options_, collected_.receiver());
  EXPECT_FALSE(collected_.failures[0].again || collected_.failures[0].judged);
  options_.retry_failed = true;
  Collected second;
  label(code_, settings_, frames, options_, second.receiver());
  EXPECT_TRUE(second.failures[0].again);
}

TEST_F(LabelTest, LabelsCarryTheCorrectedVirial) {
  options_.pressure_correction_GPa = 1.6;
  options_.virial_correction_eV = {{"Li", 0.25}};
  options_.shear_correction_eV = Vec3(0.001, 0.002, 0.003);
  const std::vector<Frame> frames{fake_frame(1), fake_frame(1)};
  const LabelSummary summary = label(code_, settings_, frames, options_, collected_.receiver());
  EXPECT_EQ(summary.repeated, 1U);
  ASSERT_EQ(collected_.labels.size(), 1U);
  const Label& label = collected_.labels[0];
  const double expected = -0.01 * 64 + 1.6 / constants::eV_per_A3_in_GPa * 64 + 0.5;
  Mat3 virial = Mat3::Identity() * expected;
  const auto n = static_cast<double>(label.frame.n_atoms());
  virial(1, 2) = virial(2, 1) = 0.001 * n;
  virial(0, 2) = virial(2, 0) = 0.002 * n;
  virial(0, 1) = virial(1, 0) = 0.003 * n;
  EXPECT_NEAR((*label.frame.labels.virial_eV - virial).norm(), 0.0, 1e-12);
  EXPECT_EQ(provenance(label, code_)["shear_correction_eV"], Json({0.001, 0.002, 0.003}));
  EXPECT_NEAR(label.pressure_correction_GPa, 1.6 + 0.5 / 64 * constants::eV_per_A3_in_GPa, 1e-12);
  EXPECT_NEAR((*label.raw.stress_eV_per_A3)(0, 0), 0.01, 1e-15);
}

TEST_F(LabelTest, ACodeThatDoesNotSayItsTimeIsTimed) {
  const std::vector<Frame> frames{fake_frame(1, "untimed"), fake_frame(2)};
  (void)label(code_, settings_, frames, options_, collected_.receiver());
  ASSERT_EQ(collected_.labels.size(), 2U);
  for (const Label& one : collected_.labels) {
    const double least = one.index == 0 ? 0.1 : 0;  // the second says 0.1
    EXPECT_GE(one.raw.wall_s, least);
    EXPECT_LT(one.raw.wall_s, one.index == 0 ? 60 : 0.11);
  }
}

TEST_F(LabelTest, TheKeyHangsOnWhatDecidesTheNumbers) {
  const Frame frame = fake_frame(1);
  const std::string key = label_key("fake", settings_, frame);
  EXPECT_EQ(key.size(), 32U);
  Frame moved = frame;
  moved.positions[1][2] += 1e-10;
  EXPECT_EQ(label_key("fake", settings_, moved), key);
  moved.positions[1][2] += 1e-7;
  EXPECT_NE(label_key("fake", settings_, moved), key);
  Settings other = settings_;
  other.program = "elsewhere";
  EXPECT_EQ(label_key("fake", other, frame), key);
  other.template_text = "other";
  EXPECT_NE(label_key("fake", other, frame), key);
  other = settings_;
  other.kpoints.points = {Vec3(0.25, 0.25, 0.25)};
  EXPECT_NE(label_key("fake", other, frame), key);
  EXPECT_NE(label_key("gpaw", settings_, frame), key);
}

TEST_F(LabelTest, AReceiverMayRefuse) {
  Receiver receiver = collected_.receiver();
  receiver.refuse = [](const Frame& frame, const std::string&) -> std::optional<std::string> {
    if (frame.positions[0][0] < 0.05) return "too far left";
    return std::nullopt;
  };
  std::vector<Frame> frames{fake_frame(1), fake_frame(2)};
  frames[0].positions[0][0] = 0.01;
  frames[1].positions[0][0] = 0.09;
  const LabelSummary summary = label(code_, settings_, frames, options_, receiver);
  EXPECT_EQ(summary.labelled, 1U);
  EXPECT_EQ(collected_.failures[0].reason, "too far left");
  EXPECT_EQ(lines_of(journal_).size(), 1U);
}

TEST_F(LabelTest, CellsThatTheKPointsAreNotForAreSetAsideUncomputed) {
  std::vector<Frame> frames{fake_frame(1), fake_frame(2)};
  label(code_, settings_, frames, options_, collected_.receiver());
  ASSERT_EQ(collected_.labels.size(), 2U);
  // Judged anew, results that are there too.
  frames[1].cell = Cell::cubic(5.0);
  settings_.kpoints.widths_A = {3.0, 4.5};
  frames.push_back(fake_frame(3));
  label(code_, settings_, frames, options_, collected_.receiver());
  ASSERT_EQ(collected_.failures.size(), 1U);
  EXPECT_THAT(collected_.failures[1].reason, HasSubstr("5.00, 5.00 and 5.00 Å apart"));
  EXPECT_TRUE(collected_.failures[1].judged);
  EXPECT_EQ(lines_of(journal_).size(), 3U);
}

/// Runs label() in a child that ends with status 0; returns its process id.
pid_t label_elsewhere(const Calculator& code, const std::vector<Frame>& frames, const LabelOptions& options) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  Collected collected;
  label(code, {}, frames, options, collected.receiver());
  ::_exit(collected.labels.size() == frames.size() ? 0 : 1);
}

TEST_F(LabelTest, TheStressCheckCompressesCellsBeyondTheLimitsOfLabels) {
  settings_.kpoints.points = {Vec3(0, 0, 0)};
  settings_.kpoints.widths_A = {3.9, 4.5};  // 0.945 · 4 Å is less
  options_.audit.stress_GPa = 0.1;
  options_.audit.force_eV_per_A = 0.01;
  options_.audit.energy_needs = 1;
  const std::vector<Frame> frames{fake_frame(1)};
  EXPECT_NO_THROW((void)check_stress(code_, settings_, frames, options_));
}

TEST_F(LabelTest, TwoProcessesShareTheWork) {
  std::vector<Frame> frames;
  for (std::uint64_t i = 0; i < 16; ++i) frames.push_back(fake_frame(i, "slow"));
  options_.jobs = 2;
  const pid_t first = label_elsewhere(code_, frames, options_);
  const pid_t second = label_elsewhere(code_, frames, options_);
  for (const pid_t child : {first, second}) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << "each of them ends with all labels";
  }
  const auto started = lines_of(journal_);
  EXPECT_EQ(started.size(), frames.size());
  EXPECT_EQ(std::set(started.begin(), started.end()).size(), frames.size());
}

TEST_F(LabelTest, KillsLoseOnlyWhatIsInFlight) {
  std::vector<Frame> frames;
  for (std::uint64_t i = 0; i < 12; ++i) frames.push_back(fake_frame(i, "slow"));
  options_.jobs = 2;
  constexpr std::size_t kills = 4;
  RandomStream random(5, "kill");
  for (std::size_t k = 0; k < kills; ++k) {
    const pid_t child = label_elsewhere(code_, frames, options_);
    ::usleep(static_cast<useconds_t>(150000 + 250000 * random.uniform()));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  const LabelSummary summary = label(code_, settings_, frames, options_, collected_.receiver());
  EXPECT_EQ(collected_.labels.size(), frames.size());
  EXPECT_EQ(summary.failed, 0U);
  // Each kill costs at most the two frames that ran.
  EXPECT_LE(lines_of(journal_).size(), frames.size() + 2 * kills);
  std::map<std::string, int> starts;
  for (const std::string& key : lines_of(journal_)) ++starts[key];
  EXPECT_EQ(starts.size(), frames.size());
  const std::size_t before = lines_of(journal_).size();
  Collected again;
  EXPECT_EQ(label(code_, settings_, frames, options_, again.receiver()).resumed, frames.size());
  EXPECT_EQ(lines_of(journal_).size(), before);
}

}  // namespace
}  // namespace solion::reference
