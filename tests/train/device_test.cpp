// A whole training on a device: the model of the processor to rounding, and a run that changes between them.
#include <gtest/gtest.h>

#include "train/trainer_fixture.hpp"

namespace solion::train {
namespace {

class DeviceTest : public TrainerTest {
 protected:
  RunSummary train_on(const std::string& device, const std::string& name) {
    RunOptions run = options(name);
    run.device = device;
    run.precision = Precision::double_precision;
    return train(settings(), run);
  }
  /// The root mean squares of the curves' last batches agree within `relative`.
  static void expect_alike(const RunSummary& a, const RunSummary& b, double relative) {
    ASSERT_EQ(a.curve.size(), b.curve.size());
    for (std::size_t k = 0; k < a.curve.size(); ++k) {
      EXPECT_NEAR(a.curve[k].rmse_f_trn, b.curve[k].rmse_f_trn, relative * b.curve[k].rmse_f_trn) << k;
      EXPECT_NEAR(a.curve[k].rmse_val, b.curve[k].rmse_val, relative * b.curve[k].rmse_val) << k;
    }
  }
};

TEST_F(DeviceTest, TrainsAsTheProcessorDoes) {
  input["training"]["numb_steps"] = 60;
  input["training"]["disp_freq"] = 20;
  for (const char* optimizer : {"Adam", "Muon", "LKF"}) {
    SCOPED_TRACE(optimizer);
    input["optimizer"] = {{"type", optimizer}};
    if (std::string(optimizer) == "LKF") {
      input["training"]["numb_steps"] = 6;
      input["training"]["disp_freq"] = 2;
      input["training"]["training_data"]["batch_size"] = 1;
    }
    const std::string name = optimizer;
    expect_alike(train_on("host", name + "-host"), train_on("cpu", name + "-cpu"), 1e-6);
  }
}

TEST_F(DeviceTest, ARunGoesOnElsewhere) {
  input["training"]["numb_steps"] = 40;
  input["training"]["disp_freq"] = 10;
  input["training"]["save_freq"] = 20;
  RunSummary whole = train_on("cpu", "whole");
  RunOptions run = options("parts");
  run.precision = Precision::double_precision;
  run.after_step = [](std::int64_t step) {
    if (step == 20) throw WorkError("the end of this one");
  };
  EXPECT_EQ(message_of(run), "the end of this one");
  const RunSummary rest = train_on("host", "parts");
  EXPECT_EQ(rest.first_step, 20);
  whole.curve.erase(whole.curve.begin(), whole.curve.end() - static_cast<std::ptrdiff_t>(rest.curve.size()));
  ASSERT_GE(rest.curve.size(), 2U);
  expect_alike(rest, whole, 1e-6);
}

TEST_F(DeviceTest, RefusesWhatItDoesNotKnow) {
  RunOptions run = options("refused");
  run.device = "tpu";
  EXPECT_NE(message_of(run).find("device 'tpu' is unknown"), std::string::npos) << message_of(run);
}

}  // namespace
}  // namespace solion::train
