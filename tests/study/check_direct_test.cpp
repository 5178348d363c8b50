// Checks against direct DFT, with labels that are known multiples of what the model says.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/dataset/store.hpp"
#include "solion/study/check_parts.hpp"
#include "solion/study/checks.hpp"
#include "support/li3ocl.hpp"
#include "support/temp_folder.hpp"

namespace solion::study {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
namespace fs = std::filesystem;

constexpr double factor = 1.02;  // label / model

Frame scaled(Frame frame, double s) {
  frame.cell = Cell(Mat3(frame.cell->matrix() * s));
  for (Vec3& r : frame.positions) r *= s;
  return frame;
}

/// Li2O (antifluorite) or LiCl (rock salt), conventional cell.
Frame compound(const std::string& name) {
  Frame frame;
  const double a = name == "Li2O" ? 4.6 : 5.1;
  frame.cell = Cell::cubic(a);
  for (const Vec3& at : {Vec3(0, 0, 0), Vec3(0, .5, .5), Vec3(.5, 0, .5), Vec3(.5, .5, 0)}) {
    frame.add_atom(name == "Li2O" ? "O" : "Cl", a * at);
    if (name == "LiCl") frame.add_atom("Li", a * (at + Vec3(.5, .5, .5)));
    if (name == "Li2O") {
      frame.add_atom("Li", a * (at + Vec3(.25, .25, .25)));
      frame.add_atom("Li", a * (at + Vec3(.75, .75, .75)));
    }
  }
  return frame;
}

class CheckDirect : public ::testing::Test {
 protected:
  CheckDirect() : ledger_(folder_ / "ledger.sqlite"), context_{config_, options_, ledger_} {
    options_.run_dir = folder_.path();
    config_.seed = 1;
  }

  /// Appends the frame with the potential's energy times `factor`.
  void keep(const std::string& set, const std::string& structure, Frame frame, int n) {
    frame.labels = {};
    frame.labels.energy_eV = factor * potential_->evaluate(frame, {.forces = false}).energy;
    frame.labels.forces_eV_per_A.assign(frame.n_atoms(), Vec3::Zero());
    frame.labels.virial_eV = Mat3::Zero();
    dataset::Store(folder_ / set, {"Li", "O", "Cl"})
        .append(frame, {{"key", set + structure + std::to_string(n)}, {"structure", structure}});
  }
  void keep_volumes(const std::string& set, const std::string& structure, const Frame& frame) {
    for (int k = 0; k < 6; ++k) keep(set, structure, scaled(frame, 0.96 + 0.016 * k), k);
  }
  Json check(Verdicts& verdicts) {
    const Json model{{"model", SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml"}, {"hash", "x"}};
    return check_direct(context_, model, verdicts);
  }

  testing::TempFolder folder_;
  std::unique_ptr<Potential> potential_ = testing::li3ocl_buckingham();
  Config config_;
  Options options_;
  learn::Ledger ledger_;
  Context context_;
};

TEST_F(CheckDirect, FindsHowFarTheModelIsOff) {
  const Frame cell = testing::li3ocl_cell(3.9);
  keep_volumes("eos", "perfect", cell);
  for (int k = 0; k < 4; ++k) {
    Frame frame = cell;
    frame.positions[0][0] += 0.15 * k;
    keep("path", "hop", frame, k);
    if (k % 3 == 0) keep("path", "ends", frame, k);
  }
  keep_volumes("compounds", "Li2O", compound("Li2O"));
  keep_volumes("compounds", "LiCl", compound("LiCl"));
  keep("formation", "perfect", cell, 0);
  keep("formation", "no_licl", testing::without(cell, {0, 4}), 0);
  DirectConfig& d = config_.checks.direct;
  d.equation_of_state = folder_ / "eos";
  d.path = folder_ / "path";
  d.formation = folder_ / "formation";
  d.compounds = folder_ / "compounds";
  d.lattice_A = 1e-6;
  d.bulk_modulus_percent = 1;
  d.barrier_meV = d.formation_meV = 1e6;
  Verdicts verdicts;
  const Json found = check(verdicts);
  const Json list = verdicts.json();
  ASSERT_EQ(list.size(), 5U);
  // E → 1.02·E moves no minimum, and makes everything 1.02 times as stiff, as high and as costly.
  EXPECT_TRUE(list[0]["met"].get<bool>()) << list[0];
  EXPECT_NEAR(list[1]["value"].get<double>(), 100 * (1 / factor - 1), 1e-6);
  EXPECT_FALSE(list[1]["met"].get<bool>());
  EXPECT_FALSE(verdicts.all_met());
  ASSERT_EQ(found["paths"].size(), 2U);
  EXPECT_EQ(found["paths"][0]["name"], "ends");
  const Json& path = found["paths"][1];
  EXPECT_DOUBLE_EQ(found["paths"][0]["barrier_model_eV"], path["barrier_model_eV"]);
  EXPECT_GT(path["barrier_model_eV"].get<double>(), 0.1);
  EXPECT_NEAR(path["barrier_label_eV"].get<double>(), factor * path["barrier_model_eV"].get<double>(), 1e-9);
  const Json& formation = found["formation"][0];
  EXPECT_EQ(formation["name"], "no_licl");
  EXPECT_GT(std::abs(formation["model_eV"].get<double>()), 0.1);
  EXPECT_NEAR(formation["label_eV"].get<double>(), factor * formation["model_eV"].get<double>(), 1e-6);
}

TEST_F(CheckDirect, TheLatticeConstantIsThatOfTheConventionalCell) {
  DirectConfig& d = config_.checks.direct;
  d.lattice_A = d.bulk_modulus_percent = 1e6;
  const auto of = [&](const std::string& set, const Frame& frame) {
    keep_volumes(set, "crystal", frame);
    d.equation_of_state = folder_ / set;
    Verdicts verdicts;
    const Json label = check(verdicts)["equation_of_state"]["label"];
    const std::string what = verdicts.json()[0]["what"];
    return std::pair(what, std::pow(label["lattice_A"].get<double>(), 3) / label["volume_A3"].get<double>());
  };
  const auto [named, units] = of("licl", compound("LiCl"));
  EXPECT_EQ(named, "lattice constant at 0 K, difference");
  EXPECT_NEAR(units, 4, 1e-9);
  EXPECT_NEAR(of("li3ocl", repeat(testing::li3ocl_cell(3.9), {2, 1, 1})).second, 1, 1e-9);
  Frame oblong = testing::li3ocl_cell(3.9);
  oblong.cell = Cell(Mat3(oblong.cell->matrix() * Vec3(1, 1, 1.01).asDiagonal()));
  for (Vec3& r : oblong.positions) r[2] *= 1.01;
  const auto [other, one] = of("oblong", oblong);
  EXPECT_EQ(other, "cube root of the volume of a formula unit at 0 K, difference");
  EXPECT_NEAR(one, 1, 1e-9);
}

TEST_F(CheckDirect, SaysWhatIsMissing) {
  keep_volumes("compounds", "LiCl", compound("LiCl"));
  keep("formation", "type2", testing::li3ocl_cell(), 0);
  DirectConfig& d = config_.checks.direct;
  d.formation = folder_ / "formation";
  d.compounds = folder_ / "compounds";
  Verdicts verdicts;
  EXPECT_THAT([&] { (void)check(verdicts); },
              ThrowsMessage<InputError>(HasSubstr("expected a system named perfect")));
  keep("formation", "perfect", testing::without(testing::li3ocl_cell(), {0, 1, 3}), 0);  // Li2O more
  EXPECT_THAT(
      [&] { (void)check(verdicts); },
      ThrowsMessage<InputError>(HasSubstr("type2 differs from the perfect cell by no whole compounds")));
}

TEST(Verdicts, AMissByLittleShows) {
  EXPECT_EQ(beside_bar(14.8228, 20), "14.82");
  EXPECT_EQ(beside_bar(0.9989964, 0.999), "0.998996");
  EXPECT_EQ(beside_bar(0.999, 0.999), "0.999");
}

TEST(Verdicts, ANumberThatIsNotThereIsMissed) {
  Verdicts verdicts;
  verdicts.add("a", -0.5, 1, "");
  EXPECT_TRUE(verdicts.all_met());
  verdicts.add("r2", 0.5, 0.9, "", true);
  verdicts.add("none", Json(), 1e9, "");
  verdicts.add("nan", std::nan(""), 1e9, "");
  const Json list = verdicts.json();
  EXPECT_TRUE(list[0]["met"].get<bool>());
  for (const std::size_t k : {1U, 2U, 3U}) EXPECT_FALSE(list[k]["met"].get<bool>()) << list[k];
}

}  // namespace
}  // namespace solion::study
