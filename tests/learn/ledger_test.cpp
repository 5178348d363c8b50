// The ledger runs a task once, remembers failures, and refuses what is no ledger.
#include "solion/learn/ledger.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"

namespace solion::learn {
namespace {

class LedgerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("solion_ledger_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "ledger.sqlite"; }
  std::filesystem::path folder_;
};

TEST_F(LedgerTest, FinishedTaskRunsOnceAcrossProcesses) {
  int runs = 0;
  const auto work = [&] {
    ++runs;
    return Json{{"D", 1.5}};
  };
  const Json inputs{{"T", 900}, {"structure", "type1"}};
  EXPECT_EQ(Ledger(file()).once("md", "type1 900 K", inputs, work)["D"], 1.5);
  EXPECT_EQ(Ledger(file()).once("md", "another name", inputs, work)["D"], 1.5);
  EXPECT_EQ(runs, 1);
  Ledger(file()).once("md", "type1 800 K", Json{{"T", 800}, {"structure", "type1"}}, work);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Ledger(file()).tasks().size(), 2U);
}

TEST_F(LedgerTest, FailureIsWrittenDownAndTriedAgain) {
  Ledger ledger(file());
  const Json inputs{{"x", 1}};
  EXPECT_THROW(
      ledger.once("label", "frame 1", inputs, []() -> Json { throw WorkError("SCF did not converge"); }),
      WorkError);
  EXPECT_EQ(ledger.find(Ledger::key_of("label", inputs))->outcome, "failed: SCF did not converge");
  ledger.once("label", "frame 1", inputs, [] { return Json{{"ok", true}}; });
  EXPECT_EQ(ledger.find(Ledger::key_of("label", inputs))->outcome, "done");
}

TEST_F(LedgerTest, InterruptedTaskIsNotFinished) {
  Ledger ledger(file());
  const Json inputs{{"x", 2}};
  EXPECT_THROW(ledger.once("md", "m", inputs, []() -> Json { throw Interrupted(); }), Interrupted);
  int runs = 0;
  ledger.once("md", "m", inputs, [&] { return Json{{"runs", ++runs}}; });
  EXPECT_EQ(runs, 1);
}

TEST_F(LedgerTest, BytesThatAreNoTextAreReplaced) {
  Ledger ledger(file());
  const Json inputs{{"x", 1}};
  ledger.once("label", "l", inputs, [] { return Json{{"log_tail", "fichier non trouv\xe9"}}; });
  EXPECT_EQ(ledger.find(Ledger::key_of("label", inputs))->outputs["log_tail"],
            "fichier non trouv\xEF\xBF\xBD");
}

TEST_F(LedgerTest, LookingWritesNothing) {
  write_file(file(), "");
  EXPECT_THROW((void)Ledger::read_only(file()), InputError);
  EXPECT_EQ(read_file(file()), "") << "an empty file became a ledger";
  std::filesystem::remove(file());
  EXPECT_THROW((void)Ledger::read_only(file()), WorkError);
  Ledger(file()).once("md", "m", Json{{"x", 1}}, [] { return Json{{"ok", true}}; });
  EXPECT_EQ(Ledger::read_only(file()).tasks().size(), 1U);
}

/// The files as a kill inside a commit leaves them: pages are written, and the journal knows the old ones.
TEST_F(LedgerTest, ACommitThatWasCutIsTakenBack) {
  {
    Ledger ledger(file());
    for (int i = 0; i < 100; ++i)
      ledger.once("md", "m", Json{{"x", i}}, [] { return Json{{"text", std::string(1000, 'a')}}; });
  }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA cache_size = 5; BEGIN; UPDATE task SET name = 'cut', outputs = '{}'",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  std::filesystem::copy(file(), folder_ / "cut.sqlite");
  std::filesystem::copy(file().string() + "-journal", folder_ / "cut.sqlite-journal");
  sqlite3_close(db);
  const auto tasks = Ledger::read_only(folder_ / "cut.sqlite").tasks();
  ASSERT_EQ(tasks.size(), 100U);
  for (const Task& task : tasks) EXPECT_EQ(task.name, "m");
}

TEST_F(LedgerTest, ForeignFileIsRefusedWithItsName) {
  write_file(file(), std::string(4096, 'x'));
  try {
    Ledger ledger(file());
    FAIL() << "a foreign file was accepted";
  } catch (const WorkError& error) {
    EXPECT_NE(std::string(error.what()).find("ledger.sqlite"), std::string::npos);
  }
}

}  // namespace
}  // namespace solion::learn
