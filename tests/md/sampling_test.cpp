// Statistics: the sampled distributions of kinetic energy, potential energy and volume, against closed forms.
#include <gmock/gmock.h>

#include <cmath>
#include <string>
#include <tuple>

#include "md/known_potentials.hpp"
#include "md/statistics.hpp"
#include "solion/base/constants.hpp"
#include "solion/md/simulation.hpp"

namespace solion::md {
namespace {

using namespace testing;

constexpr double temperature_K = 300;
constexpr double kT = constants::boltzmann_eV_per_K * temperature_K;

Settings coupled(Ensemble ensemble, Thermostat thermostat) {
  Settings s;
  s.ensemble = ensemble;
  s.thermostat = thermostat;
  s.thermostat_time_fs = 50;
  s.stages = {{100000000, temperature_K, temperature_K}};
  s.seed = 5;
  return s;
}

struct Samples {
  std::vector<double> kinetic, potential, volume;
  double conserved_drift;  ///< largest change of the conserved quantity over the run, eV
};

Samples sample(const Settings& settings, KnownCase& c, int n, int stride) {
  Simulation run(settings, c.frame, c.potential);
  for (int i = 0; i < 50 * stride; ++i) run.step();
  Samples samples{};
  const double start = run.thermo().conserved_eV;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < stride; ++j) run.step();
    const Thermo t = run.thermo();
    samples.kinetic.push_back(t.kinetic_eV);
    samples.potential.push_back(t.potential_eV);
    samples.volume.push_back(t.volume_A3);
    samples.conserved_drift = std::max(samples.conserved_drift, std::abs(t.conserved_eV - start));
  }
  return samples;
}

class Canonical : public ::testing::TestWithParam<Thermostat> {};

TEST_P(Canonical, KineticAndPotentialEnergyFollowTheirGammaDistributions) {
  KnownCase c = crystal(2, 4, 1.0);
  const Settings s = coupled(Ensemble::nvt, GetParam());
  const Samples samples = sample(s, c, 2000, 100);
  const double n_f = degrees_of_freedom(8, GetParam());
  EXPECT_LT(lag_one(samples.kinetic), 0.4);
  EXPECT_LT(lag_one(samples.potential), 0.4);
  const double ks_k =
      kolmogorov_smirnov(samples.kinetic, [&](double x) { return gamma_cdf(n_f / 2, x / kT); });
  EXPECT_LT(ks_k, ks_critical);
  // The wrong number of degrees of freedom must show, or the test proves nothing.
  EXPECT_GT(kolmogorov_smirnov(samples.kinetic, [&](double x) { return gamma_cdf((n_f + 3) / 2, x / kT); }),
            5);
  const double ks_u =
      kolmogorov_smirnov(samples.potential, [&](double x) { return gamma_cdf(21.0 / 4, x / kT); });
  EXPECT_LT(ks_u, ks_critical);
  EXPECT_LT(samples.conserved_drift, 0.1 * kT);
  RecordProperty("ks_kinetic", std::to_string(ks_k));
  RecordProperty("ks_potential", std::to_string(ks_u));
  RecordProperty("drift_in_kT", std::to_string(samples.conserved_drift / kT));
}

std::string name_of(Thermostat t) {
  return t == Thermostat::nose_hoover ? "NoseHoover" : t == Thermostat::csvr ? "Csvr" : "Langevin";
}
INSTANTIATE_TEST_SUITE_P(Md, Canonical,
                         ::testing::Values(Thermostat::nose_hoover, Thermostat::csvr, Thermostat::langevin),
                         [](const auto& p) { return name_of(p.param); });

class Isobaric : public ::testing::TestWithParam<std::tuple<Thermostat, Barostat>> {};

TEST_P(Isobaric, VolumeOfAnElasticCellIsKnown) {
  const Thermostat thermostat = std::get<0>(GetParam());
  const Barostat barostat = std::get<1>(GetParam());
  KnownCase c = crystal(2, 4, 1.0);
  c.potential.bulk = 0.02;
  c.potential.volume0 = c.frame.cell->volume();
  c.potential.kappa = 1.0;
  Settings s = coupled(Ensemble::npt, thermostat);
  s.barostat = barostat;
  s.barostat_time_fs = 200;
  s.pressure_bar = 2000;
  const Samples samples = sample(s, c, 1000, 200);
  EXPECT_LT(lag_one(samples.volume), 0.6);
  const double pressure = s.pressure_bar * constants::bar_in_GPa / constants::eV_per_A3_in_GPa;
  const double width = std::sqrt(kT * c.potential.volume0 / c.potential.bulk);
  const double centre = c.potential.volume0 * (1 - pressure / c.potential.bulk);
  // Normal, ∝ exp(−(PV + B(V − V₀)²/2V₀)/kT); times V where the centre of mass moves and so explores the
  // cell.
  const double density0 = 1 / std::sqrt(2 * constants::pi);
  const auto cdf = [&](double v) {
    const double z = (v - centre) / width;
    if (thermostat != Thermostat::langevin) return normal_cdf(z);
    return normal_cdf(z) - width / centre * density0 * std::exp(-z * z / 2);
  };
  const double ks_v = kolmogorov_smirnov(samples.volume, cdf);
  EXPECT_LT(ks_v, ks_critical);
  EXPECT_LT(samples.conserved_drift, 0.3 * kT);
  RecordProperty("ks_volume", std::to_string(ks_v));
  RecordProperty("drift_in_kT", std::to_string(samples.conserved_drift / kT));
  const double n_f = degrees_of_freedom(8, thermostat);
  EXPECT_LT(kolmogorov_smirnov(samples.kinetic, [&](double x) { return gamma_cdf(n_f / 2, x / kT); }),
            ks_critical);
}

/// Atoms without forces are ergodic only where the thermostat is: a chain is not, and one factor for all
/// velocities never turns them, so that CSVR leaves the shape of a full cell without a stationary
/// distribution.
class IdealGas : public Isobaric {};

TEST_P(IdealGas, VolumeIsGammaWithTheRightExponent) {
  const auto [thermostat, barostat] = GetParam();
  KnownCase c;
  for (int i = 0; i < 8; ++i)
    c.frame.add_atom(i % 2 == 0 ? "Li" : "O", 10.0 * Vec3(i & 1, (i >> 1) & 1, (i >> 2) & 1));
  c.frame.cell = Cell::cubic(20);
  c.potential.map = c.frame.type_map;
  c.potential.kappa = 0.5;
  Settings s = coupled(Ensemble::npt, thermostat);
  s.barostat = barostat;
  s.timestep_fs = 2;
  s.barostat_time_fs = 200;
  s.pressure_bar = 40;
  const Samples samples = sample(s, c, 1000, 300);
  EXPECT_LT(lag_one(samples.volume), 0.6);
  const double pressure = s.pressure_bar * constants::bar_in_GPa / constants::eV_per_A3_in_GPa;
  // ∝ V^N·exp(−PV/kT) where the centre of mass moves; its rest takes one V away.
  const double shape = thermostat == Thermostat::langevin ? 9 : 8;
  const auto fit = [&](double a) {
    return kolmogorov_smirnov(samples.volume, [&](double v) { return gamma_cdf(a, pressure * v / kT); });
  };
  EXPECT_LT(fit(shape), ks_critical);
  EXPECT_GT(fit(shape + 1), 2.5);
  EXPECT_GT(fit(shape - 1), 2.5);
  RecordProperty("ks_volume", std::to_string(fit(shape)));
}

std::string name_of_pair(const ::testing::TestParamInfo<std::tuple<Thermostat, Barostat>>& p) {
  return name_of(std::get<0>(p.param)) + (std::get<1>(p.param) == Barostat::full ? "Full" : "Isotropic");
}
INSTANTIATE_TEST_SUITE_P(Md, Isobaric,
                         ::testing::Combine(::testing::Values(Thermostat::nose_hoover, Thermostat::csvr,
                                                              Thermostat::langevin),
                                            ::testing::Values(Barostat::isotropic, Barostat::full)),
                         name_of_pair);
INSTANTIATE_TEST_SUITE_P(Md, IdealGas,
                         ::testing::Values(std::tuple{Thermostat::csvr, Barostat::isotropic},
                                           std::tuple{Thermostat::langevin, Barostat::isotropic},
                                           std::tuple{Thermostat::langevin, Barostat::full}),
                         name_of_pair);

}  // namespace
}  // namespace solion::md
