// The limit of large cells: exact lines, Madelung constants, and two ways to one binding energy.
#include "solion/defects/binding.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/defects/formation.hpp"
#include "solion/structure/crystal.hpp"
#include "solion/structure/defects.hpp"
#include "support/li3ocl.hpp"

namespace solion::defects {
namespace {

TEST(Binding, LinesWithTheirErrors) {
  const LineFit exact = fit_line({1, 2, 4}, {3, 5, 9});
  EXPECT_NEAR(exact.intercept, 1, 1e-12);
  EXPECT_NEAR(exact.slope, 2, 1e-12);
  EXPECT_NEAR(exact.intercept_std, 0, 1e-7);
  // By hand: residuals (1, −2, 1)/6 of y = (0, 1, 3) at x = (0, 1, 2); s² = 1/6, σ_a² = s²(1/3 + 1/2).
  const LineFit scatter = fit_line({0, 1, 2}, {0, 1, 3});
  EXPECT_NEAR(scatter.intercept, -1.0 / 6, 1e-12);
  EXPECT_NEAR(scatter.slope, 1.5, 1e-12);
  EXPECT_NEAR(scatter.slope_std, std::sqrt(1.0 / 12), 1e-12);
  EXPECT_NEAR(scatter.intercept_std, std::sqrt(5.0 / 36), 1e-12);
  EXPECT_TRUE(std::isnan(fit_line({1, 2}, {1, 2}).intercept_std));
  EXPECT_THROW(fit_line({1}, {1}), InputError);
  EXPECT_THROW(fit_line({2, 2}, {1, 3}), InputError);
}

TEST(Binding, CoulombSumsOfCells) {
  // Caesium chloride: one pair a cell, −k·1.76267477/d with d = a√3/2.
  const double a = 7;
  const std::vector<Vec3> pair{Vec3::Zero(), Vec3(a / 2, a / 2, a / 2)};
  EXPECT_NEAR(periodic_coulomb_eV(Cell::cubic(a), pair, {1, -1}),
              -constants::coulomb_eV_A * 1.76267477307 / (a * std::sqrt(0.75)), 1e-7);
  // A dipole in a large cell keeps little of its images, −(2π/3)·k·p²/V with its own direct term taken off.
  const double L = 60, p = 2;
  EXPECT_NEAR(image_coulomb_eV(Cell::cubic(L), {Vec3::Zero(), Vec3(p, 0, 0)}, {1, -1}, true),
              -2 * constants::pi / 3 * constants::coulomb_eV_A * p * p / (L * L * L), 2e-6);
  EXPECT_THROW(periodic_coulomb_eV(Cell::cubic(a), pair, {1, 1}), InputError);
}

TEST(Binding, NearMinusFarMeetsIsolatedDefects) {
  // LiCl Schottky pair of the reference potential: E(far) − E(near) for L → ∞ is the energy of the two
  // charged vacancies alone, each in its background with the image term q²·k·α/(2εL) fitted away, less the
  // pair.
  const auto potential = potential_from_toml(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml", true);
  const Crystal crystal = known_crystal("li3ocl");
  const Reaction pair = crystal.chemistry.reaction("type1");
  const relax::RelaxOptions how{.force_eV_per_A = 2e-3, .stress_GPa = 2e-3};
  const Reference perfect = relax_reference(*potential, crystal.frame, how);
  std::vector<BindingPoint> points;
  std::vector<double> inverse, isolated;
  double near_eV = 0;
  for (const int n : {3, 4, 5}) {
    const auto energy = [&](const Frame& frame) {
      return formation(*potential, frame, perfect, {}, how).excess_eV;
    };
    const IntMat3 matrix = diagonal({n, n, n});
    BindingPoint p;
    p.length_A = n * std::cbrt(perfect.frame.cell->volume());
    const Cell box = Cell::cubic(p.length_A);
    const auto coulomb = [&](const DefectCell& cell, bool near) {
      std::vector<Vec3> positions;
      for (const PlacedDefect& d : cell.defects)
        positions.push_back(box.to_cartesian(cell.frame.cell->to_fractional(d.position)));
      return image_coulomb_eV(box, positions, {-1, 1}, near);
    };
    const DefectCell near = build_defect_cells(crystal, matrix, pair, {}).front();
    const DefectCell far =
        build_defect_cells(crystal, matrix, pair, {.placement = Placement::farthest}).front();
    EXPECT_TRUE(far.proven);
    near_eV = energy(near.frame);
    p.binding_eV = energy(far.frame) - near_eV;
    p.coulomb_eV = coulomb(far, false) - coulomb(near, true);
    points.push_back(p);
    const Frame super = supercell(crystal.frame, matrix);
    inverse.push_back(1 / p.length_A);
    double both = 0;
    for (const PlacedDefect& d : near.defects)
      both += energy(solion::testing::without(super, {static_cast<std::size_t>(d.atom)}));
    isolated.push_back(both);
  }
  const BindingLimit limit = extrapolate_binding(points);
  const LineFit alone = fit_line(inverse, isolated);
  // q²·k·α/(2ε) for both vacancies, α = 2.8372975.
  const double epsilon = -constants::coulomb_eV_A * 2.8372975 / alone.slope;
  std::printf(
      "near−far: %.4f ± %.4f eV by 1/L, %.4f ± %.4f eV by lattice sums, ε %.3f; isolated: %.4f ± %.4f eV, ε "
      "%.3f\n",
      limit.inverse_length.intercept, limit.inverse_length.intercept_std, limit.coulomb.intercept,
      limit.coulomb.intercept_std, 1 / limit.coulomb.slope, alone.intercept - near_eV, alone.intercept_std,
      epsilon);
  EXPECT_NEAR(points.back().binding_eV, 0.34, 0.005);  // LAMMPS in 5×5×5: 2.08 − 1.74 eV
  // The near cell's own images are left in the second number: its dipole, below 10 meV at 5×5×5.
  EXPECT_NEAR(limit.coulomb.intercept, alone.intercept - near_eV, 0.02);
  EXPECT_NEAR(1 / limit.coulomb.slope, epsilon, 0.5);
  EXPECT_NEAR(limit.inverse_length.intercept, limit.coulomb.intercept, 0.05);
}

TEST(Binding, WithoutChargesGoesWithTheVolume) {
  std::vector<BindingPoint> points;
  for (const double L : {8.0, 12.0, 16.0}) points.push_back({L, 0.1 + 5 / (L * L * L), 0});
  ASSERT_TRUE(without_charges(points));
  const LineFit fit = extrapolate_neutral_binding(points);
  EXPECT_NEAR(fit.intercept, 0.1, 1e-12);
  EXPECT_NEAR(fit.slope, 5, 1e-9);
  points.back().coulomb_eV = 0.01;
  EXPECT_FALSE(without_charges(points));
}

}  // namespace
}  // namespace solion::defects
