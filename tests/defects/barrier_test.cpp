// Distinct hops against what symmetry says; barriers that are interrupted, continued and refused.
#include "solion/defects/barrier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "defects/oblique_cell.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/defects/vacancy_hops.hpp"
#include "support/li3ocl.hpp"
#include "support/temp_folder.hpp"

namespace solion::defects {
namespace {

using solion::testing::li3ocl_cell;

HopLattice lattice_of(const std::array<int, 3>& n) {
  const Frame unit = li3ocl_cell(3.9085);
  return {unit, find_symmetry(unit), diagonal(n)};
}

std::unique_ptr<Potential> ions() {
  return potential_from_toml(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml", true);
}

/// Rigid ions whose clones, the images of a band, refuse every frame but a few: as where ions come too close.
class Refusing final : public Potential {
 public:
  explicit Refusing(int evaluations) : left_(evaluations) {}
  using Potential::evaluate;
  [[nodiscard]] std::string description() const override { return "refusing"; }
  [[nodiscard]] const TypeMap& type_map() const override { return inner_->type_map(); }
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override {
    if (left_-- == 0) throw InputError("too close");
    inner_->evaluate(frame, request, result);
  }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override { return std::make_unique<Refusing>(3); }

 private:
  std::unique_ptr<Potential> inner_ = ions();
  int left_;
};

TEST(VacancyHops, OfThePerfectCrystal) {
  const HopLattice cubic = lattice_of({3, 3, 3});
  EXPECT_NEAR(nearest_hops_A(cubic, "Li"), 1.2 * 3.9085 / std::sqrt(2.0), 1e-9);
  // A Li at a face centre has 8 neighbours at a/√2; at a, two along the O–Li–O axis and four across it.
  const std::vector<VacancyHop> hops = crystal_hops(cubic, "Li", 4.5);
  ASSERT_EQ(hops.size(), 3U);
  EXPECT_EQ(hops[0].per_vacancy, 8);
  EXPECT_EQ(hops[0].in_cell, 81 * 8 / 2);
  EXPECT_THAT((std::vector{hops[1].per_vacancy, hops[2].per_vacancy}), ::testing::UnorderedElementsAre(2, 4));
  for (const VacancyHop& hop : hops) {
    EXPECT_EQ(hop.initial.n_atoms(), 134U);
    double moved = 0;
    for (std::size_t i = 0; i < hop.initial.n_atoms(); ++i)
      moved += (hop.final_frame.positions[i] - hop.initial.positions[i]).norm();
    EXPECT_NEAR(moved, hop.distance_A, 1e-9);
  }
  // A supercell of lower symmetry splits the class; together the hops stay the same.
  int total = 0;
  const std::vector<VacancyHop> split = crystal_hops(lattice_of({2, 2, 3}), "Li", 3.0);
  EXPECT_EQ(split.size(), 2U);
  for (const VacancyHop& hop : split) total += hop.in_cell;
  EXPECT_EQ(total, 36 * 8 / 2);
  EXPECT_THROW(crystal_hops(lattice_of({2, 2, 2}), "Li", 4.0), InputError);  // half the width is 3.91
  EXPECT_THROW(crystal_hops(cubic, "S", 4.0), InputError);
  EXPECT_THROW(crystal_hops(cubic, "Li", 1.0), InputError);
}

TEST(VacancyHops, NextToADefect) {
  const HopLattice lattice = lattice_of({3, 3, 3});
  const Frame perfect = supercell(lattice.unit, lattice.matrix);
  // Li of the first cell at (½,½,0) and the Cl at the corner (0,0,0): 4 of the vacancy's 8 neighbours are
  // neighbours of the chlorine's site too.
  Frame start = solion::testing::without(perfect, {0, 4});
  for (Vec3& r : start.positions) r += Vec3(0.02, -0.01, 0.03);  // a relaxed cell need not sit on the sites
  const std::vector<VacancyHop> hops = defect_hops(lattice, start, "Li", 3.0);
  int total = 0;
  for (const VacancyHop& hop : hops) {
    EXPECT_EQ(hop.to, 0);
    total += hop.per_vacancy;
  }
  EXPECT_EQ(total, 8);
  EXPECT_LT(hops.size(), 8U);
  const std::vector<VacancyHop> one = defect_hops(lattice, start, "Li", 3.0, std::pair{0, 1});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].from, 1);
  EXPECT_THROW(defect_hops(lattice, start, "Li", 3.0, std::pair{1, 2}), InputError);  // both occupied
  EXPECT_THROW(defect_hops(lattice, start, "Li", 3.0, std::pair{0, 3}), InputError);  // an O
  EXPECT_THROW(defect_hops(lattice, start, "Li", 3.0, std::pair{0, 999}), InputError);
  EXPECT_THROW(defect_hops(lattice, perfect, "Li", 3.0), InputError);  // no vacancy
  // With an atom off the sites no symmetry is used: eight hops.
  start.add_atom("Li", perfect.positions[40] + Vec3(1.2, 1.1, 0.9));
  EXPECT_EQ(defect_hops(lattice, start, "Li", 3.0).size(), 8U);
}

TEST(VacancyHops, ATurnedCellIsNotFullOfVacancies) {
  const Frame unit = solion::testing::oblique_cell(false);
  const HopLattice lattice{unit, find_symmetry(unit), diagonal({2, 2, 2})};
  const auto vacancy = [&](bool turned) {
    return solion::testing::without(supercell(solion::testing::oblique_cell(turned), lattice.matrix), {3});
  };
  for (const VacancyHop& hop : defect_hops(lattice, vacancy(false), "Li", 4.0)) EXPECT_EQ(hop.to, 3);
  EXPECT_THROW(defect_hops(lattice, vacancy(true), "Li", 4.0), InputError);
}

TEST(Barrier, WhereThePotentialHasNoEnergyIsNoFaultOfTheInput) {
  const VacancyHop hop = crystal_hops(lattice_of({2, 2, 2}), "Li", 3.0).front();
  BarrierOptions options;
  options.images = 3;
  Refusing potential(-1);
  EXPECT_THROW(find_barrier(potential, hop.initial, hop.final_frame, options), WorkError);
}

TEST(Barrier, GoesOnWhereItWasStopped) {
  const auto potential = ions();
  const VacancyHop hop = crystal_hops(lattice_of({2, 2, 2}), "Li", 3.0).front();
  BarrierOptions options;
  options.images = 5;
  options.band.force_eV_per_A = 2e-3;
  const Barrier whole = find_barrier(*potential, hop.initial, hop.final_frame, options);
  ASSERT_TRUE(whole.neb.band.converged);
  EXPECT_EQ(whole.moving_atoms, 1);
  EXPECT_TRUE(whole.ends_hold());
  EXPECT_EQ(net_charge_e(*potential, hop.initial), -1);
  EXPECT_NEAR(whole.hop_A, hop.distance_A, 0.4);  // neighbours lean into the vacancy

  const solion::testing::TempFolder folder;
  BarrierRun run{folder / "path.xyz", "ions", false, {}};
  BarrierOptions cut = options;
  cut.band.max_steps = 6;
  const Barrier first = find_barrier(*potential, hop.initial, hop.final_frame, cut, run);
  EXPECT_FALSE(first.neb.band.converged);
  const Barrier second = find_barrier(*potential, hop.initial, hop.final_frame, options, run);
  EXPECT_EQ(second.first_step, 6);
  ASSERT_TRUE(second.neb.band.converged);
  EXPECT_NEAR(second.neb.forward_eV, whole.neb.forward_eV, 1e-4);
  // Finished: nothing is left to do.
  const Barrier third = find_barrier(*potential, hop.initial, hop.final_frame, options, run);
  EXPECT_EQ(third.neb.band.steps, 0);
  EXPECT_NEAR(third.neb.forward_eV, second.neb.forward_eV, 1e-8);
  // A smaller force holds for the ends as well.
  BarrierOptions tight = options;
  tight.band.force_eV_per_A = 1e-4;
  const Barrier fourth = find_barrier(*potential, hop.initial, hop.final_frame, tight, run);
  ASSERT_TRUE(fourth.neb.band.converged);
  for (const Frame* end : {&fourth.neb.band.images.front(), &fourth.neb.band.images.back()})
    for (const Vec3& f : potential->evaluate(*end).forces) EXPECT_LE(f.norm(), 0.25e-4 + 1e-9);
  EXPECT_NEAR(fourth.neb.forward_eV,
              find_barrier(*potential, hop.initial, hop.final_frame, tight).neb.forward_eV, 1e-6);
  // Killed between the start and the band: the ends are kept.
  const std::string kept = read_file(folder / "path.xyz");
  run.path_file = folder / "ends.xyz";
  struct Stop {};
  run.each = [](const std::string& stage, int, double, double) {
    if (stage == "band") throw Stop();
  };
  EXPECT_THROW(find_barrier(*potential, hop.initial, hop.final_frame, options, run), Stop);
  run.each = [](const std::string& stage, int, double, double) { EXPECT_EQ(stage, "band"); };
  EXPECT_NEAR(find_barrier(*potential, hop.initial, hop.final_frame, options, run).neb.forward_eV,
              whole.neb.forward_eV, 1e-4);
  // Another job's file is not touched.
  run.path_file = folder / "path.xyz";
  run.potential_identity = "another potential";
  EXPECT_THROW(find_barrier(*potential, hop.initial, hop.final_frame, options, run), InputError);
  EXPECT_EQ(read_file(folder / "path.xyz"), kept);
  EXPECT_THROW(find_barrier(*potential, hop.initial, hop.initial, options), WorkError);
}

}  // namespace
}  // namespace solion::defects
