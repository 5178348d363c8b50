// Trainings with other optimisers than Adam, and what is said of the model at the end of one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/sample.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dataset/system.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/train/accuracy.hpp"
#include "solion/train/kalman_step.hpp"
#include "solion/train/trainer.hpp"
#include "train/trainer_fixture.hpp"

namespace solion::train {
namespace {

namespace fs = std::filesystem;

struct Stop {};

TEST_F(TrainerTest, RestartWithOtherOptimizersGivesTheSameBits) {
  for (const Json& optimizer : {Json{{"type", "SOAP"}, {"refresh_every", 7}}, Json{{"type", "Muon"}},
                                Json{{"type", "LKF"}, {"kf_blocksize", 50}}}) {
    input["optimizer"] = optimizer;
    RunOptions whole = options("whole");
    whole.start = RunOptions::Start::fresh;
    train(settings(), whole);
    RunOptions broken = options("broken");
    broken.start = RunOptions::Start::fresh;
    broken.after_step = [](std::int64_t step) {
      if (step == 230) throw Stop{};
    };
    EXPECT_THROW(train(settings(), broken), Stop);
    broken.after_step = nullptr;
    broken.start = RunOptions::Start::automatic;
    broken.threads = 2;
    EXPECT_EQ(train(settings(), broken).first_step, 200);
    EXPECT_TRUE(read_file(whole.folder / "model.ckpt") == read_file(broken.folder / "model.ckpt"));
    EXPECT_TRUE(read_file(whole.folder / "lcurve.out") == read_file(broken.folder / "lcurve.out"));
  }
  RunOptions other = options("broken");
  input["optimizer"] = {{"type", "Adam"}};
  input["training"]["numb_steps"] = 310;
  other.start = RunOptions::Start::restart;
  EXPECT_NE(message_of(other).find("made with another optimizer"), std::string::npos) << message_of(other);
}

TEST_F(TrainerTest, TheKalmanFilterLearns) {
  input["optimizer"] = {{"type", "LKF"}};
  const RunSummary summary = train(settings(), options("run"));
  EXPECT_LT(summary.curve.back().rmse_f_val, 0.5 * summary.curve.front().rmse_f_val);
  EXPECT_LT(summary.curve.back().rmse_e_val, 0.5 * summary.curve.front().rmse_e_val);
  // It needs the labels that its own keys ask for.
  for (const char* name : {"system6", "system8"})
    std::filesystem::remove(folder / name / "set.000/force.npy");
  EXPECT_THAT(message_of(options("without")), ::testing::HasSubstr("(kf_start_pref_f, kf_limit_pref_f)"));
  input["optimizer"]["kf_start_pref_f"] = input["optimizer"]["kf_limit_pref_f"] = 0;
  input["training"]["numb_steps"] = 2;
  EXPECT_EQ(message_of(options("energies")), "no error");
}

TEST_F(TrainerTest, AKalmanFilterIsForOneProcessAndForTheMemoryThatThereIs) {
  input["optimizer"] = {{"type", "LKF"}};
  // A layer of 4 million weights in one block: 64 TB.
  input["optimizer"]["kf_blocksize"] = 2000000000;
  const nn::LayerLayout layer{.n_in = 2000, .n_out = 2000};
  const std::vector<nn::NetworkLayout> large{{{layer}, 0, 4000000}};
  const std::vector<nn::NetworkLayout> small{{{layer}, 0, 100}};
  EXPECT_NO_THROW(check_filter<float>(settings(), small, 1));
  EXPECT_THROW(check_filter<float>(settings(), small, 2), InputError);
  try {
    check_filter<float>(settings(), large, 1);
    FAIL() << "expected an InputError";
  } catch (const InputError& error) {
    EXPECT_NE(
        std::string(error.what()).find("kf_blocksize = 2000000000: the covariance of 4000000 parameters"),
        std::string::npos)
        << error.what();
  }
}

/// What is said at the end is true of the model in the file, biases and averages and all.
TEST_F(TrainerTest, SaysTheErrorsOfTheModelThatItWrote) {
  input["training"]["enable_ema"] = true;
  input["training"]["refit_bias"] = true;
  const RunSummary summary = train(settings(), options("run"));
  ASSERT_TRUE(summary.validation);
  EXPECT_EQ(summary.validation->n_frames, 8U);
  const dp::DeepPotential potential(folder / "run/model.dp");
  Accuracy accuracy;
  for (const auto& c : compare(potential, dataset::load_system(folder / "system8").frames, 1))
    accuracy.add(c);
  EXPECT_NEAR(summary.validation->force, accuracy.force.rmse(), 1e-4 * accuracy.force.rmse());
  EXPECT_NEAR(summary.validation->energy, accuracy.energy_per_atom.rmse(), 1e-5);
  EXPECT_FALSE(train(settings(), options("run")).validation) << "nothing was trained";
}

/// The model gets the average of all steps, the training goes on from the last one, and a restart has both.
TEST_F(TrainerTest, AnAverageOfTheStepsGoesIntoTheModel) {
  input["learning_rate"] = {{"type", "exp"}, {"start_lr", 0.01}, {"stop_lr", 0.01}};
  const RunOptions plain = options("plain"), whole = options("whole");
  train(settings(), plain);
  input["training"]["enable_ema"] = true;
  input["training"]["ema_decay"] = 0.98;
  train(settings(), whole);
  EXPECT_TRUE(read_file(plain.folder / "lcurve.out") == read_file(whole.folder / "lcurve.out"));
  const auto error = [&](const fs::path& model) {
    const dp::DeepPotential potential(model);
    Accuracy accuracy;
    for (const char* name : {"system6", "system8"})
      for (const auto& c : compare(potential, dataset::load_system(folder / name).frames, 1)) accuracy.add(c);
    return accuracy.force.rmse();
  };
  EXPECT_LT(error(whole.folder / "model.dp"), 0.95 * error(plain.folder / "model.dp"));
  RunOptions broken = options("broken");
  broken.after_step = [](std::int64_t step) {
    if (step == 230) throw Stop{};
  };
  EXPECT_THROW(train(settings(), broken), Stop);
  broken.after_step = nullptr;
  train(settings(), broken);
  EXPECT_TRUE(read_file(whole.folder / "model.ckpt") == read_file(broken.folder / "model.ckpt"));
  EXPECT_TRUE(read_file(whole.folder / "model.dp") == read_file(broken.folder / "model.dp"));
}

TEST(RunSummary, SaysThatErrorsGrew) {
  const auto said = [](double before, double after, bool forces) {
    const io::LogCapture log;
    CurvePoint first{.step = 1}, last{.step = 50};
    first.rmse_f_trn = first.rmse_e_trn = before;
    last.rmse_f_trn = last.rmse_e_trn = after;
    warn_of_growth({first, last}, forces, "model 0");
    return log.text();
  };
  EXPECT_THAT(said(0.5, 1.5, true),
              ::testing::HasSubstr("model 0: the force error of a batch was 0.5 eV/Å at step 1 and is 1.5"));
  EXPECT_THAT(said(0.5, 1.5, false), ::testing::HasSubstr("the energy error"));
  EXPECT_EQ(said(0.5, 0.9, true), "");
}

}  // namespace
}  // namespace solion::train
