// A committee trained as one job: the models of separate trainings, from frames that are read once.
#include "solion/train/committee.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "solion/base/files.hpp"
#include "solion/train/data.hpp"
#include "train/trainer_fixture.hpp"

namespace solion::train {
namespace {

class Committee : public TrainerTest {
 protected:
  void SetUp() override {
    TrainerTest::SetUp();
    input["training"]["numb_steps"] = 40;
    input["training"]["save_freq"] = 20;
  }
  RunOptions committee_options(int threads) const {
    RunOptions run = options("committee");
    run.threads = threads;
    return run;
  }
  std::string checkpoint(const std::string& of) const { return read_file(folder / of / "model.ckpt"); }
};

TEST_F(Committee, IsTheModelsOfSeparateTrainings) {
  const auto summaries = train_committee(settings(), committee_options(2), 3);
  ASSERT_EQ(summaries.size(), 3U);
  for (int k = 0; k < 3; ++k) {
    const std::string name = std::to_string(k);
    EXPECT_EQ(summaries[static_cast<std::size_t>(k)].model, folder / "committee" / name / "model.dp");
    train(member_settings(settings(), k), options("alone" + name));
    EXPECT_EQ(checkpoint("alone" + name), checkpoint("committee/" + name)) << name;
  }
  EXPECT_NE(checkpoint("alone0"), checkpoint("alone1"));
}

TEST_F(Committee, SeedsOfTheInputAreCountedOn) {
  input["model"]["fitting_net"]["seed"] = 70;
  const Settings first = member_settings(settings(), 0);
  const Settings third = member_settings(settings(), 2);
  EXPECT_EQ(first.input, input);
  EXPECT_EQ(third.seed, 6U);
  EXPECT_EQ(third.model.embedding_seed, 6U);  // the input has none: that of the training
  EXPECT_EQ(third.model.fitting_seed, 72U);
  EXPECT_EQ(third.training.systems, first.training.systems);
}

TEST_F(Committee, GoesOnAndLeavesFinishedMembersAlone) {
  train_committee(settings(), committee_options(1), 2);
  const std::string finished = checkpoint("committee/0"), cut = checkpoint("committee/1");
  // The second member as it was half way.
  input["training"]["numb_steps"] = 40;
  std::filesystem::remove_all(folder / "committee/1");
  RunOptions half = options("committee/1");
  struct Stop {};
  half.after_step = [](std::int64_t step) {
    if (step == 30) throw Stop();
  };
  EXPECT_THROW(train(member_settings(settings(), 1), half), Stop);
  ASSERT_NE(checkpoint("committee/1"), cut);
  const auto summaries = train_committee(settings(), committee_options(1), 2);
  EXPECT_EQ(summaries[0].first_step, 40);
  EXPECT_EQ(summaries[1].first_step, 20);
  EXPECT_EQ(checkpoint("committee/0"), finished);
  EXPECT_EQ(checkpoint("committee/1"), cut);
}

TEST_F(Committee, RefusesWhatIsNone) {
  EXPECT_THROW(train_committee(settings(), committee_options(1), 1), InputError);
  RunOptions alike = committee_options(1);
  alike.init_model = folder / "model.dp";
  EXPECT_THROW(train_committee(settings(), alike, 2), InputError);
}

TEST_F(Committee, RefusesFilesThatItsMembersWouldShare) {
  const auto message = [&](const RunOptions& run) -> std::string {
    try {
      train_committee(settings(), run, 2);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  RunOptions run = committee_options(1);
  run.model = "../model.dp";
  EXPECT_NE(message(run).find("model file \"../model.dp\": all members"), std::string::npos) << message(run);
  run.model = folder / "model.dp";
  EXPECT_NE(message(run).find("all members of a committee"), std::string::npos);
  run.model = "model.dp";
  input["training"]["save_ckpt"] = "a/../../model.ckpt";
  EXPECT_NE(message(run).find("training/save_ckpt = \"a/../../model.ckpt\""), std::string::npos);
  input["training"].erase("save_ckpt");
  input["training"]["disp_file"] = (folder / "lcurve.out").string();
  EXPECT_NE(message(run).find("training/disp_file"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(run.folder / "0"));
}

TEST_F(Committee, FramesAreKeptOnceForAKindOfModel) {
  FrameStore store;
  const Settings s = settings();
  const auto once = store.prepared<float>(folder / "system6", s.model, 1);
  EXPECT_EQ(store.prepared<float>(folder / "." / "system6", s.model, 1), once);
  ModelSettings wider = s.model;
  wider.rcut += 0.1;
  const auto other = store.prepared<float>(folder / "system6", wider, 1);
  EXPECT_NE(other, once);
  EXPECT_GT(other->front().n_pairs(), once->front().n_pairs());
  EXPECT_EQ(store.prepared<double>(folder / "system6", s.model, 1)->size(), once->size());
}

}  // namespace
}  // namespace solion::train
