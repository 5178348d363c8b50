// Sums, copies and common failures of several processes, played by threads; who a launcher started; dealing
// out.
#include "solion/ranks/ranks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>

#include "ranks/thread_ranks.hpp"
#include "solion/ranks/launch.hpp"

namespace solion::ranks {
namespace {

using ::testing::ElementsAre;
using testing::in_company;

TEST(Ranks, SumCollectAndSpreadDoWhatTheySay) {
  for (const int n : {1, 2, 3, 5}) {
    const auto problems = in_company(n, [&](Ranks& ranks) {
      std::vector<double> values{1.0 + ranks.rank(), 0.5};
      ranks.sum(values);
      EXPECT_THAT(values, ElementsAre(n * (n + 1) / 2, 0.5 * n));

      const std::vector<Part> parts{{0, 2, 0}, {2, 3, n - 1}, {3, 6, n / 2}};
      std::vector<float> numbers(6, static_cast<float>(1 + ranks.rank()));
      ranks.collect<float>(numbers, parts);
      for (const Part& part : parts) {
        if (part.owner != ranks.rank()) continue;
        for (std::size_t k = part.begin; k < part.end; ++k)
          EXPECT_EQ(numbers[k], static_cast<float>(0.5 * n * (n + 1)));
      }
      std::fill(numbers.begin(), numbers.end(), static_cast<float>(ranks.rank()));
      ranks.spread<float>(numbers, parts);
      const auto last = static_cast<float>(n - 1);
      const auto middle = static_cast<float>(parts.back().owner);
      EXPECT_THAT(numbers, ElementsAre(0, 0, last, middle, middle, middle));
    });
    for (const auto& problem : problems) EXPECT_FALSE(problem);
  }
}

TEST(Ranks, ExchangeThroughSharedMemoryWhereThereIsSome) {
  constexpr std::size_t n_values = 30'000;
  for (const bool shared : {false, true}) {
    for (const int n : {1, 2, 3}) {
      const std::vector<Part> parts{{0, 9'999, 0}, {9'999, 10'001, n - 1}, {10'001, n_values, n / 2}};
      const auto owner = [&](std::size_t k) { return parts[k < 9'999 ? 0 : k < 10'001 ? 1 : 2].owner; };
      const auto problems = in_company(
          n,
          [&](Ranks& ranks) {
            std::vector<double> values(n_values);
            for (int turn = 0; turn < 6; ++turn) {  // windows are used again
              const auto value = [&](std::size_t k, int rank) {
                return static_cast<double>((k + 1) * static_cast<std::size_t>(rank + 1 + turn));
              };
              for (std::size_t k = 0; k < n_values; ++k) values[k] = value(k, ranks.rank());
              ranks.collect<double>(values, parts);
              std::vector<double> total{1.0 + ranks.rank(), static_cast<double>(turn)};
              ranks.sum(total);
              EXPECT_THAT(total, ElementsAre(n * (n + 1) / 2, turn * n));
              std::size_t wrong = 0;
              for (std::size_t k = 0; k < n_values; ++k) {
                double sum = 0;
                for (int rank = 0; rank < n; ++rank) sum += value(k, rank);
                if (owner(k) == ranks.rank() && values[k] != sum) ++wrong;
              }
              for (std::size_t k = 0; k < n_values; ++k) values[k] = value(k, ranks.rank());
              ranks.spread<double>(values, parts);
              for (std::size_t k = 0; k < n_values; ++k)
                if (values[k] != value(k, owner(k))) ++wrong;
              EXPECT_EQ(wrong, 0U) << n << " " << shared;
            }
          },
          shared ? testing::any_memory : 0);
      for (const auto& problem : problems) EXPECT_FALSE(problem);
    }
  }
}

TEST(Ranks, WhatOneWroteIntoSharedMemoryTheOthersSeeWhenTheyHaveMet) {
  const auto problems = in_company(
      3,
      [](Ranks& ranks) {
        const auto me = static_cast<std::size_t>(ranks.rank());
        const std::vector<int*> memory = ranks.share<int>(10 + me);
        ASSERT_EQ(memory.size(), 3U);
        EXPECT_EQ(memory[me][9 + me], 0);
        memory[me][9 + me] = 7;
        ranks.meet();
        EXPECT_EQ(memory[0][9] + memory[1][10] + memory[2][11], 21);
      },
      testing::any_memory);
  for (const auto& problem : problems) EXPECT_FALSE(problem);
  in_company(2, [](Ranks& ranks) { EXPECT_TRUE(ranks.share<int>(10).empty()); });
}

std::string text_of(const std::exception_ptr& problem) {
  try {
    if (problem) std::rethrow_exception(problem);
  } catch (const Elsewhere&) {
    return "elsewhere";
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(Ranks, OfACommonFailureOneSpeaks) {
  const auto texts = [](auto body) {
    std::vector<std::string> list;
    for (const auto& problem :
         in_company(3, [&](Ranks& ranks) { ranks.together([&] { body(ranks.rank()); }); }))
      list.push_back(text_of(problem));
    return list;
  };
  EXPECT_THAT(texts([](int) {}), ElementsAre("none", "none", "none"));
  EXPECT_THAT(texts([](int) { throw InputError("wrong"); }), ElementsAre("wrong", "elsewhere", "elsewhere"));
  EXPECT_THAT(texts([](int rank) {
                if (rank == 1) throw InputError("no such file");
              }),
              ElementsAre("elsewhere", "no such file", "elsewhere"));
}

TEST(Ranks, DealsEvenlyAndAlways) {
  const std::vector<double> equal(7, 40.0);
  EXPECT_THAT(deal(equal, 3), ElementsAre(0, 1, 2, 0, 1, 2, 0));
  EXPECT_THAT(deal(equal, 1), ::testing::Each(0));
  EXPECT_THAT(deal(std::vector<double>{1, 5, 3, 3}, 2), ElementsAre(0, 0, 1, 1));
  EXPECT_TRUE(deal(std::vector<double>{}, 2).empty());
}

TEST(Launch, IsReadFromTheEnvironmentOfTheLauncher) {
  const auto in = [](std::map<std::string, std::string> environment) {
    return find_launch([&](const char* name) -> const char* {
      const auto found = environment.find(name);
      return found == environment.end() ? nullptr : found->second.c_str();
    });
  };
  EXPECT_EQ(in({}), (Launch{0, 1}));
  EXPECT_EQ(in({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}}), (Launch{2, 4}));
  EXPECT_EQ(in({{"PMI_RANK", "1"}, {"PMI_SIZE", "3"}}), (Launch{1, 3}));
  EXPECT_EQ(in({{"PMIX_RANK", "7"}, {"SLURM_STEP_NUM_TASKS", "8"}}), (Launch{7, 8}));
  // A batch script of Slurm that starts the program without srun.
  EXPECT_EQ(in({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}), (Launch{0, 1}));
  EXPECT_EQ(in({{"OMPI_COMM_WORLD_RANK", "x"}, {"OMPI_COMM_WORLD_SIZE", ""}}), (Launch{0, 1}));
}

TEST(Launch, CoresAreShared) {
  Ranks alone;
  const int cores = threads_each(alone);
  EXPECT_GE(cores, 1);
  in_company(3, [&](Ranks& ranks) { EXPECT_EQ(threads_each(ranks), std::max(1, cores / 3)); });
}

}  // namespace
}  // namespace solion::ranks
