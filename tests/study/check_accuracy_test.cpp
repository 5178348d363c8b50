// The error of the energy within a structure, with labels that are the model's own energies shifted.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/study/check_parts.hpp"
#include "support/li3ocl.hpp"
#include "support/temp_folder.hpp"

namespace solion::study {
namespace {

class CheckAccuracy : public ::testing::Test {
 protected:
  CheckAccuracy() : ledger_(folder_ / "ledger.sqlite"), context_{config_, options_, ledger_} {
    options_.run_dir = folder_.path();
    config_.checks.accuracy.bars["energy_within_structure_meV_per_atom"] = 1;
  }

  /// A system of one composition whose labels are too low by these errors (eV/atom).
  void keep(const std::string& path, const Frame& frame, const std::vector<double>& errors) {
    std::vector<Frame> frames;
    for (const double error : errors) {
      Frame& labelled = frames.emplace_back(frame);
      const Evaluation exact = potential_->evaluate(frame);
      labelled.labels.energy_eV = exact.energy - error * static_cast<double>(frame.n_atoms());
      labelled.labels.forces_eV_per_A = exact.forces;
      labelled.labels.virial_eV = exact.virial;
    }
    io::write_frames(folder_ / path, frames);
    data_["validation"].push_back(path);
  }
  Json check(Verdicts& verdicts) {
    const Json model{{"model", SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml"}, {"hash", "x"}};
    return check_accuracy(context_, data_, model, {{"validation", {{"all", Json::object()}}}}, verdicts);
  }

  testing::TempFolder folder_;
  std::unique_ptr<Potential> potential_ = testing::li3ocl_buckingham();
  Config config_;
  Options options_;
  learn::Ledger ledger_;
  Context context_;
  Json data_{{"hash", "h"}, {"validation", Json::array()}, {"temperatures_K", Json::object()}};
};

TEST_F(CheckAccuracy, AStructureInTwoFoldersIsOne) {
  keep("perfect", testing::li3ocl_cell(), {0.001, 0.001});
  keep("perfect~2", testing::li3ocl_cell(3.95), {0.003, 0.003});
  Verdicts verdicts;
  const Json found = check(verdicts);
  EXPECT_NEAR(found["energy_rmse_within_structure_eV_per_atom"].get<double>(), 0.001, 1e-7);
  EXPECT_EQ(found["frames_within_structures"], 4);
  EXPECT_EQ(found["frames_alone"], 0);
  EXPECT_EQ(verdicts.json()[0]["note"], "");
}

TEST_F(CheckAccuracy, AnotherCompositionHasItsOwnMeanAndAFrameAloneNone) {
  keep("type1", testing::li3ocl_cell(), {0.001, -0.001});
  keep("type1~2", testing::without(testing::li3ocl_cell(), {0, 4}), {0.5, 0.5});
  keep("type2", testing::li3ocl_cell(), {0.7});
  Verdicts verdicts;
  const Json found = check(verdicts);
  EXPECT_NEAR(found["energy_rmse_within_structure_eV_per_atom"].get<double>(), 0.001 / std::sqrt(2), 1e-7);
  EXPECT_EQ(found["frames_within_structures"], 4);
  EXPECT_EQ(found["frames_alone"], 1);
  EXPECT_EQ(verdicts.json()[0]["note"],
            "4 frames; 1 left out, each the only one of its structure and composition");
}

TEST_F(CheckAccuracy, WithoutTwoAlikeThereIsNoSuchError) {
  keep("type1", testing::li3ocl_cell(), {0.7});
  Verdicts verdicts;
  EXPECT_TRUE(check(verdicts)["energy_rmse_within_structure_eV_per_atom"].is_null());
  EXPECT_FALSE(verdicts.all_met());
}

TEST_F(CheckAccuracy, PolyhedraThatNoFrameHas) {
  keep("type1", testing::li3ocl_cell(), {0.001, -0.001});
  AccuracyConfig& accuracy = config_.checks.accuracy;
  accuracy.cutoff_A = 2.6;
  Verdicts verdicts;
  EXPECT_GT(check(verdicts)["coordination"][0]["atoms"].get<int>(), 0);
  accuracy.ligand = "Mg";
  EXPECT_THAT([&] { check(verdicts); },
              ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("has O with a Mg within 2.6")));
}

}  // namespace
}  // namespace solion::study
