// Files that are whole or not there; loops over threads; hashes.
#include "solion/base/files.hpp"

#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/threads.hpp"

namespace solion {
namespace {

/// An empty folder of its own for each test.
class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("solion_files_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
};

TEST_F(Files, WithoutCommitTheTargetStays) {
  const auto path = folder_ / "data";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.stream() << "half of the n";
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(entries(), 1U) << "the temporary is gone";
  try {
    AtomicFile file(path);
    file.stream() << "more";
    throw std::runtime_error("the work failed");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, CommitReplacesTheWhole) {
  const auto path = folder_ / "data";
  write_file(path, "a long old content");
  AtomicFile file(path);
  file.stream() << "new";
  EXPECT_EQ(read_file(path), "a long old content");
  file.commit();
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, ErrorsNameThePath) {
  EXPECT_THROW(AtomicFile(folder_ / "no" / "folder"), WorkError);
  EXPECT_THROW(read_file(folder_ / "missing"), InputError);
  EXPECT_THROW(read_file(folder_), InputError);
  EXPECT_THROW(append_line(folder_ / "no" / "ledger", "x"), WorkError);
}

TEST_F(Files, AFullDiskIsWorkThatFailed) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  AtomicFile file(folder_ / "data");
  // The temporary becomes a device that is always full.
  std::filesystem::remove(file.temporary());
  file.stream().close();
  std::filesystem::create_symlink("/dev/full", file.temporary());
  file.stream().open(file.temporary());
  file.stream() << std::string(100000, 'x');
  EXPECT_THROW(file.commit(), WorkError);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "data"));
}

TEST_F(Files, AppendedLinesFollowEachOther) {
  append_line(folder_ / "ledger", "one");
  append_line(folder_ / "ledger", "two");
  EXPECT_EQ(read_file(folder_ / "ledger"), "one\ntwo\n");
}

TEST(Hash, IsSha256) {
  // FIPS 180-4 example and the empty message.
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Threads, RangesCoverEverythingOnce) {
  for (const int threads : {1, 2, 3, 7, 64}) {
    for (const std::size_t n : {0UL, 1UL, 5UL, 64UL, 1000UL}) {
      std::vector<std::atomic<int>> visits(n);
      std::mutex lock;
      std::vector<int> numbers;
      parallel_for(n, threads, [&](std::size_t begin, std::size_t end, int thread) {
        for (std::size_t i = begin; i < end; ++i) ++visits[i];
        const std::lock_guard guard(lock);
        numbers.push_back(thread);
      });
      EXPECT_TRUE(std::all_of(visits.begin(), visits.end(), [](const auto& v) { return v == 1; }));
      for (const int t : numbers) EXPECT_TRUE(t >= 0 && t < threads);
      std::sort(numbers.begin(), numbers.end());
      EXPECT_EQ(std::adjacent_find(numbers.begin(), numbers.end()), numbers.end())
          << "each range has its thread";

      std::vector<std::atomic<int>> items(n);
      parallel_dynamic(n, threads, [&](std::size_t item, int) { ++items[item]; });
      EXPECT_TRUE(std::all_of(items.begin(), items.end(), [](const auto& v) { return v == 1; }));
    }
  }
}

TEST(Threads, ExceptionsComeOut) {
  for (const int threads : {1, 4}) {
    EXPECT_THROW(parallel_for(100, threads,
                              [](std::size_t begin, std::size_t, int) {
                                if (begin == 0) throw InputError("bad item");
                              }),
                 InputError);
    EXPECT_THROW(parallel_dynamic(100, threads,
                                  [](std::size_t item, int) {
                                    if (item == 57) throw WorkError("bad item");
                                  }),
                 WorkError);
  }
}

}  // namespace
}  // namespace solion
