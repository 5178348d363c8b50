// Density of atomistic states: the perfect crystal has one, a vacancy makes more, and the curve is
// normalised.
#include "solion/transport/doas.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "support/li3ocl.hpp"

namespace solion::transport {
namespace {

Frame shaken(Frame frame) {
  RandomStream random(8, "doas");
  for (Vec3& r : frame.positions) r += 0.05 * Vec3(random.normal(), random.normal(), random.normal());
  return frame;
}

TEST(Doas, OfThePerfectCrystalIsOneLineAndOfAVacancyIsMore) {
  const auto potential = solion::testing::li3ocl_buckingham();
  const Frame crystal = repeat(solion::testing::li3ocl_cell(3.9085), {2, 2, 2});
  DoasOptions options;
  options.species = "Li";
  options.relaxation.force_eV_per_A = 1e-3;
  DoasAccumulator perfect(options, {potential.get(), potential.get()});
  perfect.add(shaken(crystal), "frame");
  const Doas one = perfect.result();
  EXPECT_EQ(one.n_ions, 24U);
  EXPECT_EQ(one.n_unrelaxed, 0U);
  EXPECT_LT(one.models[0].deviation_eV, 1e-3);
  EXPECT_NEAR(one.committee_spread_eV, 0, 1e-9);  // a committee of one model twice
  double total = 0;
  for (std::size_t k = 1; k < one.energy_eV.size(); ++k)
    total += one.models[0].density[k] * (one.energy_eV[k] - one.energy_eV[k - 1]);
  EXPECT_NEAR(total, 1, 1e-3);

  options.relax = false;
  DoasAccumulator thermal(options, {potential.get()});
  thermal.add(shaken(crystal), "frame");
  EXPECT_GT(thermal.result().models[0].deviation_eV, 0.02);
  EXPECT_TRUE(std::isnan(thermal.result().committee_spread_eV));

  options.relax = true;
  DoasAccumulator vacancy(options, {potential.get()});
  vacancy.add(shaken(solion::testing::without(crystal, {0, 4})), "frame");  // a LiCl pair is missing
  EXPECT_GT(vacancy.result().models[0].deviation_eV, 0.02);
  DoasOptions other = options;
  other.species = "Na";
  DoasAccumulator none(other, {potential.get()});
  EXPECT_THROW(none.add(crystal, "frame"), InputError);
}

}  // namespace
}  // namespace solion::transport
