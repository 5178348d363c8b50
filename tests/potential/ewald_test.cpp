// Ewald sums: Madelung constants, independence of the splitting, the promised accuracy.
#include "solion/potential/ewald.hpp"

#include <gtest/gtest.h>

#include "solion/base/errors.hpp"
#include "solion/potential/buckingham.hpp"
#include "support/potential_checks.hpp"

namespace solion {
namespace {

/// Point charges only: +1 and −1, e²/(4πε₀) as in CODATA.
Buckingham charges_only(double accuracy, double cutoff = 3.0) {
  BuckinghamModel model;
  model.type_map = TypeMap({"Na", "Cl"});
  model.charges = {1, -1};
  model.pairs.resize(4);
  model.cutoff_A = cutoff;
  model.ewald_accuracy = accuracy;
  return Buckingham(model);
}

TEST(Ewald, RockSaltHasItsMadelungConstant) {
  Frame frame;
  const double a = 5.64;
  frame.cell = Cell(Mat3{{0, a / 2, a / 2}, {a / 2, 0, a / 2}, {a / 2, a / 2, 0}});
  frame.add_atom("Na", Vec3::Zero());
  frame.add_atom("Cl", Vec3(a / 2, 0, 0));
  Buckingham potential = charges_only(1e-13);
  // OEIS A085469.
  const double expected = -1.7475645946331821906 * constants::coulomb_eV_A / (a / 2);
  const Evaluation result = potential.evaluate(frame);
  EXPECT_NEAR(result.energy, expected, 1e-11);
  // E ∝ 1/a: the trace of the virial is the energy.
  EXPECT_NEAR(result.virial.trace(), expected, 1e-10);
}

TEST(Ewald, CaesiumChlorideHasItsMadelungConstant) {
  Frame frame;
  const double a = 4.12;
  frame.cell = Cell::cubic(a);
  frame.add_atom("Na", Vec3::Zero());
  frame.add_atom("Cl", Vec3(a / 2, a / 2, a / 2));
  Buckingham potential = charges_only(1e-13);
  // OEIS A181152, for the nearest-neighbour distance.
  const double expected = -1.7626747730709883 * constants::coulomb_eV_A / (a * std::sqrt(3.0) / 2);
  EXPECT_NEAR(testing::energy_of(potential, frame), expected, 1e-11);
}

/// 32 ions at random in a triclinic cell, no two nearer than 2 Å.
Frame random_salt() {
  Frame frame;
  frame.cell = Cell(Mat3{{11, 0.5, 0.3}, {-2, 9, 0.7}, {1, 2, 12}});
  RandomStream random(3, "salt");
  while (frame.n_atoms() < 32) {
    const Vec3 r = frame.cell->to_cartesian(Vec3(random.uniform(), random.uniform(), random.uniform()));
    bool free = true;
    for (const Vec3& other : frame.positions)
      free = free && frame.cell->minimum_image(r - other).norm() > 2.0;
    if (free) frame.add_atom(frame.n_atoms() % 2 == 0 ? "Na" : "Cl", r);
  }
  return frame;
}

TEST(Ewald, KeepsItsAccuracy) {
  const Frame frame = random_salt();
  Buckingham exact = charges_only(1e-14);
  const Evaluation reference = exact.evaluate(frame);
  for (const double accuracy : {1e-4, 1e-6, 1e-8, 1e-10, 1e-12}) {
    Buckingham potential = charges_only(accuracy);
    const Evaluation result = potential.evaluate(frame);
    double error2 = 0;
    for (std::size_t i = 0; i < frame.n_atoms(); ++i)
      error2 += (result.forces[i] - reference.forces[i]).squaredNorm();
    const double rms = std::sqrt(error2 / static_cast<double>(frame.n_atoms()));
    // Both truncations may reach it, and an estimate for random charges is no bound: a factor of 2.
    EXPECT_LT(rms, 2 * accuracy * constants::coulomb_eV_A) << accuracy;
    // And it is not far better than asked for, which would waste time.
    EXPECT_GT(rms, accuracy * constants::coulomb_eV_A / 100) << accuracy;
  }
}

TEST(Ewald, DoesNotDependOnTheSplitting) {
  const Frame frame = random_salt();
  std::vector<double> charges;
  for (const int t : frame.types) charges.push_back(t == 0 ? 1 : -1);
  // The reciprocal part at two α differs by the real-space part of all pairs, which must make up for it.
  std::vector<double> totals;
  for (const double r_cut : {5.0, 7.0, 9.0}) {
    const EwaldPlan plan = plan_ewald(32, 32, frame.cell->volume(), 1e-13, r_cut);
    EwaldReciprocal::Result part;
    EwaldReciprocal().evaluate(*frame.cell, frame.positions, charges, plan, 1, part);
    Neighborhood near;
    near.build(frame, r_cut, 0);
    double energy = part.energy;
    for (int i = 0; i < near.n_local(); ++i) {
      for (const int j : near.neighbors(i)) {
        const double r = (near.position(j) - near.position(i)).norm();
        energy += 0.5 * charges[static_cast<std::size_t>(i)] *
                  charges[static_cast<std::size_t>(near.owner(j))] * std::erfc(plan.alpha * r) / r;
      }
    }
    totals.push_back(energy);
  }
  EXPECT_NEAR(totals[0], totals[1], 1e-11);
  EXPECT_NEAR(totals[0], totals[2], 1e-11);
}

TEST(Ewald, IsTheSameBitForBitWithAnyNumberOfThreads) {
  const Frame frame = repeat(random_salt(), {2, 2, 1});
  Buckingham potential = charges_only(1e-8);
  testing::check_threads(potential, frame, {.rounding = 0.0});
}

TEST(Ewald, RefusesImpossibleSettings) {
  EXPECT_THROW((void)plan_ewald(8, 8, 100, 0.5), InputError);
  EXPECT_THROW((void)plan_ewald(8, 8, 100, 1e-16), InputError);
  EXPECT_THROW((void)plan_ewald(8, 8, 100, std::nan("")), InputError);
  EXPECT_THROW((void)plan_ewald(8, 8, 100, 1e-6, -1.0), InputError);
}

}  // namespace
}  // namespace solion
