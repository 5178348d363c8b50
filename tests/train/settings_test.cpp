// The training input: defaults, DeePMD-kit's stock example, the schedule, and refusals that name the key.
#include "solion/train/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/train/sampler.hpp"

namespace solion::train {
namespace {

Json small_input() {
  return Json::parse(R"({
    "model": {"type_map": ["O", "H"], "_comment": "x",
              "descriptor": {"type": "se_e2_a", "rcut": 4.0, "sel": "auto:1.2", "neuron": [4, 8], "axis_neuron": 2},
              "fitting_net": {"neuron": [10, 10]}},
    "learning_rate": {"type": "exp", "start_lr": 0.001, "stop_lr": 1e-6, "decay_steps": 10},
    "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1},
    "training": {"training_data": {"systems": ["data"], "batch_size": "auto:64"}, "numb_steps": 100}})");
}

std::string message_of(const Json& input) {
  try {
    parse_settings(input, "folder/input.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Settings, ReadsValuesAndDefaults) {
  const Settings s = parse_settings(small_input(), "folder/input.json");
  EXPECT_EQ(s.model.type_map, (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(s.model.sel_factor, 1.2);
  EXPECT_TRUE(s.model.sel.empty());
  EXPECT_FALSE(s.model.type_one_side);
  EXPECT_TRUE(s.model.fitting_resnet_dt);
  EXPECT_EQ(s.model.precision(), Precision::double_precision);
  EXPECT_EQ(s.training.systems.front(), std::filesystem::path("folder/data"));
  EXPECT_EQ(s.training.batch.kind, BatchRule::Kind::automatic);
  EXPECT_EQ(s.training.batch.number, 64);
  EXPECT_EQ(s.checkpoint, "model.ckpt");
  EXPECT_FALSE(s.loss.wants_virial());
}

TEST(Settings, ReadsTheStockExample) {
  const std::filesystem::path file =
      std::filesystem::path(SOLION_SHARED_DIR) / "reference/deepmd/water/input.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "needs " << file;
  const Settings s = read_settings(file);
  EXPECT_EQ(s.model.sel, (std::vector<int>{46, 92}));
  EXPECT_EQ(s.steps, 1000000);
  EXPECT_EQ(s.validation->batches, 3);
  EXPECT_EQ(s.training.systems.size(), 3U);
}

TEST(Settings, NamesTheKeyThatItRefuses) {
  struct Case {
    const char* pointer;
    Json value;
    const char* expected;
  };
  for (const Case& c :
       {Case{"/model/descriptor/neurons", 1, "model/descriptor/neurons: unknown key"},
        Case{"/loss/start_pref_ae", 1, "loss/start_pref_ae = 1: is not supported"},
        Case{"/loss/start_pref_pf", 0.5, "loss/start_pref_pf"},
        Case{"/model/descriptor/type", "se_e3", "model/descriptor/type"},
        Case{"/model/descriptor/axis_neuron", 9, "model/descriptor/axis_neuron = 9: must be 1…8"},
        Case{"/model/descriptor/sel", Json::array({3}), "model/descriptor/sel"},
        Case{"/model/descriptor/sel", "auto:x", "model/descriptor/sel"},
        Case{"/model/descriptor/precision", "float16", "float16"},
        Case{"/model/descriptor/env_protection", -1, "env_protection = -1: must not be negative"},
        Case{
            "/model/type_map", {"O", "H", "O"}, "model/type_map = [\"O\",\"H\",\"O\"]: type map: 'O' stands"},
        Case{"/learning_rate/warmup_steps", -1, "warmup_steps = -1: must be at least 0 and shorter"},
        Case{"/learning_rate/warmup_start_factor", -1, "warmup_start_factor = -1: must not be negative"},
        Case{"/learning_rate", {{"stop_lr_ratio", 2}}, "learning_rate/stop_lr_ratio = 2: must be in [0, 1]"},
        Case{"/model/fitting_net/activation_function", "tanhh", "tanhh"},
        Case{"/model/fitting_net/numb_fparam", 2, "numb_fparam"},
        Case{"/learning_rate/type", "linear",
             "learning_rate/type = \"linear\": must be one of exp, cosine, wsd"},
        Case{"/learning_rate/start_lr", -1, "learning_rate/start_lr"},
        Case{"/training/training_data/batch_size", 0, "training/training_data/batch_size"},
        Case{"/training/numb_steps", 1.5, "training/numb_steps = 1.5: must be an integer"},
        Case{"/training/numb_steps", 3e9, "must be between -2000000000 and 2000000000"},
        Case{"/training/seed", -3, "training/seed = -3: must be a whole number of at least 0"},
        Case{"/model/fitting_net/atom_ener", Json::array({nullptr, -3.5}), "model/fitting_net/atom_ener"},
        Case{"/training/disp_freq", "often", "training/disp_freq"},
        Case{"/model/spin", 1, "model/spin: unknown key"},
        Case{"/training/training_data/auto_prob", "prob", "auto_prob"},
        Case{"/training/training_data/auto_prob", "prob_sys_size;0:1:0.5;2:3:0.5", "follow one another"},
        Case{"/training/training_data/auto_prob", "prob_sys_size;0:1:x", "auto_prob"},
        Case{"/model/descriptor/sel", Json::array({0, 4}),
             "must have one number ≥ 1 for each of the 2 types"},
        Case{"/training/num_epochs", 10,
             "training/num_epochs = 10: is not supported; give the number of steps"},
        Case{"/training/save_dir", "elsewhere", "training/save_dir"},
        Case{"/validating", {{"full_validation", true}}, "validating/full_validation = true"},
        Case{"/learning_rate/warmup_ratio", 2,
             "learning_rate/warmup_ratio = 2: must be at least 0 and shorter"},
        Case{"/optimizer/type", "AdamW", "optimizer/type = \"AdamW\": must be one of Adam, SOAP, Muon, LKF"},
        Case{"/optimizer", {{"type", "LKF"}, {"kf_blocksize", 0}}, "optimizer/kf_blocksize = 0"},
        Case{"/optimizer", {{"type", "Muon"}, {"beta1", 0.9}}, "optimizer/beta1: unknown key"},
        Case{"/training/opt_type", "SGD", "training/opt_type"},
        Case{"/optimizer", {{"type", "HybridMuon"}}, "the nearest here is {\"type\": \"Muon\"}"},
        Case{"/optimizer",
             {{"type", "LKF"}, {"kf_start_pref_e", 0}, {"kf_start_pref_f", 0}},
             "nothing to train"},
        Case{"/training/kf_blocksize", 100, "training/kf_blocksize: unknown key"},
        Case{"/training/ema_decay", 1, "training/ema_decay = 1: must be between 0 and 1"}}) {
    Json input = small_input();
    input[Json::json_pointer(c.pointer)] = c.value;
    const std::string message = message_of(input);
    EXPECT_NE(message.find(c.expected), std::string::npos) << c.pointer << ": " << message;
    EXPECT_NE(message.find("folder/input.json"), std::string::npos) << message;
  }
}

TEST(Settings, WhatDpGenAndDeepmdKitWriteByThemselves) {
  Json input = small_input();
  for (const char* where : {"/training/seed", "/model/descriptor/seed", "/model/fitting_net/seed"})
    input[Json::json_pointer(where)] = 4294967295U;  // DP-GEN draws them below 2^32
  for (const char* where : {"/model/fitting_net/rcond", "/learning_rate/decay_rate",
                            "/learning_rate/warmup_ratio", "/model/fitting_net/default_fparam"})
    input[Json::json_pointer(where)] = nullptr;  // not used, in a normalised input
  input["model"]["fitting_net"]["atom_ener"] = Json::array();
  input["model"]["srtab_add_bias"] = true;
  input["model"]["info"] = Json::object();
  input["learning_rate"]["warmup_steps"] = 0;
  input["learning_rate"]["warmup_ratio"] = 0.1;
  input["training"]["ema_decay"] = 0.999;
  input["training"]["stat_file"] = "stat.hdf5";
  input["validating"] = {{"full_validation", false}, {"validation_freq", 5000}};
  const Settings settings = parse_settings(input, "f");
  EXPECT_EQ(settings.seed, 4294967295U);
  EXPECT_EQ(settings.model.embedding_seed, 4294967295U);
  EXPECT_EQ(settings.model.fitting_seed, 4294967295U);
}

TEST(Settings, LearningRateFallsInStairsFromStartToStop) {
  const LearningRate rate = parse_settings(small_input(), "f").learning_rate;
  EXPECT_DOUBLE_EQ(rate.at(0), 1e-3);
  EXPECT_DOUBLE_EQ(rate.at(9), 1e-3);
  // Ten stairs of ten steps from 1e-3 to 1e-6: the factor is 1000^(-1/10).
  EXPECT_NEAR(rate.at(10), 1e-3 * std::pow(1e-3, 0.1), 1e-15);
  EXPECT_NEAR(rate.at(99), 1e-3 * std::pow(1e-3, 0.9), 1e-15);
  EXPECT_NEAR(rate.at(100), 1e-6, 1e-18);
  EXPECT_DOUBLE_EQ(rate.at(1000), 1e-6);
}

TEST(Settings, OtherSchedulesFollowTheirFormulas) {
  Json input = small_input();
  input["learning_rate"] = {{"type", "cosine"}, {"start_lr", 1e-2}, {"stop_lr", 1e-4}, {"warmup_steps", 20}};
  const LearningRate cosine = parse_settings(input, "f").learning_rate;
  EXPECT_DOUBLE_EQ(cosine.at(10), 0.5e-2);  // half of the warm-up from 0
  EXPECT_DOUBLE_EQ(cosine.at(20), 1e-2);
  EXPECT_NEAR(cosine.at(60), 0.5 * (1e-2 + 1e-4), 1e-15);
  EXPECT_NEAR(cosine.at(100), 1e-4, 1e-15);

  input["learning_rate"] = {
      {"type", "wsd"}, {"start_lr", 1e-2}, {"stop_lr", 1e-4}, {"decay_phase_ratio", 0.4}};
  const LearningRate wsd = parse_settings(input, "f").learning_rate;
  EXPECT_DOUBLE_EQ(wsd.at(60), 1e-2);
  EXPECT_NEAR(wsd.at(80), 2 / (1 / 1e-4 + 1 / 1e-2), 1e-15);  // inverse linear: the mean of 1/lr
  EXPECT_NEAR(wsd.at(100), 1e-4, 1e-15);
  input["learning_rate"]["warmup_steps"] = 20;  // the last ⌊0.4·100⌋ steps of the run all the same
  EXPECT_DOUBLE_EQ(parse_settings(input, "f").learning_rate.at(60), 1e-2);
  EXPECT_NEAR(parse_settings(input, "f").learning_rate.at(80), 2 / (1 / 1e-4 + 1 / 1e-2), 1e-15);
  input["learning_rate"].erase("warmup_steps");
  input["learning_rate"]["decay_type"] = "linear";
  EXPECT_NEAR(parse_settings(input, "f").learning_rate.at(70), 1e-2 - 0.25 * (1e-2 - 1e-4), 1e-15);
  input["learning_rate"]["decay_type"] = "cosine";
  EXPECT_NEAR(parse_settings(input, "f").learning_rate.at(80), 0.5 * (1e-2 + 1e-4), 1e-15);
}

TEST(Settings, AnInputWithoutScheduleAndOptimizerGetsTheOwnRecipe) {
  Json input = small_input();
  EXPECT_EQ(parse_settings(input, "f").optimizer.kind, OptimizerSettings::Kind::adam);
  input.erase("learning_rate");
  const Settings own = parse_settings(input, "f");
  EXPECT_EQ(own.optimizer.kind, OptimizerSettings::Kind::soap);
  EXPECT_EQ(own.learning_rate.kind, LearningRate::Kind::wsd);
  EXPECT_EQ(own.learning_rate.warmup_steps, 10);
  EXPECT_DOUBLE_EQ(own.learning_rate.at(40), 1e-2);
  input["training"]["numb_steps"] = 50.0;  // as 5e1 in a file
  EXPECT_EQ(parse_settings(input, "f").learning_rate.warmup_steps, 5);
  input["optimizer"] = {{"type", "Adam"}};
  EXPECT_EQ(parse_settings(input, "f").learning_rate.kind, LearningRate::Kind::exponential);
}

TEST(Settings, TheOptimizerHasTwoPlaces) {
  Json input = small_input();
  input.erase("learning_rate");
  input["training"]["opt_type"] = "LKF";
  input["training"]["kf_blocksize"] = 300;
  input["training"]["kf_start_pref_f"] = 10;
  const OptimizerSettings old = parse_settings(input, "f").optimizer;
  EXPECT_EQ(old.kind, OptimizerSettings::Kind::kalman);
  EXPECT_EQ(old.kalman.filter.block, 300);
  EXPECT_EQ(old.kalman.start.force, 10);
  EXPECT_EQ(old.kalman.limit.force, 1);
  input["optimizer"] = {{"type", "LKF"}};
  EXPECT_NE(message_of(input).find("training/opt_type both name an optimiser"), std::string::npos);
  input["training"]["opt_type"] = "Adam";
  for (const char* key : {"kf_blocksize", "kf_start_pref_f"}) input["training"].erase(key);
  EXPECT_NE(message_of(input).find("training/opt_type both name an optimiser"), std::string::npos);
  input["training"] = small_input()["training"];
  EXPECT_EQ(parse_settings(input, "f").optimizer.kalman.filter.block, 5120);
  input["optimizer"] = {{"type", "Muon"}, {"lr_adjust_coeff", 0.3}, {"momentum", 0.9}};
  const OptimizerSettings muon = parse_settings(input, "f").optimizer;
  EXPECT_EQ(muon.kind, OptimizerSettings::Kind::muon);
  EXPECT_EQ(muon.muon.step, 0.3);
  EXPECT_EQ(muon.muon.momentum, 0.9);
}

/// As DeePMD-kit: the small rates of the warm-up do not count as an advanced training.
TEST(Settings, PrefactorsStayAtTheStartDuringTheWarmUp) {
  Json input = small_input();
  input["learning_rate"]["warmup_steps"] = 10;
  const LearningRate rate = parse_settings(input, "f").learning_rate;
  EXPECT_LT(rate.at(2), 0.5 * rate.start);
  EXPECT_EQ(rate.share(2), 1);
  EXPECT_DOUBLE_EQ(rate.share(50), rate.at(50) / rate.start);
}

TEST(Settings, AKalmanFilterHasItsOwnPrefactors) {
  Json input = small_input();
  input["optimizer"] = {
      {"type", "LKF"}, {"kf_start_pref_f", 4}, {"kf_limit_pref_f", 1}, {"kf_start_pref_e", 0}};
  input["training"]["gradient_max_norm"] = 5;
  input["loss"]["start_pref_v"] = 1;
  const Settings settings = parse_settings(input, "f");
  EXPECT_DOUBLE_EQ(settings.optimizer.kalman.at(0.5).force, 2);  // geometric
  EXPECT_EQ(settings.optimizer.kalman.at(0.5).energy, 0);
  EXPECT_EQ(settings.notes.size(), 2U) << "virials and the norm are left out";
  EXPECT_TRUE(settings.measured().wants_force());
  EXPECT_FALSE(settings.measured().wants_virial());
}

TEST(Settings, PrefactorsGoFromStartToLimitWithTheRate) {
  const LossSettings loss = parse_settings(small_input(), "f").loss;
  EXPECT_DOUBLE_EQ(loss.at(1.0).force, 1000);
  EXPECT_DOUBLE_EQ(loss.at(0.0).force, 1);
  EXPECT_DOUBLE_EQ(loss.at(0.25).energy, 1 * 0.75 + 0.02 * 0.25);
}

TEST(Settings, WhatDoesNotChangeARunIsAcceptedAndSaidWhereItMayBeMissed) {
  Json input = small_input();
  input["nvnmd"] = Json::object();
  input["model"]["descriptor"]["sel"] = {46.0, 92.0};
  EXPECT_TRUE(parse_settings(input, "f").notes.empty());
  EXPECT_EQ(parse_settings(input, "f").model.sel, (std::vector<int>{46, 92}));
  input["nvnmd"]["enable"] = false;
  input["training"]["disp_avg"] = true;
  input["training"]["stat_file"] = "stat.hdf5";
  const Settings s = parse_settings(input, "f");
  ASSERT_EQ(s.notes.size(), 2U);
  EXPECT_NE(s.notes[0].find("f: training/disp_avg = true"), std::string::npos) << s.notes[0];
  EXPECT_NE(s.notes[1].find("training/stat_file = \"stat.hdf5\""), std::string::npos) << s.notes[1];
  input["nvnmd"]["enable"] = true;
  EXPECT_NE(message_of(input).find("nvnmd"), std::string::npos);
}

TEST(Settings, InputsOfOtherKindsAreCalledByTheirNames) {
  Json input = small_input();
  input["training"].erase("training_data");
  input["training"]["systems"] = {"data"};
  EXPECT_NE(message_of(input).find("training/systems = [\"data\"]: is an input of DeePMD-kit 1"),
            std::string::npos)
      << message_of(input);
  input["model"] = {{"model_dict", Json::object()}};
  EXPECT_NE(message_of(input).find("model/model_dict: a multi-task input"), std::string::npos)
      << message_of(input);
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "solion_settings.yaml";
  write_file(file, "model:\n  type_map: [O, H]\n");
  EXPECT_THAT([&] { read_settings(file); },
              testing::ThrowsMessage<InputError>(testing::HasSubstr("YAML, which is not read")));
  std::filesystem::remove(file);
}

TEST(Sampler, ErrorsBeginWithTheKeyAsTheInputCallsIt) {
  const auto message = [](const char* key, const Json& value, std::size_t n) -> std::string {
    Json input = small_input();
    input["training"]["training_data"]["systems"] = "data";
    input["training"]["training_data"][key] = value;
    try {
      Sampler(parse_settings(input, "f").training, std::vector<std::size_t>(n, 4),
              std::vector<std::size_t>(n, 10), 3, "test");
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message("batch_size", {1, 2, 3}, 3), "accepted") << "one for each system of the folder";
  EXPECT_EQ(message("batch_size", {1, 2}, 3), "batch_size: has 2 numbers for 3 systems");
  EXPECT_EQ(message("sys_probs", {0.5}, 3), "sys_probs: has 1 numbers for 3 systems");
  EXPECT_EQ(message("sys_weights", {0, 0}, 2), "sys_weights: all are 0, so that no system would be drawn");
  EXPECT_EQ(message("auto_prob", "prob_sys_size;0:2:0", 2),
            "auto_prob: all are 0, so that no system would be drawn");
  EXPECT_EQ(message("auto_prob_style", "prob_sys_size;0:2:1", 3),
            "auto_prob_style: the blocks end with system 2; there are 3 systems");
  EXPECT_EQ(message("sys_probs", {0.9, 0.8, -1}, 3).find("sys_probs: the probabilities add up to 1.7"), 0U);
}

TEST(Sampler, MinusOneIsAShareBySize) {
  Json input = small_input();
  input["training"]["training_data"]["batch_size"] = 1;
  input["training"]["training_data"]["sys_probs"] = {0.4, -1, -1};
  const DataSettings data = parse_settings(input, "f").training;
  const Sampler sampler(data, {100, 4, 12}, {10, 10, 10}, 3, "test");
  const std::vector<double> expected{0.4, 0.15, 0.45};
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(sampler.probabilities()[k], expected[k], 1e-12);
}

TEST(Sampler, TakesEveryFrameOfASystemOnceARound) {
  DataSettings data;
  data.batch = {BatchRule::Kind::fixed, {2}, 0};
  Sampler sampler(data, {6}, {10}, 3, "test");
  for (int round = 0; round < 3; ++round) {
    std::vector<int> seen(6, 0);
    for (int k = 0; k < 3; ++k) {
      for (const FrameId& id : sampler.next(3 * round + k)) ++seen[id.frame];
    }
    EXPECT_EQ(seen, std::vector<int>(6, 1));
  }
}

TEST(Sampler, AutomaticBatchesHoldAtLeastSoManyAtoms) {
  DataSettings data;
  data.batch = {BatchRule::Kind::automatic, {}, 32};
  const Sampler sampler(data, {100, 100, 1}, {192, 10, 10}, 3, "test");
  EXPECT_EQ(sampler.batch_size(0), 1U);
  EXPECT_EQ(sampler.batch_size(1), 4U);
  EXPECT_EQ(sampler.batch_size(2), 1U);  // no more than there are
  // By number of batches: 100, 25, 1.
  EXPECT_NEAR(sampler.probabilities()[1], 25.0 / 126, 1e-12);
}

TEST(Sampler, BatchesOfAtMostSoManyAtomsHoldOneFrameAtLeast) {
  Json input = small_input();
  input["training"]["training_data"]["batch_size"] = "max:64";
  const DataSettings data = parse_settings(input, "f").training;
  const Sampler sampler(data, {100, 100, 2}, {192, 10, 10}, 3, "test");
  EXPECT_EQ(sampler.batch_sizes(), (std::vector<std::size_t>{1, 6, 2}));
}

TEST(Sampler, BlocksOfSystemsShareTheirWeightByBatches) {
  Json input = small_input();
  input["training"]["training_data"]["auto_prob"] = "prob_sys_size; 0:1:0.6; 1:3:0.2";
  input["training"]["training_data"]["batch_size"] = 2;
  const DataSettings data = parse_settings(input, "f").training;
  const Sampler sampler(data, {100, 4, 12}, {10, 10, 10}, 3, "test");
  const std::vector<double> expected{0.75, 0.0625, 0.1875};
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(sampler.probabilities()[k], expected[k], 1e-12);
  EXPECT_THAT(
      [&] {
        Sampler(data, {100, 4}, {10, 10}, 3, "test");
      },
      testing::ThrowsMessage<InputError>(testing::HasSubstr("there are 2 systems")));
}

TEST(Sampler, MixedBatchesTakeFramesOfAllSystems) {
  DataSettings data;
  data.batch = {BatchRule::Kind::mixed, {}, 5};
  Sampler sampler(data, {3, 4, 3}, {4, 8, 12}, 3, "test");
  std::vector<int> seen(3, 0);
  for (int k = 0; k < 2; ++k) {
    for (const FrameId& id : sampler.next(k)) ++seen[id.system];
  }
  EXPECT_EQ(seen, (std::vector<int>{3, 4, 3}));
}

TEST(Sampler, GoesOnFromItsState) {
  DataSettings data;
  data.batch = {BatchRule::Kind::fixed, {1}, 0};
  Sampler whole(data, {5, 7}, {4, 4}, 9, "test");
  for (int k = 0; k < 17; ++k) whole.next(k);
  Sampler later(data, {5, 7}, {4, 4}, 9, "test");
  later.set_state(whole.state());
  for (int k = 17; k < 40; ++k) EXPECT_EQ(whole.next(k), later.next(k));
}

}  // namespace
}  // namespace solion::train
