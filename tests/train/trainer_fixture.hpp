// A small training in a folder of its own, for the tests of whole runs.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/potential/potential.hpp"
#include "solion/train/trainer.hpp"
#include "train/small_models.hpp"

namespace solion::train {

/// A folder with two systems of 6 and 8 atoms, labelled by a random small Deep Potential, and an input file.
class TrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder = std::filesystem::path(::testing::TempDir()) / (std::string("solion_train_") + info->name());
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    dp::DeepPotential teacher(
        std::make_shared<dp::Model>(testing::random_model({.name = "teacher", .zero_mean = true}, 2)));
    for (const int n : {6, 8}) {
      std::vector<Frame> frames;
      for (std::uint64_t k = 0; k < 8; ++k) {
        Frame frame = testing::random_frame(n, Mat3(Mat3::Identity() * 5.0), true, 100 + k);
        const Evaluation said = teacher.evaluate(frame);
        frame.labels.energy_eV = said.energy;
        frame.labels.forces_eV_per_A = said.forces;
        frame.labels.virial_eV = said.virial;
        frames.push_back(frame);
      }
      io::write_deepmd(folder / ("system" + std::to_string(n)), frames);
    }
    input = Json::parse(R"({
      "model": {"type_map": ["O", "H"],
                "descriptor": {"type": "se_e2_a", "rcut": 3.5, "rcut_smth": 1.0, "sel": "auto", "neuron": [4, 8],
                               "axis_neuron": 3, "resnet_dt": true, "precision": "float32"},
                "fitting_net": {"neuron": [12, 12], "precision": "float32"}},
      "learning_rate": {"type": "exp", "start_lr": 0.01, "stop_lr": 1e-4, "decay_steps": 20},
      "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1,
               "start_pref_v": 0.02, "limit_pref_v": 1},
      "training": {"training_data": {"systems": ["system6", "system8"], "batch_size": 2},
                   "validation_data": {"systems": ["system8"], "batch_size": 1, "numb_btch": 2},
                   "numb_steps": 300, "seed": 4, "disp_freq": 50, "save_freq": 100}})");
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  Settings settings() const { return parse_settings(input, folder / "input.json"); }
  RunOptions options(const std::string& name) const {
    RunOptions run;
    run.folder = folder / name;
    std::filesystem::create_directories(run.folder);
    return run;
  }
  std::string message_of(const RunOptions& run) const {
    try {
      train(settings(), run);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path folder;
  Json input;
};

}  // namespace solion::train
