// Relaxation against what is known: equilibrium of the reference potential, fcc argon-like crystals,
// symmetry, energy.
#include "solion/relax/minimize.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "solion/potential/lennard_jones.hpp"
#include "support/li3ocl.hpp"

namespace solion::relax {
namespace {

Frame shaken(Frame frame, double by) {
  RandomStream random(4, "relax");
  for (Vec3& r : frame.positions) r += by * Vec3(random.normal(), random.normal(), random.normal());
  return frame;
}

/// A stiff spring of 1 Å between two atoms. It refuses them closer than `wall_A`, and its energy, not its
/// force, jumps up by `jump_eV` below 1.001 Å: as where a pair passes a cutoff.
class Spring : public Potential {
 public:
  Spring(double wall_A, double jump_eV) : wall_A_(wall_A), jump_eV_(jump_eV) {}
  [[nodiscard]] std::string description() const override { return "spring"; }
  [[nodiscard]] const TypeMap& type_map() const override { return types_; }
  using Potential::evaluate;
  void evaluate(const Frame& frame, const Request&, Evaluation& result) override {
    const Vec3 way = frame.positions[1] - frame.positions[0];
    const double d = way.norm();
    if (d < wall_A_) throw InputError("atoms 1 and 2 are {} Å apart", d);
    result.energy = 50 * (d - 1) * (d - 1) + (d < 1.001 ? jump_eV_ : 0);
    const Vec3 force = -100 * (d - 1) / d * way;
    result.forces = {-force, force};
    result.virial = force * way.transpose();
  }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override { return std::make_unique<Spring>(*this); }

 private:
  double wall_A_, jump_eV_;
  TypeMap types_{{"Li"}};
};

TEST(Relax, ATrialStepThatThePotentialRefusesIsShortened) {
  Spring potential(0.9, 0);
  Frame start;
  start.add_atom("Li", Vec3::Zero());
  start.add_atom("Li", Vec3(1.15, 0, 0));
  const RelaxResult r = minimize(potential, start, {.force_eV_per_A = 1e-5});
  EXPECT_TRUE(r.converged);
  EXPECT_NEAR((r.frame.positions[1] - r.frame.positions[0]).norm(), 1, 1e-6);
  start.positions[1][0] = 0.8;  // but a start that is refused is the user's to mend
  EXPECT_THROW(minimize(potential, start, {}), InputError);
}

TEST(Relax, AJumpOfTheEnergyIsNoEnd) {
  Spring potential(0, 1e-4);
  Frame start;
  start.add_atom("Li", Vec3::Zero());
  start.add_atom("Li", Vec3(1.04, 0, 0));
  const RelaxResult r = minimize(potential, start, {.force_eV_per_A = 1e-3});
  EXPECT_TRUE(r.converged);
  EXPECT_NEAR((r.frame.positions[1] - r.frame.positions[0]).norm(), 1, 1e-5);
}

TEST(Relax, FindsTheCrystalAgain) {
  const auto potential = solion::testing::li3ocl_buckingham();
  const Frame crystal = solion::testing::li3ocl_cell(3.9085);
  const double energy = potential->evaluate(crystal).energy;
  const RelaxResult r = minimize(*potential, shaken(crystal, 0.08), {.force_eV_per_A = 1e-4});
  EXPECT_TRUE(r.converged);
  EXPECT_LE(r.largest_force_eV_per_A, 1e-4);
  EXPECT_NEAR(r.energy_eV, energy, 1e-6);
  EXPECT_LT(r.steps, 60);
}

TEST(Relax, FindsTheLatticeConstant) {
  // a = 3.9085 Å by LAMMPS (shared/reference/li3ocl-buckingham.md), from 3 % off and sheared.
  const auto potential = solion::testing::li3ocl_buckingham();
  Frame start = solion::testing::li3ocl_cell(4.03);
  Mat3 h = start.cell->matrix();
  h(1, 0) += 0.08;
  const Cell sheared(h);
  for (Vec3& r : start.positions) r = sheared.to_cartesian(start.cell->to_fractional(r));
  start.cell = sheared;
  const RelaxResult full =
      minimize(*potential, start, {.cell = CellMode::full, .force_eV_per_A = 1e-4, .stress_GPa = 1e-3});
  ASSERT_TRUE(full.converged) << full.steps << " " << full.largest_force_eV_per_A << " "
                              << full.largest_stress_GPa;
  const Mat3 metric = full.frame.cell->matrix() * full.frame.cell->matrix().transpose();
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) EXPECT_NEAR(metric(i, j), i == j ? 3.9085 * 3.9085 : 0, 0.004);
  const RelaxResult isotropic =
      minimize(*potential, solion::testing::li3ocl_cell(4.03),
               {.cell = CellMode::isotropic, .force_eV_per_A = 1e-4, .stress_GPa = 1e-3});
  ASSERT_TRUE(isotropic.converged);
  EXPECT_NEAR(isotropic.frame.cell->vector(0).norm(), 3.9085, 0.0005);
  EXPECT_NEAR(isotropic.energy_eV, full.energy_eV, 1e-6);
}

TEST(Relax, GivesTheCompoundsOfTheReference) {
  // LAMMPS: LiCl −8.43548 eV at 5.271 Å, Li2O −30.3910 eV at 4.665 Å a formula unit, four in a cubic cell.
  const auto potential = solion::testing::li3ocl_buckingham();
  const std::vector<Vec3> fcc{{0, 0, 0}, {0, 0.5, 0.5}, {0.5, 0, 0.5}, {0.5, 0.5, 0}};
  Frame salt, oxide;
  salt.cell = Cell::cubic(5.1);
  oxide.cell = Cell::cubic(4.8);
  for (const Vec3& f : fcc) {
    salt.add_atom("Li", 5.1 * f);
    salt.add_atom("Cl", 5.1 * (f + Vec3(0.5, 0.5, 0.5)));
    oxide.add_atom("O", 4.8 * f);
    for (const double k : {0.25, 0.75}) oxide.add_atom("Li", 4.8 * (f + Vec3(k, k, k)));
  }
  const RelaxOptions options{.cell = CellMode::full, .force_eV_per_A = 1e-3, .stress_GPa = 1e-3};
  const RelaxResult a = minimize(*potential, salt, options), b = minimize(*potential, oxide, options);
  ASSERT_TRUE(a.converged && b.converged);
  EXPECT_NEAR(a.energy_eV / 4, -8.43548, 2e-5);
  EXPECT_NEAR(std::cbrt(a.frame.cell->volume()), 5.271, 1e-3);
  EXPECT_NEAR(b.energy_eV / 4, -30.3910, 1e-4);
  EXPECT_NEAR(std::cbrt(b.frame.cell->volume()), 4.665, 1e-3);
}

TEST(Relax, AgainstAPressureReachesIt) {
  const auto potential = solion::testing::li3ocl_buckingham();
  RelaxOptions options{.cell = CellMode::full, .pressure_GPa = 5, .force_eV_per_A = 1e-4, .stress_GPa = 1e-3};
  const RelaxResult r = minimize(*potential, solion::testing::li3ocl_cell(3.91), options);
  ASSERT_TRUE(r.converged);
  const Evaluation e = potential->evaluate(r.frame, {.virial = true});
  const double pressure = e.virial.trace() / 3 / r.frame.cell->volume() * constants::eV_per_A3_in_GPa;
  EXPECT_NEAR(pressure, 5, 2e-3);
  EXPECT_NEAR(r.enthalpy_eV, e.energy + 5 / constants::eV_per_A3_in_GPa * r.frame.cell->volume(), 1e-9);
  // Bulk modulus (C11 + 2·C12)/3 = 69.5 GPa: 5 GPa shrink the volume by 6 to 7 %.
  EXPECT_NEAR(r.frame.cell->volume() / std::pow(3.9085, 3), 0.936, 0.01);
}

TEST(Relax, TellsWhenItIsNotDone) {
  const auto potential = solion::testing::li3ocl_buckingham();
  const RelaxResult r =
      minimize(*potential, shaken(solion::testing::li3ocl_cell(3.9), 0.1), {.max_steps = 2});
  EXPECT_FALSE(r.converged);
  EXPECT_LE(r.steps, 2);
  EXPECT_GT(r.largest_force_eV_per_A, 0.01);
  Frame loose;
  loose.add_atom("Li", Vec3::Zero());
  EXPECT_THROW(minimize(*potential, loose, {.cell = CellMode::full}), InputError);
  EXPECT_THROW(minimize(*potential, solion::testing::li3ocl_cell(3.9), {.force_eV_per_A = 0}), InputError);
}

TEST(Relax, GivesUpWhereTheCellFliesApart) {
  const auto potential = solion::testing::li3ocl_buckingham();
  const RelaxResult r = minimize(*potential, solion::testing::li3ocl_cell(3.91),
                                 {.cell = CellMode::isotropic, .pressure_GPa = -30});
  EXPECT_TRUE(r.flew_apart);
  EXPECT_FALSE(r.converged);
  EXPECT_LT(r.steps, 500);
  // Far compressed at the start is no such case.
  const RelaxResult back = minimize(*potential, solion::testing::li3ocl_cell(2.6), {.cell = CellMode::full});
  EXPECT_TRUE(back.converged && !back.flew_apart);
}

TEST(Relax, OfACluster) {
  // Three Lennard-Jones atoms without a cell: an equilateral triangle.
  LennardJonesModel model{.type_map = TypeMap({"Ar"}), .pairs = {{0.0104, 3.4}}, .cutoff_A = 12};
  LennardJones potential(model);
  Frame cluster;
  for (const Vec3& r : {Vec3(0, 0, 0), Vec3(3.5, 0.4, 0), Vec3(1.0, 3.9, 0.3)}) cluster.add_atom("Ar", r);
  const RelaxResult r = minimize(potential, cluster, {.force_eV_per_A = 1e-7});
  ASSERT_TRUE(r.converged);
  const double d = (r.frame.positions[1] - r.frame.positions[0]).norm();
  EXPECT_NEAR((r.frame.positions[2] - r.frame.positions[0]).norm(), d, 1e-4);
  EXPECT_NEAR((r.frame.positions[2] - r.frame.positions[1]).norm(), d, 1e-4);
  EXPECT_NEAR(d, 3.4 * std::pow(2, 1.0 / 6), 0.01);  // the shift of the force moves it a little
}

}  // namespace
}  // namespace solion::relax
