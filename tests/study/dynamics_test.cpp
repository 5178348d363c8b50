// Runs of molecular dynamics whose length or cell a study changes.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/study/cells.hpp"
#include "solion/study/stages.hpp"
#include "support/li3ocl.hpp"
#include "support/temp_folder.hpp"

namespace solion::study {
namespace {

Config tiny() {
  Config config;
  config.md.structures = {"perfect"};
  config.md.supercell = {2, 2, 2};
  config.md.temperatures_K = {600};
  config.md.npt_ps = 0.1;
  config.md.equilibration_ps = 0.1;
  config.md.production_ps = 0.2;
  config.md.frame_interval_fs = 20;
  config.transport.jump_length_A = 2.765;
  config.transport.rdf_pairs = {{"Li", "O"}};
  return config;
}

/// One run_dir.
class Place {
 public:
  explicit Place(const Config& config)
      : config_(config), ledger_(folder_ / "ledger.sqlite"), context_{config_, options_, ledger_} {
    options_.run_dir = folder_.path();
  }
  Json simulate(double production_ps) {
    const auto potential = testing::li3ocl_buckingham();
    return study::simulate(context_, model, {"perfect", 600}, production_ps, {*potential}, [] {});
  }
  [[nodiscard]] std::filesystem::path folder() const { return md_folder(context_, model, {"perfect", 600}); }
  [[nodiscard]] const Context& context() const { return context_; }

  const Json model{
      {"model", SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml"}, {"hash", "x"}, {"seconds", 0.0}};

 private:
  testing::TempFolder folder_;
  Config config_;
  Options options_;
  learn::Ledger ledger_;
  Context context_;
};

TEST(Dynamics, AShorterRunIsTheBeginningOfALongerOne) {
  Place longer(tiny()), fresh(tiny());
  (void)longer.simulate(0.4);
  const Json cut = longer.simulate(0.2), alone = fresh.simulate(0.2);
  for (const char* same : {"msd", "diffusion", "rdf", "formula", "atoms", "production_ps", "lattice_A"})
    EXPECT_EQ(cut[same], alone[same]) << same;
  for (const char* rounded : {"mean_temperature_K", "mean_pressure_bar", "drift_meV_per_atom_per_ps"})
    EXPECT_NEAR(cut[rounded].get<double>(), alone[rounded].get<double>(),
                1e-3 + 1e-3 * std::abs(alone[rounded].get<double>()))
        << rounded;
}

TEST(Dynamics, TheWholeCellMayMove) {
  Config config = tiny();
  config.md.barostat = "mtk-full";
  Place place(config);
  const Json first = place.simulate(0.2), further = place.simulate(0.3);  // NPT only from its restart file
  const Json& rows = first["cell_matrix_A"];
  EXPECT_EQ(rows, further["cell_matrix_A"]);
  Mat3 cell;
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k)
      cell(i, k) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)].get<double>();
  EXPECT_NEAR(std::cbrt(cell.determinant() / 8), first["lattice_A"].get<double>(), 0.01);
  EXPECT_GT((cell - Mat3(cell.diagonal().asDiagonal())).cwiseAbs().maxCoeff(), 1e-6);
  Place isotropic(tiny());
  EXPECT_FALSE(isotropic.simulate(0.2).contains("cell_matrix_A"));
  EXPECT_NE(learn::Ledger::key_of("md", place.context().ledger.tasks()[0].inputs),
            learn::Ledger::key_of("md", isotropic.context().ledger.tasks()[0].inputs));
}

/// On a device all points move together; what they do is what they do on the processor.
TEST(Dynamics, PointsOnADeviceMoveAsOnTheProcessor) {
  Config config = tiny();
  config.md.temperatures_K = {500, 700};
  config.md.structures = {"perfect", "type1x2"};
  config.md.supercells["type1x2"] = {2, 2, 3};
  config.md.precision = "double";
  config.model.file = SOLION_SOURCE_DIR "/examples/li3ocl/model.dp";
  const Json model{{"model", config.model.file.string()}, {"hash", "x"}, {"seconds", 0.0}};
  const Place cpu(config);
  config.md.device = "host";
  config.md.keep_trajectories = false;
  const Place device(config);
  const Json plan{{"production_ps", 0.2}};
  const Json one = run_points(cpu.context(), model, plan)["points"];
  const Json other = run_points(device.context(), model, plan)["points"];
  ASSERT_EQ(one.size(), 4U);
  ASSERT_EQ(other.size(), 4U);
  for (std::size_t k = 0; k < 4; ++k) {
    SCOPED_TRACE(one[k]["structure"].get<std::string>());
    ASSERT_FALSE(one[k].contains("failed")) << one[k]["failed"];
    ASSERT_FALSE(other[k].contains("failed")) << other[k]["failed"];
    EXPECT_EQ(one[k]["atoms"], other[k]["atoms"]);
    EXPECT_EQ(one[k]["atoms"].get<int>() < 45, one[k]["structure"] == "perfect");
    for (const char* number : {"mean_temperature_K", "lattice_A"})
      EXPECT_NEAR(one[k][number].get<double>(), other[k][number].get<double>(),
                  1e-6 * one[k][number].get<double>())
          << number;
    const Point point{one[k]["structure"], one[k]["temperature_K"]};
    EXPECT_TRUE(std::filesystem::exists(md_folder(cpu.context(), model, point) / "trajectory.extxyz"));
    EXPECT_FALSE(std::filesystem::exists(md_folder(device.context(), model, point) / "trajectory.extxyz"));
  }
  EXPECT_EQ(run_points(device.context(), model, plan)["points"], other);  // from the ledger
}

TEST(Dynamics, ThePlanIsKnownByWhatItDependsOn) {
  const auto inputs_of_plan = [](const Config& config) {
    const Place place(config);
    try {
      (void)plan_md(place.context(), place.model);
    } catch (const std::exception&) {  // the inputs are written down before the work
    }
    return place.context().ledger.tasks().front().inputs;
  };
  Config config = tiny();
  config.md.equilibration_ps = 5;  // not measured, so that it does not matter
  EXPECT_FALSE(inputs_of_plan(config).contains("equilibration_ps"));
  config.time_budget_min = 1e-6;
  config.md.production_max_ps = 1;
  EXPECT_EQ(inputs_of_plan(config)["equilibration_ps"], 5);
  EXPECT_FALSE(inputs_of_plan(config).contains("precision"));
  config.md.equilibration_ps = 1;
  EXPECT_FALSE(inputs_of_plan(config).contains("equilibration_ps"));
}

}  // namespace
}  // namespace solion::study
