// Which law D(T) follows: evidence against brute force, false alarms, known laws found, the published table.
#include "solion/transport/temperature_laws.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion::transport {
namespace {

constexpr double kB = constants::boltzmann_eV_per_K;

std::vector<DiffusionPoint> table(const std::vector<double>& T, const std::function<double(double)>& ln_D,
                                  double noise, double error, std::uint64_t seed) {
  RandomStream random(seed, "laws");
  std::vector<DiffusionPoint> points;
  for (const double t : T) {
    const double D = std::exp(ln_D(t) + noise * random.normal());
    points.push_back({t, D, error * D, true});
  }
  return points;
}

const std::vector<double> seven{300, 400, 500, 600, 700, 800, 900};
double line(double T) { return std::log(2e-3) - 0.4 / (kB * T); }
/// 0.2 eV below 600 K, 0.7 eV above.
double kinked(double T) { return -14 - (T < 600 ? 0.2 : 0.7) * (1 / (kB * T) - 1 / (kB * 600)); }
double two_state(double T) {
  const double p = 1 / (1 + std::exp(2.0 / kB * (1 / T - 1 / 600.0)));
  return line(T) + std::log(1 - p + p * std::exp(4.0));
}
double vtf(double T) { return -8 - 0.1 / (kB * (T - 200)); }

TEST(TemperatureLaws, EvidenceIsTheIntegralOfTheLikelihood) {
  const auto points = table({400, 600, 800}, line, 0.1, 0.1, 1);
  const LawComparison c = compare_laws(points);
  // Riemann sum over both parameters, prior and likelihood written out once more.
  const double x0 = (1 / 400.0 + 1 / 600.0 + 1 / 800.0) / (3 * kB);
  const double sigma = std::hypot(0.1, 0.02);
  const auto normal = [](double z, double s) {
    return std::exp(-0.5 * z * z / (s * s)) / (std::sqrt(2 * constants::pi) * s);
  };
  double sum = 0;
  const double step_a = 0.005, step_e = 0.001;
  for (int i = 0; i < 1200; ++i) {
    for (int j = 0; j < 400; ++j) {
      const double a = -17 + step_a * i, e = 0.2 + step_e * j;
      double density = normal(a + 16, 6) * normal(e - 0.5, 0.5);
      for (const DiffusionPoint& p : points)
        density *= normal(std::log(p.D_cm2_per_s) - a + e * (1 / (kB * p.T_K) - x0), sigma);
      sum += density * step_a * step_e;
    }
  }
  EXPECT_NEAR(c.laws.front().ln_evidence, std::log(sum), 1e-3);
}

TEST(TemperatureLaws, RaiseFewFalseAlarms) {
  // Arrhenius data, 5 and 7 temperatures, small and large scatter, with and without errors.
  int alarms = 0, wrong = 0, all = 0;
  for (const std::size_t n : {5U, 7U}) {
    for (const double noise : {0.05, 0.2}) {
      for (const bool given : {true, false}) {
        const std::vector<double> T(seven.end() - static_cast<std::ptrdiff_t>(n), seven.end());
        for (std::uint64_t k = 0; k < 50; ++k, ++all) {
          const LawComparison c = compare_laws(table(T, line, noise, given ? noise : 0, 100 * n + k));
          alarms += c.laws[c.best].name() != "arrhenius" ? 1 : 0;
          wrong += c.laws[c.best].name() != "arrhenius" && c.decidable ? 1 : 0;
        }
      }
    }
  }
  fmt::print("{} tables of Arrhenius data: {:.1f} % false alarms, {:.1f} % taken for decided\n", all,
             100.0 * alarms / all, 100.0 * wrong / all);
  EXPECT_LE(alarms, 0.05 * all);
}

TEST(TemperatureLaws, FindEachLawInGoodData) {
  std::vector<double> T;
  for (int k = 6; k <= 18; ++k) T.push_back(50.0 * k);
  struct Known {
    std::string name;
    std::function<double(double)> ln_D;
    double T_s;
  };
  for (const Known& known : std::vector<Known>{
           {"arrhenius", line, 0}, {"kink", kinked, 600}, {"two_state", two_state, 600}, {"vtf", vtf, 0}}) {
    const LawComparison c = compare_laws(table(T, known.ln_D, 0.05, 0.05, 5));
    const TemperatureLaw& best = c.laws[c.best];
    EXPECT_EQ(best.name(), known.name) << c.verdict;
    EXPECT_TRUE(c.decidable) << c.verdict;
    EXPECT_EQ(c.arrhenius_excluded, known.name != "arrhenius");
    if (known.T_s > 0) {
      EXPECT_NEAR(best.T_s_K().value, known.T_s, 4 * best.T_s_K().error + 1);
      EXPECT_LT(best.T_s_K().error, 30);
    } else {
      EXPECT_TRUE(std::isnan(best.T_s_K().value));
    }
    // E_a(T) against the derivative of the truth.
    for (const double t : {450.0, 750.0}) {
      const double h = 0.5, x1 = 1 / (kB * (t - h)), x2 = 1 / (kB * (t + h));
      const double truth = -(known.ln_D(t - h) - known.ln_D(t + h)) / (x1 - x2);
      const Estimate Ea = best.Ea_at(t);
      EXPECT_NEAR(Ea.value, truth, 4 * Ea.error) << known.name << " at " << t;
    }
  }
}

TEST(TemperatureLaws, AskForTheTemperatureThatTellsMost) {
  // A kink at 600 K seen from 300…600 K only: what lies above decides.
  const LawComparison c = compare_laws(table({300, 350, 400, 450, 500, 550, 600}, line, 0.05, 0.05, 3));
  ASSERT_TRUE(std::isfinite(c.next_T_K));
  EXPECT_TRUE(c.next_T_K <= 300 || c.next_T_K >= 600) << c.next_T_K;  // beyond the ends, not between points
  EXPECT_GT(c.next_information, 0);
}

TEST(TemperatureLaws, DistrustErrorsThatNoLawFits) {
  auto points = table(seven, line, 0.3, 0.02, 9);
  const LawComparison c = compare_laws(points);
  EXPECT_TRUE(c.errors_too_small);
  EXPECT_EQ(c.laws[c.best].name(), "arrhenius") << c.verdict;
  EXPECT_NEAR(c.scatter, 0.3, 0.2);
  EXPECT_TRUE(c.errors_given);
  EXPECT_THAT(c.verdict, testing::HasSubstr("the errors given are smaller than the scatter: a scatter of"));
}

TEST(TemperatureLaws, SayWhatFewTemperaturesCannotTell) {
  const LawComparison c = compare_laws(table({700, 800, 900}, line, 0.1, 0, 2));
  EXPECT_FALSE(c.decidable);
  EXPECT_THAT(c.verdict, testing::HasSubstr("3 temperatures cannot tell"));
  EXPECT_THROW(compare_laws({{500, 1e-7, 0, true}}), InputError);
}

TEST(TemperatureLaws, OfThePublishedTable) {
  // Table S2 of Xia, Zhang and Pei, PCCP 2026 (d5cp04975j), without errors as published.
  const auto published = [](const std::vector<double>& D) {
    std::vector<DiffusionPoint> points;
    for (std::size_t i = 0; i < D.size(); ++i)
      points.push_back({900.0 - 100.0 * static_cast<double>(D.size() - 1 - i), D[i], 0, true});
    LawComparison c = compare_laws(points);
    fmt::print("{}\n", c.verdict);
    return c;
  };
  const LawComparison type3 = published({9.25e-9, 6.10e-8, 2.13e-7, 5.39e-7, 1.14e-6});
  EXPECT_EQ(type3.laws[type3.best].name(), "arrhenius");
  EXPECT_TRUE(type3.decidable);
  EXPECT_NEAR(type3.laws.front().parameters().front().second.value, 0.465, 0.002);
  // Type 1 bends less than it scatters.
  const LawComparison type1 = published({2.08e-9, 9.19e-9, 4.74e-8, 1.27e-7, 2.26e-7, 4.01e-7, 1.24e-6});
  EXPECT_FALSE(type1.decidable);
  EXPECT_FALSE(type1.arrhenius_excluded);
  // Type 2: no single line, but a kink and two states describe it about as well.
  const LawComparison type2 = published({2.79e-9, 7.18e-9, 3.65e-8, 1.86e-7, 1.23e-6, 1.82e-5, 3.13e-5});
  EXPECT_TRUE(type2.arrhenius_excluded);
  EXPECT_FALSE(type2.decidable);
  const LawComparison type12 = published({1.06e-8, 5.64e-8, 2.98e-7, 2.07e-6, 7.50e-6, 1.70e-5, 2.91e-5});
  EXPECT_TRUE(type12.arrhenius_excluded);
  EXPECT_EQ(type12.laws[type12.best].name(), "two_state");
  const LawComparison type23 = published({6.23e-9, 7.94e-9, 1.73e-8, 4.64e-8, 1.97e-7, 2.31e-6, 2.93e-5});
  EXPECT_TRUE(type23.arrhenius_excluded);
  EXPECT_EQ(type23.laws[type23.best].name(), "kink");
  EXPECT_NEAR(type23.laws[type23.best].T_s_K().value, 650, 50);    // published: between 600 and 700 K
  EXPECT_FALSE(published({5.41e-9, 8.44e-9, 4.97e-7}).decidable);  // type 13
}

}  // namespace
}  // namespace solion::transport
