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
    return study::simulate(context_, model, {"perfect", 600}, production_ps, *potential, [] {});
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
