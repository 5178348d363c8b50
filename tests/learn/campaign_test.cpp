// The stages of a campaign, with a labeller that counts: what is looked up, what is done again, what is
// refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/dataset/plausible.hpp"
#include "solion/dataset/store.hpp"
#include "solion/io/formats.hpp"
#include "solion/learn/stages.hpp"
#include "solion/reference/audit.hpp"
#include "support/li3ocl.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Counts {
  int evaluations = 0;
  int fails_at = 0;  ///< an evaluation that kills the process, as far as the potential is concerned
  std::vector<std::size_t> labelled, known;
};

/// The embedded potential, counted.
class Counted final : public Potential {
 public:
  explicit Counted(Counts& counts) : counts_(counts), inner_(testing::li3ocl_buckingham()) {}
  [[nodiscard]] std::string description() const override { return "counted"; }
  [[nodiscard]] const TypeMap& type_map() const override { return inner_->type_map(); }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override {
    return std::make_unique<Counted>(counts_);
  }
  void reset() override { inner_->reset(); }
  using Potential::evaluate;
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override {
    if (++counts_.evaluations == counts_.fails_at) throw WorkError("the power is cut");
    inner_->evaluate(frame, request, result);
  }

 private:
  Counts& counts_;
  std::unique_ptr<Potential> inner_;
};

class CountedLabeller final : public Labeller {
 public:
  explicit CountedLabeller(Counts& counts) : counts_(counts) {}
  [[nodiscard]] std::string description() const override { return "counted"; }
  [[nodiscard]] Json identity() const override { return {{"potential", "counted"}}; }
  void require(std::span<const Frame> /*frames*/) override {}
  void label(std::span<const Frame> frames, const std::vector<Frame>& known,
             const std::function<void(std::size_t, const Labelled&)>& done) override {
    counts_.labelled.push_back(frames.size());
    counts_.known.push_back(known.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      Labelled result;
      result.frame = labelled(frames[i]);
      done(i, result);
    }
  }
  [[nodiscard]] std::unique_ptr<Potential> potential() const override {
    return std::make_unique<Counted>(counts_);
  }
  static Frame labelled(Frame frame) {
    frame.labels.energy_eV = -1.0;
    frame.labels.forces_eV_per_A.assign(frame.n_atoms(), Vec3::Zero());
    frame.labels.virial_eV = Mat3(Mat3::Zero());
    return frame;
  }

 private:
  Counts& counts_;
};

class CampaignTest : public ::testing::Test {
 protected:
  CampaignTest() : folder_("campaign-stages") {
    campaign_.file = "campaign.toml";
    campaign_.system.supercell = {2, 1, 1};
    IterationConfig iteration;
    iteration.structures = {"perfect"};
    campaign_.iterations.push_back(iteration);
    options_.run_dir = folder_.path() / "run";
    fs::create_directories(options_.run_dir);
    ledger_.emplace(options_.run_dir / "ledger.sqlite");
  }
  [[nodiscard]] Context context() {
    return {campaign_, options_, *ledger_, labeller_, TypeMap({"Li", "O", "Cl"})};
  }
  static Frame cell(double shift) {
    Frame frame = repeat(testing::li3ocl_cell(), {2, 1, 1});
    frame.positions[0][2] += shift;
    frame.info["structure"] = "perfect";
    return frame;
  }
  /// A data set with frames of these shifts.
  fs::path data(const std::string& name, const std::vector<double>& shifts) {
    dataset::Store store(folder_.path() / name, {"Li", "O", "Cl"});
    for (const double shift : shifts)
      store.append(CountedLabeller::labelled(cell(shift)), {{"key", std::to_string(shift)}});
    return folder_.path() / name;
  }
  std::string refusal() {
    try {
      const TypeMap elements({"Li", "O", "Cl"});
      (void)given_test(campaign_, given_data(campaign_, elements), elements);
    } catch (const InputError& error) {
      return error.what();
    }
    return "(not refused)";
  }

  TemporaryFolder folder_;
  Campaign campaign_;
  Options options_;
  std::optional<Ledger> ledger_;
  Counts counts_;
  CountedLabeller labeller_{counts_};
};

TEST_F(CampaignTest, TheTrainingInputNamesTheTypesOfSystemsWithoutNames) {
  campaign_.data = {data("nameless", {0, 0.1})};
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "nameless"))
    if (entry.path().filename() == "type_map.raw") fs::remove(entry.path());
  const std::vector<DataPart> parts = given_data(campaign_, TypeMap({"Li", "O", "Cl"}));
  ASSERT_EQ(parts.size(), 1U);
  ASSERT_EQ(parts[0].frames.size(), 2U);
  EXPECT_EQ(parts[0].frames[0].formula(), cell(0).formula());
}

TEST_F(CampaignTest, AFrameGivenTwiceIsLeftOutTheSecondTimeInEveryCall) {
  const std::vector<Frame> frames{cell(0), cell(0.1), cell(0)};
  for (int call = 0; call < 2; ++call) {
    std::size_t rejected = 0;
    EXPECT_EQ(label_frames(context(), frames, rejected).size(), 2U) << call;
    EXPECT_EQ(rejected, 1U) << call;
  }
  EXPECT_THAT(counts_.labelled, ::testing::ElementsAre(2));
}

TEST_F(CampaignTest, TheAuditSeesTheLabelsFromBeforeAKill) {
  std::size_t rejected = 0;
  (void)label_frames(context(), {cell(0), cell(0.1)}, rejected, {});
  const std::vector<Frame> own{CountedLabeller::labelled(cell(0.3))};
  (void)label_frames(context(), {cell(0), cell(0.1), cell(0.2)}, rejected, own);
  EXPECT_THAT(counts_.labelled, ::testing::ElementsAre(2, 1));
  EXPECT_THAT(counts_.known, ::testing::ElementsAre(0, 3));
}

TEST_F(CampaignTest, ErrorsBelongToTheLabelsTheyWereMeasuredOn) {
  fs::copy_file(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml", options_.run_dir / "model.toml");
  const Models models{{"key"}, {"model.toml"}};
  std::vector<Frame> frames{CountedLabeller::labelled(cell(0.05))};
  const auto rmse = [&] {
    return errors_of(context(), models, "held out", frames)["all"]["force_rmse_eV_per_A"].get<double>();
  };
  const double before = rmse();
  for (Vec3& f : frames[0].labels.forces_eV_per_A) f[0] += 3;
  const double after = rmse();
  EXPECT_GT(std::abs(after - before), 0.5);
  frames[0].labels.virial_eV.reset();
  EXPECT_EQ(rmse(), after);
}

TEST_F(CampaignTest, TheReferenceIsItsSettingsAndItsTemplate) {
  const fs::path plain = folder_.path() / "plain.toml";
  fs::copy_file(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml", plain);
  ReferenceConfig config;
  config.potential = plain;
  EXPECT_EQ(open_labeller(config, folder_.path() / "work", 1)->identity()["potential"],
            sha256(read_file(plain)));
  config.potential = folder_.path() / "gpaw.toml";
  write_file(config.potential, "code = \"gpaw\"\ntemplate = \"t.py.in\"\n[kpoints]\nspacing_per_A = 1.0\n");
  const auto identity = [&](const std::string& text) {
    write_file(folder_.path() / "t.py.in", text);
    return open_labeller(config, folder_.path() / "work", 1)->identity();
  };
  const Json one = identity("mode = 'pw'\n@CELL@\n@ATOMS@\n@KPOINTS@\n");
  EXPECT_NE(one, identity("mode = 'fd'\n@CELL@\n@ATOMS@\n@KPOINTS@\n"));
  EXPECT_EQ(one, identity("mode = 'pw'\n@CELL@\n@ATOMS@\n@KPOINTS@\n"));
}

TEST(Implausible, HasTheLimitsOfTheAudit) {
  const reference::AuditLimits audit;
  EXPECT_EQ(dataset::largest_net_force_eV_per_A_per_atom, audit.net_force_eV_per_A_per_atom);
  EXPECT_EQ(dataset::largest_force_eV_per_A, audit.force_eV_per_A);
  EXPECT_EQ(dataset::largest_stress_GPa, audit.stress_GPa);
}

TEST_F(CampaignTest, TrainingFramesAreNoHeldOutSet) {
  campaign_.data = {data("train", {0, 0.1, 0.2})};
  campaign_.test.systems = {data("test", {0.3, 0.4})};
  EXPECT_EQ(refusal(), "(not refused)");
  campaign_.test.systems.push_back(data("more", {0.5, 0.2}));
  EXPECT_THAT(refusal(), HasSubstr("1 of its 4 frames are training frames of data.systems, the first " +
                                   (folder_.path() / "more/perfect").string() + ": frame 1"));
}

TEST_F(CampaignTest, ATrainingFrameInSinglePrecisionOrAnotherOrderIsStillOne) {
  campaign_.data = {data("train", {0, 0.1})};
  Frame other;  // the second frame, its atoms the other way round and rounded
  const Frame frame = CountedLabeller::labelled(cell(0.1));
  other.cell = frame.cell;
  for (const char* element : {"Cl", "O", "Li"}) {
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      if (frame.element(i) == element)
        other.add_atom(element, Vec3(frame.positions[i].cast<float>().cast<double>()));
    }
  }
  other.info["structure"] = "perfect";
  dataset::Store store(folder_.path() / "test", {"Li", "O", "Cl"});
  store.append(CountedLabeller::labelled(other), {{"key", "other"}});
  campaign_.test.systems = {folder_.path() / "test"};
  EXPECT_THAT(refusal(), HasSubstr("1 of its 1 frames are training frames of data.systems"));
}

TEST_F(CampaignTest, GivenSystemsHaveTheElementsOfTheModelsAndAreGivenOnce) {
  const fs::path train = data("train", {0});
  const fs::path sodium = data("sodium", {0.1});
  write_file(sodium / "perfect/type_map.raw", "Na\nO\nCl\n");
  campaign_.data = {train, sodium};
  EXPECT_THAT(refusal(), ::testing::AllOf(HasSubstr("data.systems: " + (sodium / "perfect").string()),
                                          HasSubstr("has Na, which the type_map of")));
  campaign_.data = {train};
  campaign_.test.systems = {sodium};
  EXPECT_THAT(refusal(), HasSubstr("test.systems: " + (sodium / "perfect").string() + " has Na"));
  campaign_.test.systems.clear();
  campaign_.data = {train, train / "perfect"};
  EXPECT_THAT(refusal(), HasSubstr("is given twice"));
}

TEST_F(CampaignTest, ItsOwnLabelsAreNoGivenSystems) {
  const auto refused = [this](const fs::path& run_dir) {
    try {
      require_own_place(campaign_, run_dir);
      return std::string("(not refused)");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
  };
  campaign_.data = {folder_.path() / "data"};
  EXPECT_EQ(refused(folder_.path() / "run"), "(not refused)");
  EXPECT_EQ(refused(folder_.path() / "data-of-all"), "(not refused)");
  EXPECT_THAT(refused(folder_.path()), HasSubstr("data.systems = '" + (folder_.path() / "data").string()));
  EXPECT_THAT(refused(folder_.path() / "x" / ".."), HasSubstr("give another --run-dir"));
  EXPECT_THAT(refused(folder_.path() / "data" / "run"), HasSubstr("give another --run-dir"));
  campaign_.data.clear();
  campaign_.test.systems = {folder_.path() / "run/data/start-1"};
  EXPECT_THAT(refused(folder_.path() / "run"), HasSubstr("test.systems"));
}

TEST_F(CampaignTest, AStructureThatIsNeitherFileNorReactionIsToldByBoth) {
  campaign_.iterations[0].structures = {"vaccancy"};
  campaign_.system.files["vacancy"] = "vacancy.vasp";
  EXPECT_THAT(
      [&] {
        rehearse(campaign_, TypeMap({"Li", "O", "Cl"}));
      },
      ::testing::ThrowsMessage<InputError>(::testing::AllOf(
          HasSubstr("structures: 'vaccancy' is none of system.files (vacancy)"), HasSubstr("reaction"))));
}

TEST_F(CampaignTest, AStopRuleThatNothingCanMeetIsRefused) {
  campaign_.data = {data("train", {0})};
  campaign_.test.systems = {data("test", {0.3})};
  campaign_.stop.force_rmse_eV_per_A = 0.02;
  EXPECT_EQ(refusal(), "(not refused)");
  campaign_.iterations[0].structures = {"perfect", "type1"};
  EXPECT_THAT(refusal(), HasSubstr("no forces of the structure type1"));
  campaign_.test.structures = {"type1"};
  EXPECT_EQ(refusal(), "(not refused)");
  fs::remove(folder_.path() / "test/perfect/set.000/force.npy");
  EXPECT_THAT(refusal(), HasSubstr("no forces of the structure perfect"));
}

TEST_F(CampaignTest, WhatWouldFailAfterTheLabelsIsRefusedBeforeThem) {
  const auto refused = [this](const TypeMap& elements, const std::string& words) {
    EXPECT_THAT([&] { rehearse(campaign_, elements); }, ::testing::ThrowsMessage<InputError>(::testing::AllOf(
                                                            HasSubstr("campaign.toml: "), HasSubstr(words))));
  };
  const TypeMap elements({"Li", "O", "Cl"});
  campaign_.iterations[0].temperatures_K = {300};
  campaign_.iterations[0].steps = 10;
  EXPECT_NO_THROW(rehearse(campaign_, elements));
  refused(TypeMap({"Na", "O", "Cl"}), "structure perfect has Li");
  campaign_.iterations[0].timestep_fs = 50;
  refused(elements, "[[iterations]] 1: md: timestep_fs = 50");
  campaign_.iterations[0].timestep_fs = 2;
  campaign_.test.temperatures_K = {1e7};
  refused(elements, "[test] md: temperature_K");
  campaign_.test.temperatures_K.clear();
  write_file(folder_.path() / "molecule.xyz", "2\nno cell\nLi 0 0 0\nCl 2 0 0\n");
  campaign_.system.files["perfect"] = folder_.path() / "molecule.xyz";
  refused(elements, "structure perfect: the frame has no cell");
}

TEST_F(CampaignTest, DynamicsWithTheReferenceGoOnAfterAKill) {
  campaign_.test.structures = {"perfect"};
  campaign_.test.temperatures_K = {300};
  campaign_.test.steps = 400;
  campaign_.test.frame_every = 40;
  std::size_t rejected = 0;
  const std::vector<Frame> whole = drawn_test(context(), rejected);
  ASSERT_EQ(whole.size(), 10U);
  const int evaluations = counts_.evaluations;
  EXPECT_GE(evaluations, 400);

  options_.run_dir = folder_.path() / "killed";
  fs::create_directories(options_.run_dir);
  ledger_.emplace(options_.run_dir / "ledger.sqlite");
  counts_.evaluations = 0;
  counts_.fails_at = 350;
  EXPECT_THROW((void)drawn_test(context(), rejected), Error);
  counts_.evaluations = counts_.fails_at = 0;
  const std::vector<Frame> again = drawn_test(context(), rejected);
  EXPECT_LT(counts_.evaluations, 150);
  ASSERT_EQ(again.size(), 10U);
  for (std::size_t k = 0; k < 10; ++k) {
    for (std::size_t i = 0; i < whole[k].n_atoms(); ++i)
      EXPECT_LT((again[k].positions[i] - whole[k].positions[i]).norm(), 1e-6) << k;
  }

  // The frames are lost: they are drawn again, not missed for ever.
  for (const auto& entry : fs::directory_iterator(options_.run_dir / "test")) fs::remove(entry.path());
  EXPECT_EQ(drawn_test(context(), rejected).size(), 10U);
  for (const auto& entry : fs::directory_iterator(options_.run_dir / "test"))
    std::ofstream(entry.path(), std::ios::app) << "damage\n";
  EXPECT_EQ(drawn_test(context(), rejected).size(), 10U);
}

}  // namespace
}  // namespace solion::learn
