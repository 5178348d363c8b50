// Formation energies: bookkeeping of atoms and cells, and what must not matter.
#include "solion/defects/formation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "defects/oblique_cell.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "support/li3ocl.hpp"

namespace solion::defects {
namespace {

using solion::testing::li3ocl_buckingham;
using solion::testing::li3ocl_cell;
using solion::testing::without;

Frame licl() {
  Frame salt;
  salt.cell = Cell::cubic(5.2);
  for (const Vec3& f : {Vec3(0, 0, 0), Vec3(0, 0.5, 0.5), Vec3(0.5, 0, 0.5), Vec3(0.5, 0.5, 0)}) {
    salt.add_atom("Li", 5.2 * f);
    salt.add_atom("Cl", 5.2 * (f + Vec3(0.5, 0.5, 0.5)));
  }
  return salt;
}

Frame li2o() {
  Frame oxide;
  oxide.cell = Cell::cubic(4.7);
  for (const Vec3& f : {Vec3(0, 0, 0), Vec3(0, 0.5, 0.5), Vec3(0.5, 0, 0.5), Vec3(0.5, 0.5, 0)}) {
    oxide.add_atom("O", 4.7 * f);
    for (const double k : {0.25, 0.75}) oxide.add_atom("Li", 4.7 * (f + Vec3(k, k, k)));
  }
  return oxide;
}

/// LiCl in the structure of CsCl, which rigid ions hold by its symmetry alone.
Frame caesium_chloride_type() {
  Frame salt;
  salt.cell = Cell::cubic(3.2);
  salt.add_atom("Li", Vec3::Zero());
  salt.add_atom("Cl", Vec3(1.6, 1.6, 1.6));
  return salt;
}

const relax::RelaxOptions tight{.force_eV_per_A = 2e-3, .stress_GPa = 2e-3};

TEST(Formation, OfThePerfectCrystalIsZero) {
  const auto potential = li3ocl_buckingham();
  const Reference perfect = relax_reference(*potential, li3ocl_cell(3.95), tight);
  EXPECT_EQ(perfect.units, 1);
  const Formation none = formation(*potential, repeat(li3ocl_cell(3.95), {2, 2, 1}), perfect, {}, tight);
  EXPECT_EQ(none.crystal_cells, 4);
  EXPECT_NEAR(none.formation_eV, 0, 1e-6);
  EXPECT_THROW(formation(*potential, li3ocl_cell(4.1), perfect, {}, tight),
               InputError);  // of another crystal
}

TEST(Formation, WritesTheChangeAsCompounds) {
  const auto potential = li3ocl_buckingham();
  const Reference perfect = relax_reference(*potential, li3ocl_cell(), tight);
  const Reference salt = relax_reference(*potential, licl(), tight);
  const Reference oxide = relax_reference(*potential, li2o(), tight);
  EXPECT_EQ(salt.units, 4);
  const Frame super = repeat(li3ocl_cell(), {2, 2, 2});
  // LiCl Schottky pair at neighbouring sites: atom 0 is a Li, the Cl nearest to it.
  std::size_t chlorine = 0;
  double nearest = 1e9;
  for (std::size_t i = 0; i < super.n_atoms(); ++i) {
    if (super.element(i) != "Cl") continue;
    const double d = super.cell->minimum_image(super.positions[i] - super.positions[0]).norm();
    if (d < nearest) {
      nearest = d;
      chlorine = i;
    }
  }
  const Formation pair = formation(*potential, without(super, {0, chlorine}), perfect, {oxide, salt}, tight);
  ASSERT_EQ(pair.compounds.size(), 2U);
  EXPECT_NEAR(pair.compounds[0], 0, 1e-9);
  EXPECT_NEAR(pair.compounds[1], -1, 1e-9);
  EXPECT_NEAR(pair.formation_eV, pair.energy_eV - 8 * perfect.energy_eV + salt.energy_eV / 4, 1e-9);
  EXPECT_LT(pair.energy_eV, pair.unrelaxed_eV);
  EXPECT_GT(pair.formation_eV, 1.0);  // 1.74 eV in 5×5×5 cells
  EXPECT_LT(pair.formation_eV, 2.5);
  EXPECT_TRUE(is_local(pair));
  // Without compounds the number does not exist, and one vacancy is no sum of these compounds.
  EXPECT_TRUE(
      std::isnan(formation(*potential, without(super, {0, chlorine}), perfect, {}, tight).formation_eV));
}

TEST(Formation, SaysWhereTheCrystalItselfGivesWay) {
  const auto potential = li3ocl_buckingham();
  const Reference perfect = relax_reference(*potential, caesium_chloride_type(), tight);
  const Frame super = repeat(caesium_chloride_type(), {3, 3, 3});
  const Formation pair = formation(*potential, without(super, {0, 1}), perfect, {}, {});
  EXPECT_LT(pair.excess_eV, perfect.energy_eV * -1);
  EXPECT_GT(pair.moved_atoms, 5);
  EXPECT_FALSE(is_local(pair));
}

TEST(Formation, KnowsThePerfectCrystal) {
  const Frame perfect = repeat(li3ocl_cell(), {2, 2, 2});
  Frame strained = perfect;
  strained.cell = Cell(Mat3(perfect.cell->matrix() * Eigen::DiagonalMatrix<double, 3>(1.05, 1, 0.97)));
  for (Vec3& r : strained.positions) r = strained.cell->to_cartesian(perfect.cell->to_fractional(r));
  EXPECT_TRUE(is_perfect(strained, perfect));
  Frame exchanged = strained;  // two ions of one element in each other's place
  std::swap(exchanged.positions[0], exchanged.positions[5]);
  EXPECT_EQ(is_perfect(exchanged, perfect), perfect.element(0) == perfect.element(5));
  strained.positions[0] += Vec3(1.2, 1.2, 0);
  EXPECT_FALSE(is_perfect(strained, perfect));
  EXPECT_FALSE(is_perfect(without(perfect, {0}), perfect));
}

TEST(Formation, RefusesATurnedCell) {
  const Frame unit = solion::testing::oblique_cell(false);
  const auto defect = [](bool turned, const Vec3& origin) {
    Frame super = without(repeat(solion::testing::oblique_cell(turned), {2, 2, 1}), {3, 9});
    for (Vec3& r : super.positions) r += origin;
    return super;
  };
  EXPECT_EQ(share_on_sites(defect(false, Vec3::Zero()), unit), 1);
  EXPECT_EQ(share_on_sites(defect(false, Vec3(0.3, 2.1, -1)), unit), 1);  // the origin says nothing
  EXPECT_LT(share_on_sites(defect(true, Vec3::Zero()), unit), 0.5);
  const auto potential = li3ocl_buckingham();
  const Reference perfect{unit, unit.cell->matrix(), 0, composition(unit), 1};
  EXPECT_THROW(formation(*potential, defect(true, Vec3::Zero()), perfect, {}, tight), InputError);
}

TEST(Formation, BindingCountsAtoms) {
  Formation vacancy, other, pair;
  vacancy.changed = {{"Li", -1}, {"O", 0}};
  vacancy.excess_eV = 5;
  other.changed = {{"Cl", -1}};
  other.excess_eV = 4;
  pair.changed = {{"Li", -1}, {"Cl", -1}};
  pair.excess_eV = 8.5;
  EXPECT_NEAR(binding_eV({vacancy, other}, pair), 0.5, 1e-12);
  EXPECT_THROW(binding_eV({vacancy}, pair), InputError);
}

TEST(Formation, BoltzmannMean) {
  const double kT = constants::boltzmann_eV_per_K * 300;
  EXPECT_NEAR(boltzmann_mean_eV({0, kT}, {1, 1}, 300), kT * std::exp(-1.0) / (1 + std::exp(-1.0)), 1e-12);
  EXPECT_NEAR(boltzmann_mean_eV({1, 1}, {3, 96}, 300), 1, 1e-12);
  EXPECT_NEAR(boltzmann_mean_eV({0, 5}, {1, 96}, 300), 0, 1e-12);
  EXPECT_THROW(boltzmann_mean_eV({1}, {1, 2}, 300), InputError);
}

}  // namespace
}  // namespace solion::defects
