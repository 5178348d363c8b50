// A training by several processes (played by threads) against the same training by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "ranks/thread_ranks.hpp"
#include "solion/base/files.hpp"
#include "solion/base/random.hpp"
#include "solion/train/checkpoint.hpp"
#include "solion/train/optimizer.hpp"
#include "train/trainer_fixture.hpp"

namespace solion::train {
namespace {

using ranks::testing::any_memory;
using ranks::testing::in_company;

class RanksTest : public TrainerTest {
 protected:
  void SetUp() override {
    TrainerTest::SetUp();
    input["training"]["training_data"]["batch_size"] = "mixed:4";  // frames of 6 and of 8 atoms
    input["training"]["numb_steps"] = 40;
    input["training"]["disp_freq"] = 10;
    input["training"]["save_freq"] = 10;
    input["training"]["refit_bias"] = true;
    input["training"]["gradient_max_norm"] = 50.0;
    input["training"]["validation_data"]["numb_btch"] = 3;
  }

  RunOptions in_double(const std::string& name) const {
    RunOptions run = options(name);
    run.precision = Precision::double_precision;
    return run;
  }
  /// Trains as n processes; the first exception.
  std::string train_as(int n, RunOptions run, std::size_t pieces_of_memory = 0) const {
    const Settings all = settings();
    std::string text;
    for (const auto& problem : in_company(
             n,
             [&](ranks::Ranks& ranks) {
               RunOptions mine = run;
               mine.ranks = &ranks;
               train(all, mine);
             },
             pieces_of_memory)) {
      try {
        if (problem) std::rethrow_exception(problem);
      } catch (const ranks::Elsewhere&) {
        continue;
      } catch (const std::exception& error) {
        text += error.what();
      }
    }
    return text;
  }
  /// The largest difference of two checkpoints' parameters and optimiser states, in the mean size of each
  /// array.
  static double difference(const RunOptions& a, const RunOptions& b) {
    const auto x = read_checkpoint<double>(a.folder / "model.ckpt");
    const auto y = read_checkpoint<double>(b.folder / "model.ckpt");
    EXPECT_EQ(x.step, y.step);
    EXPECT_EQ(x.positions, y.positions);
    EXPECT_EQ(x.validation_positions, y.validation_positions);
    EXPECT_EQ(x.optimizer.updates, y.optimizer.updates);
    const auto of_array = [](const nn::AlignedVector<double>& p, const nn::AlignedVector<double>& q) {
      EXPECT_EQ(p.size(), q.size());
      double size = 0, most = 0;
      for (std::size_t k = 0; k < p.size(); ++k) {
        size += std::abs(p[k]);
        most = std::max(most, std::abs(p[k] - q[k]));
      }
      return most * static_cast<double>(p.size()) / size;
    };
    double most = of_array(x.parameters, y.parameters);
    for (const std::size_t k : {0U, 1U})
      most = std::max(most, of_array(x.optimizer.arrays[k], y.optimizer.arrays[k]));
    return most;
  }
};

// In double precision the order of sums shows in the last digits; 40 steps at a rate of 0.01 amplify that.
TEST_F(RanksTest, GiveTheParametersOfOneProcess) {
  const RunOptions one = in_double("one");
  EXPECT_EQ(train(settings(), one).processes, 1);
  for (const int n : {2, 3, 4}) {
    // Messages; shared memory; shared memory that ends when the engine wants its second and its third piece.
    for (const std::size_t pieces : {std::size_t{0}, any_memory, std::size_t{1}, std::size_t{4}}) {
      const RunOptions many = in_double("many" + std::to_string(n) + std::to_string(pieces));
      ASSERT_EQ(train_as(n, many, pieces), "");
      EXPECT_TRUE(difference(one, many) <= 1e-8) << n << ": " << difference(one, many);
      EXPECT_EQ(read_file(one.folder / "lcurve.out"), read_file(many.folder / "lcurve.out"));
    }
  }
}

TEST_F(RanksTest, GoOnWithAnotherNumberOfProcesses) {
  const RunOptions one = in_double("one");
  train(settings(), one);
  RunOptions many = in_double("many");
  many.after_step = [](std::int64_t step) {
    if (step == 15) throw WorkError("killed");
  };
  EXPECT_NE(train_as(4, many), "");
  EXPECT_EQ(read_checkpoint_head(many.folder / "model.ckpt").step, 10);
  many.after_step = [](std::int64_t step) {
    if (step == 25) throw WorkError("killed");
  };
  EXPECT_NE(train_as(3, many), "");
  EXPECT_EQ(read_checkpoint_head(many.folder / "model.ckpt").step, 20);
  many.after_step = nullptr;
  EXPECT_EQ(train(settings(), many).first_step, 20);
  EXPECT_TRUE(difference(one, many) <= 1e-8) << difference(one, many);
}

TEST_F(RanksTest, TheSameNumberGivesTheSameBits) {
  input["optimizer"] = {{"type", "SOAP"}, {"refresh_every", 7}};
  for (const std::size_t pieces : {std::size_t{0}, any_memory}) {
    const RunOptions whole = options("whole" + std::to_string(pieces));
    ASSERT_EQ(train_as(2, whole, pieces), "");
    RunOptions broken = options("broken" + std::to_string(pieces));
    broken.after_step = [](std::int64_t step) {
      if (step == 33) throw WorkError("killed");
    };
    EXPECT_NE(train_as(2, broken, pieces), "");
    broken.after_step = nullptr;
    ASSERT_EQ(train_as(2, broken, pieces), "");
    EXPECT_TRUE(read_file(whole.folder / "model.ckpt") == read_file(broken.folder / "model.ckpt"));
  }
}

TEST_F(RanksTest, OneThatIsGoneEndsTheRunWithItsCheckpointNamed) {
  RunOptions run = options("run");
  const Settings all = settings();
  const auto problems = in_company(3, [&](ranks::Ranks& ranks) {
    RunOptions mine = run;
    mine.ranks = &ranks;
    if (ranks.rank() == 2) {
      mine.after_step = [](std::int64_t step) {
        if (step == 27) throw std::runtime_error("gone");
      };
    }
    train(all, mine);
  });
  try {
    std::rethrow_exception(problems[0]);
  } catch (const WorkError& error) {
    EXPECT_NE(
        std::string(error.what()).find("model.ckpt holds the state after step 20: the same command goes on"),
        std::string::npos)
        << error.what();
  }
  EXPECT_THROW(std::rethrow_exception(problems[1]), ranks::Elsewhere);
  EXPECT_EQ(read_checkpoint_head(run.folder / "model.ckpt").step, 20);
}

TEST_F(RanksTest, ABatchThatIsTooSmallIsRefusedOnce) {
  input["training"]["training_data"]["batch_size"] = {2, 3};
  const std::string text = train_as(4, options("few"));
  EXPECT_NE(text.find("batches of at most 3 frames cannot be shared by 4 processes"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("shared"), text.rfind("shared")) << text;
  EXPECT_FALSE(std::filesystem::exists(folder / "few/model.ckpt"));
  // 3 processes: one of them has nothing to do in every step with the first system.
  const RunOptions one = in_double("one");
  train(settings(), one);
  const RunOptions three = in_double("three");
  EXPECT_EQ(train_as(3, three), "");
  EXPECT_TRUE(difference(one, three) <= 1e-8) << difference(one, three);
}

TEST_F(RanksTest, WhatIsForOneProcessSaysSo) {
  input["training"]["enable_ema"] = true;
  EXPECT_NE(train_as(2, options("run")).find("training/enable_ema is for one process"), std::string::npos);
  input["training"].erase("enable_ema");
  input["optimizer"] = {{"type", "LKF"}};
  EXPECT_NE(train_as(2, options("run")).find("the optimizer LKF is for one process"), std::string::npos);
}

TEST_F(RanksTest, ADivergedRunSaysSoOnce) {
  for (const char* key : {"start_pref_e", "start_pref_f", "start_pref_v"}) input["loss"][key] = 1e308;
  const std::string text = train_as(2, options("run"));
  EXPECT_NE(text.find("the training has diverged"), std::string::npos) << text;
  EXPECT_EQ(text.find("diverged"), text.rfind("diverged")) << text;
}

/// Layers of 300 × 20 (a side that SOAP does not turn, and so in two slices), 20 × 20 and 20 × 1.
std::vector<nn::NetworkLayout> three_layers() {
  nn::LayerLayout wide{.n_in = 300, .n_out = 20, .w = 0, .b = 6000};
  nn::LayerLayout square{.n_in = 20, .n_out = 20, .w = 6020, .b = 6420, .idt = 6440};
  nn::LayerLayout last{.n_in = 20, .n_out = 1, .w = 6460, .b = 6480};
  return {{{wide, square, last}, 0, 6481}};
}

/// The owners together move the parameters as one process does, bit for bit, and have its state when
/// gathered.
TEST_F(RanksTest, OwnersMoveWhatOneProcessWould) {
  constexpr std::size_t n_parameters = 6481;
  const auto gradient_of = [](std::uint64_t step) {
    RandomStream random(step, "gradient");
    nn::AlignedVector<float> gradient(n_parameters);
    for (float& g : gradient) g = static_cast<float>(random.normal());
    return gradient;
  };
  for (const auto kind :
       {OptimizerSettings::Kind::adam, OptimizerSettings::Kind::soap, OptimizerSettings::Kind::muon}) {
    OptimizerSettings how;
    how.kind = kind;
    const auto move = [&](ranks::Ranks& ranks, nn::AlignedVector<float>& parameters) {
      Optimizer<float> optimizer(how, three_layers(), n_parameters);
      const std::vector<ranks::Part> parts = optimizer.share(ranks, {0});
      std::size_t at = 0;
      for (const ranks::Part& part : parts) {
        EXPECT_EQ(part.begin, at);
        at = part.end;
      }
      EXPECT_EQ(at, n_parameters);
      for (std::uint64_t step = 0; step < 25; ++step) {
        auto gradient = gradient_of(step);
        optimizer.update(0.01, parameters.data(), gradient.data(), {}, 1);
        ranks.spread<float>(parameters, parts);
      }
      optimizer.gather(ranks);
      return optimizer.state();
    };
    ranks::Ranks alone;
    nn::AlignedVector<float> expected(n_parameters);
    const OptimizerState<float> state = move(alone, expected);
    for (const int n : {2, 3, 7}) {
      for (const auto& problem : in_company(n, [&](ranks::Ranks& ranks) {
             nn::AlignedVector<float> parameters(n_parameters);
             const OptimizerState<float> mine = move(ranks, parameters);
             EXPECT_TRUE(parameters == expected);
             EXPECT_EQ(mine.updates, state.updates);
             EXPECT_TRUE(mine.arrays == state.arrays);
           })) {
        EXPECT_FALSE(problem);
      }
    }
  }
}

}  // namespace
}  // namespace solion::train
