// Lennard-Jones: the formula on a dimer, and what every potential must obey.
#include "solion/potential/lennard_jones.hpp"

#include <gmock/gmock.h>

#include "solion/base/errors.hpp"
#include "solion/potential/from_toml.hpp"
#include "support/potential_checks.hpp"

namespace solion {
namespace {

using ::testing::HasSubstr;

LennardJones make(double cutoff) {
  TomlTable table = TomlTable::parse(fmt::format(R"(
kind = "lennard-jones"
cutoff_A = {}
[[pairs]]
elements = ["Ar", "Ar"]
epsilon_eV = 0.0104
sigma_A = 3.4
[[pairs]]
elements = ["Ne", "Ne"]
epsilon_eV = 0.0031
sigma_A = 2.8
[[pairs]]
elements = ["Ar", "Ne"]
epsilon_eV = 0.0057
sigma_A = 3.1
)",
                                                 cutoff),
                                     "lj.toml");
  return LennardJones(LennardJonesModel::from_toml(table));
}

Frame dimer(double r) {
  Frame frame;
  frame.add_atom("Ar", Vec3::Zero());
  frame.add_atom("Ar", Vec3(0, r, 0));
  return frame;
}

TEST(LennardJones, DimerFollowsTheFormula) {
  LennardJones potential = make(8.0);
  const double r_min = 3.4 * std::pow(2.0, 1.0 / 6.0);
  const auto u = [](double r) { return 4 * 0.0104 * (std::pow(3.4 / r, 12) - std::pow(3.4 / r, 6)); };
  const double slope = testing::derivative([&](double d) { return u(8.0 + d); }, 1e-3);
  const Evaluation result = potential.evaluate(dimer(r_min));
  EXPECT_NEAR(result.energy, u(r_min) - u(8.0) - (r_min - 8.0) * slope, 1e-14);
  EXPECT_NEAR(result.forces[1][1], slope, 1e-13);
  EXPECT_NEAR(testing::energy_of(potential, dimer(7.999999)), 0.0, 1e-15);
  EXPECT_EQ(testing::energy_of(potential, dimer(8.0)), 0.0);
}

TEST(LennardJones, ObeysWhatEveryPotentialMust) {
  Frame crystal;
  crystal.cell = Cell::cubic(5.0);  // smaller than the cutoff
  crystal.add_atom("Ar", Vec3(0, 0, 0));
  crystal.add_atom("Ar", Vec3(0, 2.5, 2.5));
  crystal.add_atom("Ne", Vec3(2.5, 0, 2.5));
  crystal.add_atom("Ar", Vec3(2.5, 2.5, 0));
  LennardJones potential = make(7.0);
  // The second derivative jumps at the cutoff (by 2e-4 eV/Å² a pair), so that a small step is needed.
  testing::check_potential(potential, testing::hot_cell(crystal, 0.15),
                           {.step = 1e-4, .force_tolerance = 1e-7, .virial_tolerance = 1e-6});
}

TEST(LennardJones, RefusesWhatItCannotDo) {
  LennardJones potential = make(7.0);
  EXPECT_THAT([&] { (void)potential.evaluate(dimer(0.05)); },
              ::testing::ThrowsMessage<InputError>(HasSubstr("1 (Ar) and 2 (Ar) are 0.050 Å apart")));
  Frame other = dimer(4.0);
  other.add_atom("Xe", Vec3(4, 0, 0));
  EXPECT_THAT([&] { (void)potential.evaluate(other); },
              ::testing::ThrowsMessage<InputError>(HasSubstr("'Xe'")));
  TomlTable missing = TomlTable::parse(
      "kind = 'lennard-jones'\ncutoff_A = 5\n[[pairs]]\nelements = ['Ar', 'Ne']\n"
      "epsilon_eV = 1\nsigma_A = 3\n",
      "lj.toml");
  EXPECT_THAT([&] { (void)LennardJonesModel::from_toml(missing); },
              ::testing::ThrowsMessage<InputError>(HasSubstr("Ar and Ar is missing")));
  // 2.5 is a cutoff in units of sigma: every energy would be 0.
  EXPECT_THAT([] { (void)make(2.5); }, ::testing::ThrowsMessage<InputError>(
                                           HasSubstr("lj.toml:3: cutoff_A = 2.5: expected more than")));
  TomlTable lower = TomlTable::parse(
      "kind = 'lennard-jones'\ncutoff_A = 5\n[[pairs]]\nelements = ['ar', 'ar']\n"
      "epsilon_eV = 1\nsigma_A = 3\n",
      "lj.toml");
  EXPECT_THAT([&] { (void)LennardJonesModel::from_toml(lower); },
              ::testing::ThrowsMessage<InputError>(HasSubstr("'ar' is not an element symbol")));
}

}  // namespace
}  // namespace solion
