// A training run as a whole: it learns, restarts exactly, and refuses what it cannot train on.
#include "solion/train/trainer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dataset/system.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/potential/potential.hpp"
#include "solion/train/accuracy.hpp"
#include "solion/train/bias_refit.hpp"
#include "solion/train/checkpoint.hpp"
#include "solion/train/initial_model.hpp"
#include "train/small_models.hpp"
#include "train/trainer_fixture.hpp"

namespace solion::train {
namespace {

namespace fs = std::filesystem;

struct Stop {};

TEST_F(TrainerTest, LossFallsAndTheModelFileSaysWhatWasTrained) {
  const RunSummary summary = train(settings(), options("run"));
  EXPECT_EQ(summary.steps, 300);
  ASSERT_EQ(summary.curve.size(), 7U);  // step 1 and every 50

  // Single batches scatter; the model on all frames must explain most of the variance of the forces.
  const auto force_errors = [&](const fs::path& model) {
    const dp::DeepPotential potential(model);
    Accuracy accuracy;
    for (const char* name : {"system6", "system8"}) {
      for (const auto& c : compare(potential, dataset::load_system(folder / name).frames, 1)) accuracy.add(c);
    }
    return accuracy.force;
  };
  input["training"]["numb_steps"] = 1;
  train(settings(), options("start"));
  EXPECT_GT(force_errors(folder / "run/model.dp").r2(), 0.5);
  EXPECT_LT(force_errors(folder / "run/model.dp").rmse(),
            0.7 * force_errors(folder / "start/model.dp").rmse());

  std::ifstream curve(folder / "run/lcurve.out");
  std::string header;
  std::getline(curve, header);
  EXPECT_NE(header.find("rmse_val      rmse_trn    rmse_e_val    rmse_e_trn    rmse_f_val    rmse_f_trn    "
                        "rmse_v_val    rmse_v_trn"),
            std::string::npos)
      << header;
}

TEST_F(TrainerTest, RestartGivesTheSameBits) {
  for (const Precision precision : {Precision::single_precision, Precision::double_precision}) {
    RunOptions whole = options("whole");
    whole.precision = precision;
    whole.start = RunOptions::Start::fresh;
    train(settings(), whole);

    RunOptions broken = options("broken");
    broken.precision = precision;
    broken.start = RunOptions::Start::fresh;
    broken.after_step = [](std::int64_t step) {
      if (step == 230) throw Stop{};  // as a kill: the last checkpoint is that of step 200
    };
    EXPECT_THROW(train(settings(), broken), Stop);
    broken.after_step = nullptr;
    broken.start = RunOptions::Start::automatic;
    broken.threads = 2;
    const RunSummary rest = train(settings(), broken);
    EXPECT_EQ(rest.first_step, 200);

    EXPECT_TRUE(read_file(whole.folder / "model.ckpt") == read_file(broken.folder / "model.ckpt"));
    EXPECT_TRUE(read_file(whole.folder / "lcurve.out") == read_file(broken.folder / "lcurve.out"));
  }
}

TEST_F(TrainerTest, StepsInPartsAreStepsAsAWhole) {
  input["training"]["numb_steps"] = 5;
  train(settings(), options("parts"));
  input["training"]["gradient_max_norm"] = 1e30;  // has to wait for all of the gradient, and changes nothing
  train(settings(), options("whole"));
  const auto embedding = [&](const char* run) {
    return dp::read_model(folder / run / "model.dp").descriptor.embedding.front().layers.back().w;
  };
  const auto difference = (embedding("parts") - embedding("whole")).cwiseAbs().maxCoeff();
  EXPECT_LT(difference, 1e-5 * embedding("parts").cwiseAbs().maxCoeff());
}

TEST_F(TrainerTest, AnotherInputStartsOverUnlessTheRestartIsAskedFor) {
  input["training"]["numb_steps"] = 20;
  train(settings(), options("run"));
  input["training"]["numb_steps"] = 30;
  EXPECT_EQ(train(settings(), options("run")).first_step, 0);
  input["training"]["numb_steps"] = 40;
  RunOptions restart = options("run");
  restart.start = RunOptions::Start::restart;
  EXPECT_EQ(train(settings(), restart).first_step, 30);
}

TEST_F(TrainerTest, InitModelStartsFromItsParameters) {
  input["training"]["numb_steps"] = 200;
  const RunSummary first = train(settings(), options("first"));
  input["learning_rate"]["start_lr"] = 1e-6;
  input["learning_rate"]["stop_lr"] = 1e-7;
  input["training"]["numb_steps"] = 1;
  RunOptions second = options("second");
  second.init_model = folder / "first/model.dp";
  EXPECT_LT(train(settings(), second).curve.front().rmse_f_trn, 0.5 * first.curve.front().rmse_f_trn);
  input["model"]["fitting_net"]["neuron"] = {5};
  EXPECT_NE(message_of(second).find("fitting_net/neuron (and 1) is [12, 12, 1], and [5, 1] in "),
            std::string::npos)
      << message_of(second);
}

/// Σ_f n_ft·(E_label − E_model)/N_f² by type, eV: zero where the biases are those of least squares.
std::vector<double> slopes_of(const fs::path& folder, const fs::path& model) {
  dp::DeepPotential potential(std::make_shared<dp::Model>(dp::read_model(model)));
  std::vector<double> slopes(2, 0.0);
  for (const char* system : {"system6", "system8"}) {
    for (const Frame& frame : dataset::load_system(folder / system).frames) {
      const double n = static_cast<double>(frame.n_atoms());
      const double lacking = *frame.labels.energy_eV - potential.evaluate(frame, {.forces = false}).energy;
      for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
        const int type = potential.type_map().find(frame.element(i));
        slopes[static_cast<std::size_t>(type)] += lacking / (n * n);
      }
    }
  }
  return slopes;
}

TEST_F(TrainerTest, BiasesAreRefittedAtTheEndWhereThatIsAskedFor) {
  train(settings(), options("as_deepmd"));
  input["training"]["refit_bias"] = true;
  train(settings(), options("refitted"));
  const auto left = slopes_of(folder, folder / "as_deepmd" / "model.dp");
  EXPECT_GT(std::abs(left[0]), 1e-4);
  for (const double slope : slopes_of(folder, folder / "refitted" / "model.dp"))
    EXPECT_NEAR(slope, 0, 1e-6);  // the training engine is of single precision
  // The parameters are those of the same training; another training goes on from the refitted model.
  const dp::Model a = dp::read_model(folder / "as_deepmd" / "model.dp");
  const dp::Model b = dp::read_model(folder / "refitted" / "model.dp");
  EXPECT_EQ(a.fitting[0].layers[0].w, b.fitting[0].layers[0].w);
  EXPECT_EQ(b.provenance["bias_shift_eV"].size(), 2U);
  input.erase("learning_rate");
  EXPECT_TRUE(settings().refit_bias);
  input["training"].erase("refit_bias");
  EXPECT_TRUE(settings().refit_bias) << "the default recipe";
  input["optimizer"] = {{"type", "Adam"}};
  EXPECT_FALSE(settings().refit_bias) << "DeePMD-kit's meaning";
}

TEST(BiasCorrection, IsOfSmallestNormWhereCompositionsTellNothing) {
  const std::vector<EnergyResidual> one{{{2, 1}, 0.5}};
  const auto b = bias_correction(one, 2);
  EXPECT_NEAR(2 * b[0] + b[1], 0.5, 1e-12);
  EXPECT_NEAR(b[0], 2 * b[1], 1e-12);
  const std::vector<EnergyResidual> three{{{2, 1, 0}, 0.5}, {{4, 2, 0}, 1.0}, {{1, 2, 0}, 1.0}};
  const auto c = bias_correction(three, 3);
  EXPECT_NEAR(c[0], 0, 1e-12);
  EXPECT_NEAR(c[1], 0.5, 1e-12);
  EXPECT_EQ(c[2], 0) << "no atom of the type";
  EXPECT_EQ(bias_correction({}, 2), std::vector<double>(2, 0.0));
}

TEST_F(TrainerTest, FrozenPartsKeepTheirParameters) {
  input["training"]["numb_steps"] = 1;
  train(settings(), options("first"));
  const dp::Model before = dp::read_model(folder / "first/model.dp");
  input["training"]["numb_steps"] = 3;
  input["model"]["descriptor"]["trainable"] = false;
  for (const Json& optimizer :
       {Json{{"type", "Adam"}, {"weight_decay", 0.5}}, Json{{"type", "SOAP"}, {"refresh_every", 2}},
        Json{{"type", "Muon"}}, Json{{"type", "LKF"}}}) {
    input["optimizer"] = optimizer;
    RunOptions next = options("next");
    next.start = RunOptions::Start::fresh;
    next.init_model = folder / "first/model.dp";
    train(settings(), next);
    const dp::Model after = dp::read_model(folder / "next/model.dp");
    for (std::size_t net = 0; net < before.descriptor.embedding.size(); ++net) {
      for (std::size_t l = 0; l < before.descriptor.embedding[net].layers.size(); ++l) {
        EXPECT_EQ(after.descriptor.embedding[net].layers[l].w, before.descriptor.embedding[net].layers[l].w);
        EXPECT_EQ(after.descriptor.embedding[net].layers[l].b, before.descriptor.embedding[net].layers[l].b);
      }
    }
    EXPECT_NE(after.fitting[0].layers[0].w, before.fitting[0].layers[0].w);
  }
}

TEST_F(TrainerTest, WhatIsFrozenInARestartStaysWhereItWas) {
  input["training"]["numb_steps"] = 20;
  train(settings(), options("run"));
  const dp::Model before = dp::read_model(folder / "run/model.dp");
  input["training"]["numb_steps"] = 25;
  input["model"]["fitting_net"]["trainable"] = false;
  RunOptions restart = options("run");
  restart.start = RunOptions::Start::restart;
  train(settings(), restart);
  const dp::Model after = dp::read_model(folder / "run/model.dp");
  EXPECT_EQ(after.fitting[0].layers[0].w, before.fitting[0].layers[0].w)
      << "Adam's averages must not move it";
  EXPECT_NE(after.descriptor.embedding[0].layers[0].w, before.descriptor.embedding[0].layers[0].w);
}

TEST_F(TrainerTest, FrozenParametersDoNotCountInTheNormOfClipping) {
  // One step of Adam is lr·sign(g) until ε matters: with clipping to a norm of that size the step shows the
  // clipped gradient. Of two runs, one has a frozen fitting net whose gradients are far larger.
  input["training"]["numb_steps"] = 1;
  input["training"]["gradient_max_norm"] = 1e-9;
  input["learning_rate"] = {{"type", "exp"}, {"start_lr", 1.0}, {"stop_lr", 1.0}};
  input["optimizer"] = {{"type", "Adam"}};
  for (const char* part : {"descriptor", "fitting_net"}) input["model"][part]["precision"] = "float64";
  input["model"]["fitting_net"]["trainable"] = false;
  train(settings(), options("clipped"));
  input["training"].erase("gradient_max_norm");
  input["learning_rate"]["start_lr"] = input["learning_rate"]["stop_lr"] = 1e-12;
  train(settings(), options("start"));
  const dp::Model clipped = dp::read_model(folder / "clipped/model.dp");
  const dp::Model start = dp::read_model(folder / "start/model.dp");
  double square = 0;
  for (std::size_t net = 0; net < start.descriptor.embedding.size(); ++net) {
    const auto& a = clipped.descriptor.embedding[net].layers;
    const auto& b = start.descriptor.embedding[net].layers;
    const auto add = [&](double step) {  // step = g/(g + ε), with signs
      const double g = 1e-8 * std::abs(step) / (1 - std::abs(step));
      square += g * g;
    };
    for (std::size_t l = 0; l < a.size(); ++l) {
      for (Eigen::Index k = 0; k < a[l].w.size(); ++k) add(a[l].w.data()[k] - b[l].w.data()[k]);
      for (Eigen::Index k = 0; k < a[l].b.size(); ++k) add(a[l].b.data()[k] - b[l].b.data()[k]);
      for (Eigen::Index k = 0; k < a[l].idt.size(); ++k) add(a[l].idt.data()[k] - b[l].idt.data()[k]);
    }
  }
  EXPECT_NEAR(std::sqrt(square), 1e-9, 2e-11);
}

TEST_F(TrainerTest, RefusesDataThatTheLossCannotUse) {
  fs::remove(folder / "system6/set.000/virial.npy");
  fs::remove(folder / "system8/set.000/virial.npy");
  const std::string message = message_of(options("run"));
  EXPECT_NE(message.find("system6: no frame has a virial"), std::string::npos) << message;
  input["loss"]["start_pref_v"] = 0;
  input["loss"]["limit_pref_v"] = 0;
  input["training"]["numb_steps"] = 2;
  EXPECT_EQ(message_of(options("run")), "no error");
  for (const char* name : {"system6", "system8"}) fs::remove(folder / name / "set.000/energy.npy");
  EXPECT_NE(message_of(options("run")).find("no frame has an energy"), std::string::npos);
}

TEST_F(TrainerTest, PartsOfTheLossCountTheFramesThatHaveTheLabel) {
  fs::remove(folder / "system6/set.000/virial.npy");
  fs::remove(folder / "system6/set.000/energy.npy");
  input["training"]["numb_steps"] = 60;
  input["training"]["refit_bias"] = true;
  input["training"]["validation_data"]["systems"] = {"system6", "system8"};
  const RunSummary summary = train(settings(), options("run"));
  const CurvePoint& last = summary.curve.back();
  // Validation is on both systems: the means are of those that have the label.
  for (const double value : {last.rmse_val, last.rmse_e_val, last.rmse_f_val, last.rmse_v_val})
    EXPECT_TRUE(std::isfinite(value));
  EXPECT_TRUE(dp::read_model(folder / "run/model.dp").n_types() > 0);
}

TEST_F(TrainerTest, OtherLabelsAreAnotherRun) {
  input["training"]["numb_steps"] = 40;
  RunOptions broken = options("run");
  broken.after_step = [](std::int64_t step) {
    if (step == 30) throw Stop{};
  };
  input["training"]["save_freq"] = 10;
  EXPECT_THROW(train(settings(), broken), Stop);
  broken.after_step = nullptr;
  std::vector<Frame> frames = dataset::load_system(folder / "system6").frames;
  *frames.front().labels.energy_eV += 0.1;
  fs::remove_all(folder / "system6");
  io::write_deepmd(folder / "system6", frames);
  EXPECT_EQ(train(settings(), broken).first_step, 0);
}

TEST_F(TrainerTest, AModelOfAnotherSightOrTypeMapIsNotGoneOnWith) {
  input["training"]["numb_steps"] = 10;
  train(settings(), options("first"));
  RunOptions next = options("next");
  next.init_model = folder / "first/model.dp";
  EXPECT_EQ(message_of(next), "no error");
  const Json whole = input;
  input["model"]["descriptor"]["rcut_smth"] = 1.1;
  EXPECT_NE(message_of(next).find("descriptor/rcut_smth is"), std::string::npos) << message_of(next);
  RunOptions restart = options("first");
  restart.start = RunOptions::Start::restart;
  input["training"]["numb_steps"] = 20;
  EXPECT_NE(message_of(restart).find("descriptor/rcut_smth is"), std::string::npos) << message_of(restart);
  input = whole;
  input["training"]["numb_steps"] = 20;
  input["model"]["fitting_net"]["activation_function"] = "relu";
  EXPECT_NE(message_of(restart).find("activations of its nets"), std::string::npos) << message_of(restart);
  input = whole;
  input["training"]["numb_steps"] = 20;
  input["model"]["descriptor"]["env_protection"] = 0.5;
  EXPECT_NE(message_of(restart).find("env_protection"), std::string::npos) << message_of(restart);
  input = whole;
  input["model"]["descriptor"]["rcut"] = 3.0;
  EXPECT_NE(message_of(next).find("descriptor/rcut is"), std::string::npos) << message_of(next);
  input = whole;
  input["training"]["numb_steps"] = 20;
  std::vector<std::string> types = input["model"]["type_map"];
  std::reverse(types.begin(), types.end());
  input["model"]["type_map"] = types;
  EXPECT_NE(message_of(restart).find("type map"), std::string::npos) << message_of(restart);
}

TEST_F(TrainerTest, ATypeMapMayBeWiderThanTheData) {
  input["training"]["numb_steps"] = 20;
  train(settings(), options("narrow"));
  input["model"]["type_map"] = {"Li", "O", "H"};
  for (const bool own_recipe : {false, true}) {
    if (own_recipe) input.erase("learning_rate");  // SOAP, and biases by least squares
    RunOptions run = options("wide");
    run.start = RunOptions::Start::fresh;
    train(settings(), run);
    const dp::Model wide = dp::read_model(folder / "wide/model.dp");
    EXPECT_EQ(wide.bias_atom_e[0], 0);
    const Frame frame = dataset::load_system(folder / "system6").frames.front();
    dp::DeepPotential potential(folder / "wide/model.dp");
    EXPECT_TRUE(std::isfinite(potential.evaluate(frame).energy));
    Frame with_li = frame;
    with_li.type_map = TypeMap({"O", "H", "Li"});
    with_li.types[0] = 2;
    EXPECT_TRUE(std::isfinite(potential.evaluate(with_li).energy));
    RunOptions next = options("next");
    next.start = RunOptions::Start::fresh;
    next.init_model = folder / "wide/model.dp";
    EXPECT_EQ(message_of(next), "no error");
  }
}

TEST_F(TrainerTest, RefusesElementsOutsideTheMap) {
  input["model"]["type_map"] = {"O"};
  EXPECT_NE(message_of(options("run")).find("element H is not in the type map"), std::string::npos);
}

TEST_F(TrainerTest, SaysThatItDiverged) {
  input["learning_rate"]["start_lr"] = 1e30;
  input["learning_rate"]["stop_lr"] = 1e30;
  input["model"]["fitting_net"]["activation_function"] = "linear";
  input["model"]["descriptor"]["activation_function"] = "linear";
  EXPECT_THROW(train(settings(), options("run")), WorkError);
  const std::string message = message_of(options("run"));
  EXPECT_NE(message.find("the training has diverged"), std::string::npos) << message;
  EXPECT_NE(message.find("nothing was saved yet"), std::string::npos) << message;
  EXPECT_EQ(message.find("-nan"), std::string::npos) << message;
}

TEST_F(TrainerTest, AFinishedRunIsLeftAsItIs) {
  input["training"]["numb_steps"] = 20;
  input["training"]["refit_bias"] = true;
  train(settings(), options("run"));
  const fs::path model = folder / "run/model.dp";
  const std::string before = read_file(model), curve = read_file(folder / "run/lcurve.out");
  const RunSummary again = train(settings(), options("run"));
  EXPECT_EQ(again.first_step, 20);
  EXPECT_EQ(again.steps, 20);
  EXPECT_TRUE(again.curve.empty());
  EXPECT_TRUE(read_file(model) == before);
  EXPECT_EQ(read_file(folder / "run/lcurve.out"), curve);
  // A model that a kill or a hand took away comes back from the checkpoint.
  const dp::Model whole = dp::read_model(model);
  for (const std::string& there : {std::string(), before.substr(0, 1000)}) {
    fs::remove(model);
    if (!there.empty()) write_file(model, there);
    EXPECT_EQ(train(settings(), options("run")).first_step, 20);
    EXPECT_EQ(dp::read_model(model).fitting[0].layers[0].w, whole.fitting[0].layers[0].w);
    EXPECT_EQ(dp::read_model(model).bias_atom_e, whole.bias_atom_e);
  }
  RunOptions fresh = options("run");
  fresh.start = RunOptions::Start::fresh;
  EXPECT_EQ(train(settings(), fresh).first_step, 0);
}

TEST_F(TrainerTest, FilesAreJudgedBeforeTheFirstStep) {
  bool begun = false;
  RunOptions run = options("run");
  run.after_step = [&](std::int64_t) { begun = true; };
  run.model = "frozen_model.pb";
  EXPECT_NE(message_of(run).find("frozen_model.pb: unknown kind of model file '.pb'"), std::string::npos)
      << message_of(run);
  run.model = "model.ckpt";
  EXPECT_NE(message_of(run), "no error");
  run.model = "model.dp";
  for (const char* key : {"save_ckpt", "disp_file"}) {
    for (const char* name : {"", "kept/"}) {
      input["training"][key] = name;
      const std::string wanted = fmt::format("training/{} = \"{}\": is no name of a file", key, name);
      EXPECT_NE(message_of(run).find(wanted), std::string::npos) << message_of(run);
    }
    input["training"].erase(key);
  }
  EXPECT_FALSE(begun);
  // A model that cannot be written leaves the checkpoint.
  input["training"]["numb_steps"] = 10;
  run.model = "taken.dp";
  fs::create_directories(run.folder / "taken.dp/by a folder");
  EXPECT_NE(message_of(run), "no error");
  EXPECT_EQ(read_checkpoint_head(run.folder / "model.ckpt").step, 10);
}

TEST_F(TrainerTest, OneTrainingAtATimeWorksInAFolder) {
  input["training"]["numb_steps"] = 3;
  RunOptions run = options("run");
  std::string second;
  run.after_step = [&](std::int64_t step) {
    if (step == 1) second = message_of(options("run"));
  };
  train(settings(), run);
  EXPECT_NE(second.find("run: another training is at work here"), std::string::npos) << second;
  EXPECT_EQ(message_of(options("run")), "no error");
}

TEST_F(TrainerTest, MissingLabelsAreAPlainNan) {
  for (const char* name : {"system6", "system8"}) fs::remove(folder / name / "set.000/energy.npy");
  input["loss"]["start_pref_e"] = input["loss"]["limit_pref_e"] = 0;
  input["training"]["numb_steps"] = 2;
  const CurvePoint point = train(settings(), options("run")).curve.front();
  for (const double x : {point.rmse_e_val, point.rmse_e_trn}) {
    EXPECT_TRUE(std::isnan(x));
    EXPECT_FALSE(std::signbit(x));
  }
  const std::string curve = read_file(folder / "run/lcurve.out");
  EXPECT_EQ(curve.find("-nan"), std::string::npos) << curve;
  EXPECT_NE(curve.find("           nan"), std::string::npos) << curve;
}

TEST_F(TrainerTest, RefusesDamagedCheckpoints) {
  input["training"]["numb_steps"] = 10;
  train(settings(), options("run"));
  const fs::path file = folder / "run/model.ckpt";
  const std::string good = read_file(file);
  RunOptions restart = options("run");
  restart.start = RunOptions::Start::restart;
  write_file(file, good.substr(0, good.size() - 5));
  EXPECT_NE(message_of(restart).find("cut short"), std::string::npos);
  std::string counted = good;  // another number of steps in the readable part
  const std::size_t step = good.find("\"step\":10");
  ASSERT_NE(step, std::string::npos);
  counted.replace(step, 9, "\"step\":90");
  write_file(file, counted);
  EXPECT_NE(message_of(restart).find("damaged"), std::string::npos);
  std::string changed = good;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  write_file(file, changed);
  EXPECT_NE(message_of(restart).find("damaged"), std::string::npos);
  write_file(file, "something else");
  EXPECT_NE(message_of(restart).find("not a training checkpoint"), std::string::npos);
}

TEST(InitialModel, HasTheStatisticsOfItsData) {
  // Compositions O2H2, O2H4 with energies 2·a + n·b: the least squares must find a and b exactly.
  ModelSettings settings;
  settings.type_map = {"O", "H"};
  settings.rcut = 3.5;
  settings.rcut_smth = 1.0;
  settings.type_one_side = true;
  const TypeMap map(settings.type_map);
  std::vector<Prepared<double>> frames;
  for (int n : {4, 5, 6, 7}) {
    Frame frame = testing::random_frame(n, Mat3(Mat3::Identity() * 4.0), true, static_cast<std::uint64_t>(n));
    double energy = 0;
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) energy += frame.element(i) == "O" ? -430.0 : -15.5;
    frame.labels.energy_eV = energy;
    frames.push_back(prepare<double>(frame, map, settings.rcut, "test"));
  }
  const PreparedSystem<double> system{"test", std::make_shared<const std::vector<Prepared<double>>>(frames),
                                      4};
  const dp::Model model = initial_model<double>(settings, {system});
  EXPECT_NEAR(model.bias_atom_e[0], -430.0, 1e-9);
  EXPECT_NEAR(model.bias_atom_e[1], -15.5, 1e-9);

  // The normalised radial column over all Σsel rows has mean 0 and deviation 1; the sums by hand.
  double sum = 0, square = 0, n = 0;
  for (const auto& frame : frames) {
    for (std::size_t i = 0; i < frame.types.size(); ++i) {
      if (frame.types[i] != 0) continue;
      n += model.descriptor.sel_total();
      for (std::size_t p = frame.offset[2 * i]; p < frame.offset[2 * i + 2]; ++p) {
        const double r = std::sqrt(std::pow(frame.vector[3 * p], 2) + std::pow(frame.vector[3 * p + 1], 2) +
                                   std::pow(frame.vector[3 * p + 2], 2));
        const double u = std::clamp((r - 1.0) / 2.5, 0.0, 1.0);
        const double s = (1 + u * u * u * (-10 + 15 * u - 6 * u * u)) / r;
        sum += s;
        square += s * s;
      }
    }
  }
  EXPECT_NEAR(model.normalisation(0, 1).mean[0], sum / n, 1e-12);
  EXPECT_NEAR(model.normalisation(0, 0).deviation[0], std::sqrt(square / n - sum * sum / (n * n)), 1e-12);
  EXPECT_EQ(model.normalisation(0, 0).mean[1], 0.0);
  EXPECT_EQ(model.normalisation(0, 0).deviation[1], model.normalisation(0, 0).deviation[3]);
  for (const int sel : model.descriptor.sel) EXPECT_EQ(sel % 4, 0);
}

TEST(Accuracy, OfKnownNumbers) {
  Errors errors;
  EXPECT_TRUE(std::isnan(errors.rmse()));
  // Labels 1, 2, 3 and predictions 1, 2, 5: Σ error² = 4, Σ|error| = 2, spread 2.
  for (const auto& [label, said] : {std::pair{1.0, 1.0}, std::pair{2.0, 2.0}, std::pair{3.0, 5.0}})
    errors.add(label, said);
  EXPECT_DOUBLE_EQ(errors.rmse(), std::sqrt(4.0 / 3));
  EXPECT_DOUBLE_EQ(errors.mae(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(errors.r2(), -1.0);
}

TEST(Accuracy, DetailFilesHaveDeePMDColumns) {
  Comparison c;
  c.n_atoms = 2;
  c.has_energy = c.has_forces = c.has_virial = true;
  c.energy_label = -4;
  c.energy = -5;
  c.forces_label = {Vec3(1, 2, 3), Vec3(4, 5, 6)};
  c.forces = {Vec3(7, 8, 9), Vec3(10, 11, 12)};
  const fs::path prefix = fs::path(::testing::TempDir()) / "solion_detail";
  EXPECT_EQ(write_details(prefix.string(), {{"system", {c}}}).size(), 5U);
  std::ifstream file(prefix.string() + ".e_peratom.out");
  std::string header;
  std::getline(file, header);
  EXPECT_EQ(header, "# system: data_e pred_e");
  double label = 0, said = 0;
  file >> label >> said;
  EXPECT_EQ(label, -2.0);
  EXPECT_EQ(said, -2.5);
  std::ifstream forces(prefix.string() + ".f.out");
  std::getline(forces, header);
  std::vector<double> numbers(12);
  for (double& x : numbers) forces >> x;
  EXPECT_EQ(numbers, (std::vector<double>{1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12}));
}

}  // namespace
}  // namespace solion::train
