// The equation of state against itself written in its usual form, and against the stress of a potential.
#include "solion/relax/equation_of_state.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "support/li3ocl.hpp"

namespace solion::relax {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Birch's own form, with E₀, V₀, B₀ (GPa) and B₀′.
double birch(double v, double e0, double v0, double b0, double b1) {
  const double eta = std::pow(v0 / v, 2.0 / 3);
  const double b = b0 / constants::eV_per_A3_in_GPa;
  return e0 + 9 * v0 * b / 16 * (std::pow(eta - 1, 3) * b1 + std::pow(eta - 1, 2) * (6 - 4 * eta));
}

TEST(EquationOfState, FindsWhatMadeTheEnergies) {
  std::vector<double> volumes, energies;
  for (int k = 0; k < 7; ++k) {
    const double s = 0.94 + 0.02 * k;
    volumes.push_back(480 * s);
    energies.push_back(birch(480 * s, -173.2, 477.3, 54.7, 4.6));
  }
  const EquationOfState fit = fit_birch_murnaghan(volumes, energies);
  EXPECT_NEAR(fit.volume_A3, 477.3, 1e-6);
  EXPECT_NEAR(fit.energy_eV, -173.2, 1e-9);
  EXPECT_NEAR(fit.bulk_modulus_GPa, 54.7, 1e-6);
  EXPECT_NEAR(fit.bulk_derivative, 4.6, 1e-6);
  EXPECT_LT(fit.rms_eV, 1e-9);
  EXPECT_NEAR(fit.at(500), birch(500, -173.2, 477.3, 54.7, 4.6), 1e-8);
}

TEST(EquationOfState, AgreesWithTheStressOfAPotential) {
  const auto potential = testing::li3ocl_buckingham();
  const Frame crystal = testing::li3ocl_cell();
  std::vector<double> volumes, energies, pressures;
  for (int k = 0; k < 7; ++k) {
    const double s = 0.97 + 0.01 * k;
    Frame frame = crystal;
    frame.cell = Cell(Mat3(crystal.cell->matrix() * s));
    for (Vec3& r : frame.positions) r *= s;
    const Evaluation e = potential->evaluate(frame, {.virial = true});
    volumes.push_back(frame.cell->volume());
    energies.push_back(e.energy);
    pressures.push_back(e.virial.trace() / 3 / frame.cell->volume() * constants::eV_per_A3_in_GPa);
  }
  const EquationOfState fit = fit_birch_murnaghan(volumes, energies);
  for (std::size_t i = 1; i + 1 < volumes.size(); ++i) {
    constexpr double h = 1e-3;
    const double slope =
        -(fit.at(volumes[i] + h) - fit.at(volumes[i] - h)) / (2 * h) * constants::eV_per_A3_in_GPa;
    // The potential is no polynomial: what third order leaves, of pressures of up to 11 GPa.
    EXPECT_NEAR(slope, pressures[i], 0.02) << volumes[i];
  }
}

TEST(EquationOfState, RefusesWhatHasNoMinimum) {
  const std::vector<double> volumes{1, 2, 3, 4, 5}, rising{1, 2, 3, 4, 5}, four{1, 2, 3, 4};
  EXPECT_THAT([&] { (void)fit_birch_murnaghan(volumes, rising); },
              ThrowsMessage<InputError>(HasSubstr("no minimum of the energy between 1.000 and 5.000")));
  EXPECT_THAT([&] { (void)fit_birch_murnaghan(four, four); },
              ThrowsMessage<InputError>(HasSubstr("4 volumes and 4 energies")));
  const std::vector<double> broken{1, 0, std::nan(""), 0, 1};
  EXPECT_THAT([&] { (void)fit_birch_murnaghan(volumes, broken); },
              ThrowsMessage<InputError>(HasSubstr("expected finite numbers")));
}

}  // namespace
}  // namespace solion::relax
