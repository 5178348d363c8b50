// The Arrhenius line: exact recovery, errors, bounds, and the published D(T) of the study.
#include "solion/transport/arrhenius.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "solion/transport/temperature_laws.hpp"

namespace solion::transport {
namespace {

constexpr double kB = constants::boltzmann_eV_per_K;

std::vector<DiffusionPoint> line(double Ea, double D0, double relative_error) {
  std::vector<DiffusionPoint> points;
  for (int k = 3; k <= 9; ++k) {
    const double T = 100.0 * k;
    const double D = D0 * std::exp(-Ea / (kB * T));
    points.push_back({T, D, relative_error * D, true});
  }
  return points;
}

TEST(Arrhenius, RecoversAnExactLine) {
  for (const double error : {0.0, 0.1}) {
    const ArrheniusFit fit = fit_arrhenius(line(0.31, 2e-3, error));
    EXPECT_NEAR(fit.Ea_eV.value, 0.31, 1e-12);
    EXPECT_NEAR(fit.D0_cm2_per_s(), 2e-3, 1e-14);
    EXPECT_NEAR(fit.r2, 1.0, 1e-12);
    EXPECT_NEAR(fit.ln_D_at(450).value, std::log(2e-3) - 0.31 / (kB * 450), 1e-12);
  }
}

TEST(Arrhenius, ErrorsOfTheLineCoverTheTruth) {
  RandomStream random(5, "arrhenius");
  int covered = 0;
  constexpr int n = 400;
  for (int k = 0; k < n; ++k) {
    auto points = line(0.31, 2e-3, 0.05);
    for (auto& p : points) p.D_cm2_per_s *= std::exp(0.05 * random.normal());
    const ArrheniusFit fit = fit_arrhenius(points);
    if (std::abs(fit.Ea_eV.value - 0.31) < fit.Ea_eV.error) ++covered;
  }
  EXPECT_NEAR(covered / double{n}, 0.683, 3 * std::sqrt(0.683 * 0.317 / n));  // three binomial deviations
}

TEST(Arrhenius, DistrustsErrorsThatDoNotExplainTheScatter) {
  // Scatter of 30 %, errors of 1 %: the error of E_a is that of the scatter, as it is without errors.
  RandomStream random(6, "arrhenius");
  double square = 0, claimed = 0;
  constexpr int n = 300;
  for (int k = 0; k < n; ++k) {
    auto points = line(0.31, 2e-3, 0.01);
    for (auto& p : points) p.D_cm2_per_s *= std::exp(0.3 * random.normal());
    for (auto& p : points) p.std_cm2_per_s = 0.01 * p.D_cm2_per_s;
    const ArrheniusFit fit = fit_arrhenius(points);
    EXPECT_TRUE(fit.errors_too_small);
    EXPECT_THAT(fit.notes, testing::ElementsAre(testing::HasSubstr("smaller than the scatter")));
    square += std::pow(fit.Ea_eV.value - 0.31, 2) / n;
    claimed += fit.Ea_eV.error * fit.Ea_eV.error / n;
  }
  EXPECT_NEAR(claimed / square, 1, 0.25);  // 300 tables with 5 degrees of freedom each
  EXPECT_FALSE(fit_arrhenius(line(0.31, 2e-3, 0.01)).errors_too_small);
}

TEST(Arrhenius, IntervalsFromTheScatterOfThreePointsHold) {
  RandomStream random(7, "arrhenius");
  constexpr int n = 600;
  constexpr double T_K = 300;
  const double truth = std::log(2e-3) - 0.31 / (kB * T_K);
  for (const double error : {0.0, 0.001}) {  // none, and ones that are not believed
    int covered = 0, fits = 0;
    while (fits < n) {
      auto points = line(0.31, 2e-3, error);
      points.resize(3);
      for (auto& p : points) p.D_cm2_per_s *= std::exp(0.2 * random.normal());
      for (auto& p : points) p.std_cm2_per_s = error * p.D_cm2_per_s;
      const ArrheniusFit fit = fit_arrhenius(points);
      if (error > 0 && !fit.errors_too_small) continue;  // three points on a line by chance, one table in 80
      EXPECT_EQ(fit.degrees_of_freedom, 1);
      ++fits;
      if (std::abs(fit.ln_D_at(T_K).value - truth) < fit.ln_D_half_width_68(T_K)) ++covered;
    }
    EXPECT_NEAR(covered / double{n}, 0.683, 3 * std::sqrt(0.683 * 0.317 / n)) << error;
  }
  const ArrheniusFit given = fit_arrhenius(line(0.31, 2e-3, 0.1));
  EXPECT_EQ(given.degrees_of_freedom, 0);
  EXPECT_EQ(given.ln_D_half_width_68(T_K), given.ln_D_at(T_K).error);
}

TEST(Arrhenius, LeavesBoundsOutAndSaysSo) {
  auto points = line(0.31, 2e-3, 0.1);
  points[0].resolved = false;
  points[0].D_cm2_per_s *= 0.01;  // a bound that the line breaks
  const ArrheniusFit fit = fit_arrhenius(points);
  EXPECT_EQ(fit.n_used, 6U);
  EXPECT_NEAR(fit.Ea_eV.value, 0.31, 1e-12);
  EXPECT_THAT(fit.notes, testing::ElementsAre(testing::HasSubstr("300 K is left out"),
                                              testing::HasSubstr("above the bound at 300 K")));
}

TEST(Arrhenius, NotesWhatNoIonInASolidHas) {
  const auto notes = [](double Ea, const std::vector<double>& said_K, const std::vector<double>& true_K) {
    std::vector<DiffusionPoint> points;
    for (std::size_t i = 0; i < said_K.size(); ++i)
      points.push_back({said_K[i], 1e-3 * std::exp(-Ea / (kB * true_K[i])), 0, true});
    return fit_arrhenius(points).notes;
  };
  const std::vector<double> T{300, 400, 500, 600};
  using testing::Contains, testing::HasSubstr;
  EXPECT_THAT(notes(0.3, T, T), testing::IsEmpty());
  EXPECT_THAT(notes(0.3, {27, 127, 227, 327}, T), Contains(HasSubstr("T from 27 to 327 K: is that in °C?")));
  EXPECT_THAT(notes(0.3, {3.333, 2.5, 2, 1.667}, T), Contains(HasSubstr("is that 1000/T?")));
  EXPECT_THAT(notes(0.3, {600, 500, 400, 300}, T), Contains(HasSubstr("D falls where T rises")));
  EXPECT_THAT(notes(4, T, T), Contains(HasSubstr("outside 0.02 to 3 eV")));
  EXPECT_THAT(notes(0.01, T, T), Contains(HasSubstr("outside 0.02 to 3 eV")));
}

TEST(Arrhenius, CountsTemperaturesNotRows) {
  const std::vector<DiffusionPoint> points{
      {500, 1e-8, 0, true}, {500, 1.1e-8, 0, true}, {600, 9e-8, 0, true}, {600, 1e-7, 0, true}};
  EXPECT_EQ(fit_arrhenius(points).n_temperatures, 2U);
  EXPECT_THAT(compare_laws(points).verdict, testing::HasSubstr("2 temperatures cannot tell the laws apart"));
}

/// Exact D of VTF at 400 to 1000 K with errors of 3 %: T₀ = 250 K.
std::vector<DiffusionPoint> vtf() {
  std::vector<DiffusionPoint> points;
  for (double T = 400; T <= 1000; T += 100) {
    const double D = std::exp(-8 - 0.1 / (kB * (T - 250)));
    points.push_back({T, D, 0.03 * D, true});
  }
  return points;
}

TEST(Laws, SayWhatABentLawMakesOfAnotherTemperature) {
  const LawComparison c = compare_laws(vtf());
  ASSERT_TRUE(c.arrhenius_excluded);
  const TemperatureLaw& best = c.laws[c.best];
  ASSERT_EQ(best.name(), "vtf");
  EXPECT_THAT(c.verdict, testing::HasSubstr("ruled out (< 0.1 %)"));
  const double truth = -8 - 0.1 / (kB * 50);  // at 300 K
  EXPECT_NEAR(best.ln_D_quantile(300, 0.5), truth, 0.7);
  EXPECT_LT(best.ln_D_quantile(300, 0.1587), truth);
  EXPECT_GT(best.ln_D_quantile(300, 0.8413), truth);
  // T₀ is known to 4.5 K (a fine grid over it), not to the distance of the nodes.
  for (const auto& [name, T0] : best.parameters()) {
    if (name == "T0_K") {
      EXPECT_NEAR(T0.error, 4.5, 0.3);
    }
  }
  EXPECT_TRUE(std::isinf(best.ln_D_quantile(200, 0.5)));  // below T₀ there is no D
  // A straight law has a symmetric posterior.
  const TemperatureLaw& straight = c.laws.front();
  const Estimate mean = straight.ln_D_at(300);
  EXPECT_NEAR(straight.ln_D_quantile(300, 0.5), mean.value, 1e-6);
  EXPECT_NEAR(straight.ln_D_quantile(300, 0.8413447), mean.value + mean.error, 1e-3 * mean.error);
}

TEST(Laws, SayThatTinyErrorsAreNotBelieved) {
  auto points = line(0.31, 2e-3, 1e-12);
  const LawComparison c = compare_laws(points);
  EXPECT_THAT(c.verdict, testing::HasSubstr("errors of D as given, with 2 % in quadrature (2 %)"));
  for (auto& p : points) p.std_cm2_per_s = 0.1 * p.D_cm2_per_s;
  EXPECT_THAT(compare_laws(points).verdict, testing::HasSubstr("errors of D as given (10 %)"));
}

TEST(Arrhenius, RefusesWhatIsNoLine) {
  EXPECT_THROW(fit_arrhenius({}), InputError);
  EXPECT_THROW(fit_arrhenius({{500, 1e-7, 0, true}, {500, 2e-7, 0, true}}), InputError);
  EXPECT_THROW(fit_arrhenius({{500, 1e-7, 0, true}, {600, -2e-7, 0, true}}), InputError);
  EXPECT_THROW(fit_arrhenius({{500, std::nan(""), 0, true}, {600, 2e-7, 0, true}}), InputError);
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_THROW(fit_arrhenius({{500, infinite, 0, true}, {600, 2e-7, 0, true}}), InputError);
  EXPECT_THROW(fit_arrhenius({{500, 1e-7, 1e-8, true}, {600, 2e-7, infinite, true}}), InputError);
  EXPECT_THROW(fit_arrhenius({{infinite, 1e-7, 0, true}, {600, 2e-7, 0, true}}), InputError);
}

// Table S2 of Xia, Zhang and Pei, PCCP 2026 (d5cp04975j); 0 where it gives no value.
const std::map<std::string, std::vector<double>> table_s2{
    {"type1", {2.08e-9, 9.19e-9, 4.74e-8, 1.27e-7, 2.26e-7, 4.01e-7, 1.24e-6}},
    {"type2", {2.79e-9, 7.18e-9, 3.65e-8, 1.86e-7, 1.23e-6, 1.82e-5, 3.13e-5}},
    {"type3", {0, 0, 9.25e-9, 6.10e-8, 2.13e-7, 5.39e-7, 1.14e-6}},
    {"type12", {1.06e-8, 5.64e-8, 2.98e-7, 2.07e-6, 7.50e-6, 1.70e-5, 2.91e-5}},
    {"type23", {6.23e-9, 7.94e-9, 1.73e-8, 4.64e-8, 1.97e-7, 2.31e-6, 2.93e-5}}};

TEST(Arrhenius, GivesThePublishedActivationEnergies) {
  const std::map<std::string, double> published{
      {"type1", 0.239}, {"type2", 0.369}, {"type3", 0.465}, {"type12", 0.322}, {"type23", 0.284}};
  for (const auto& [name, D] : table_s2) {
    std::vector<DiffusionPoint> points;
    for (std::size_t i = 0; i < D.size(); ++i)
      if (D[i] > 0) points.push_back({300.0 + 100.0 * static_cast<double>(i), D[i], 0, true});
    const ArrheniusFit fit = fit_arrhenius(points);
    EXPECT_NEAR(fit.Ea_eV.value, published.at(name), 5.01e-4) << name;  // published to three digits
    if (name == "type3") {
      EXPECT_NEAR(fit.r2, 0.9997, 5e-5);
    }
  }
}

class Table : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }
  void TearDown() override { std::filesystem::remove(path_); }
  std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("arrhenius_") + testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv");
};

TEST_F(Table, ReadsColumnsInAnyOrder) {
  const auto points =
      read_diffusion_table(write("# note\nD_cm2_per_s,T_K,D_std_cm2_per_s,resolved,D_bound_cm2_per_s\n"
                                 "1e-7,500,1e-8,true,2e-7\n\n-,600,,true,\n,700,,false,2e-7\n"));
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].T_K, 500);
  EXPECT_EQ(points[0].std_cm2_per_s, 1e-8);
  EXPECT_FALSE(points[1].resolved);
  EXPECT_EQ(points[1].D_cm2_per_s, 2e-7);
}

TEST_F(Table, ReadsWhatSpreadsheetsAndPandasWrite) {
  const auto points = read_diffusion_table(write(
      "\xEF\xBB\xBFT_K;D_cm2_per_s;resolved;D_bound_cm2_per_s\r\n500;1e-7;True;2e-7\r\n600;;False;3e-7\r\n"));
  ASSERT_EQ(points.size(), 2U);
  EXPECT_TRUE(points[0].resolved);
  EXPECT_FALSE(points[1].resolved);
  EXPECT_EQ(points[1].D_cm2_per_s, 3e-7);
}

TEST_F(Table, ReadsOtherSeparatorsHeadersAndNumbers) {
  using namespace std::string_literals;
  for (const std::string& text : {
           "T_K\tD_cm2_per_s\tresolved\n500\t1e-7\ttrue\n600\t2e-7\ttrue\n"s,
           "T_K  D_cm2_per_s\n 500 1e-7\n600   2e-7 \n"s,
           "# T_K,D_cm2_per_s\n500,1e-7\n600,2e-7\n"s,
           "# by numpy\n# T_K D_cm2_per_s\n5.0e+02 1e-7\n6.0e+02 2e-7\n"s,
           "# the columns T_K,D_cm2_per_s\nD_cm2_per_s,T_K\n1e-7,500\n2e-7,600\n"s,
           "T_K,D_cm2_per_s\r500,1e-7\r600,2e-7\r"s,
           "t_k,d_CM2_per_s\n500,1e-7\n600,2e-7\n"s,
           "T_K,D_cm2_per_s\n+500,+1e-7\n+600,+2e-7\n"s,
           "T_K,D_cm2_per_s\n500,1.0D-07\n600,0.2d-06\n"s,
           "T_K,D_cm2_per_s,resolved\n500,1e-7,TRUE\n600,2e-7,TRUE\n"s,
           "\"T_K\",\"D_cm2_per_s\",\"note\"\n\"500\",\"1e-7\",\"a, b\"\n\"600\",\"2e-7\",\"\"\n"s,
       }) {
    const auto points = read_diffusion_table(write(text));
    ASSERT_EQ(points.size(), 2U) << text;
    EXPECT_EQ(points[0].T_K, 500) << text;
    EXPECT_DOUBLE_EQ(points[0].D_cm2_per_s, 1e-7) << text;
    EXPECT_EQ(points[1].T_K, 600) << text;
    EXPECT_DOUBLE_EQ(points[1].D_cm2_per_s, 2e-7) << text;
    EXPECT_TRUE(points[1].resolved) << text;
  }
}

TEST_F(Table, AnUnresolvedDIsNoBound) {
  std::vector<std::string> notes;
  const auto points = read_diffusion_table(
      write("T_K,D_cm2_per_s,resolved\n500,1e-8,True\n600,5e-8,True\n700,9e-8,False\n"), &notes);
  EXPECT_EQ(points.size(), 2U);
  EXPECT_THAT(notes, testing::ElementsAre(
                         testing::HasSubstr(":4: 700 K is left out: not resolved, and without a bound")));
}

TEST_F(Table, SaysWhatItLeavesOut) {
  std::vector<std::string> notes;
  auto points = read_diffusion_table(write("T_K,D_cm2_per_s,resolved,D_bound_cm2_per_s,D_std\n400,,false,,"
                                           "\n500,,true,,\n600,1e-7,true,,1e-8\n"),
                                     &notes);
  EXPECT_EQ(points.size(), 1U);
  EXPECT_THAT(notes, testing::ElementsAre(
                         testing::HasSubstr(":1: column 'D_std' is not read; is it D_std_cm2_per_s?"),
                         testing::HasSubstr(":2: 400 K is left out: not resolved, and without a bound"),
                         testing::HasSubstr(":3: 500 K is left out: no D")));
  // A bound in place of D.
  notes.clear();
  points = read_diffusion_table(write("T_K,D_cm2_per_s,D_bound_cm2_per_s\n400,,1e-11\n500,1e-8,\n"), &notes);
  ASSERT_EQ(points.size(), 2U);
  EXPECT_FALSE(points[0].resolved);
  EXPECT_EQ(points[0].D_cm2_per_s, 1e-11);
  EXPECT_TRUE(points[1].resolved);
  EXPECT_TRUE(notes.empty());
}

TEST_F(Table, NamesFileLineAndColumn) {
  const auto message = [&](const std::string& text) -> std::string {
    try {
      read_diffusion_table(write(text));
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message(""), testing::HasSubstr("empty"));
  EXPECT_THAT(message("T,D\n"), testing::HasSubstr("no column 'T_K'"));
  EXPECT_THAT(message("T_K,D_cm2_per_s\n300\n"), testing::HasSubstr(":2: 1 fields"));
  EXPECT_THAT(message("T_K,D_cm2_per_s,D_cm2_per_s\n"),
              testing::HasSubstr(":1: column 'D_cm2_per_s' stands twice"));
  EXPECT_THAT(message("T_K,D_cm2_per_s,resolved\n300,1e-9,yes\n"),
              testing::HasSubstr("expected true or false"));
  EXPECT_THAT(message("T_K,D_cm2_per_s\n300,nan\n"), testing::HasSubstr("D_cm2_per_s = 'nan'"));
  EXPECT_THAT(message("T_K,D_cm2_per_s\n300,1e-9x\n"), testing::HasSubstr("no positive number"));
  EXPECT_THAT(message("T_K,D_cm2_per_s\n300,1e-9\n400,1e-8\n300,1e-9\n"),
              testing::HasSubstr(":4: the same T and D as in line 2"));
  EXPECT_THAT(message("T_K,D_cm2_per_s,D_std_cm2_per_s\n300,1e-9,1e-10\n400,1e-8,\n500,1e-7,1e-8\n"),
              testing::HasSubstr(":3: 1 of 3 D have no D_std_cm2_per_s (line 3)"));
  EXPECT_THAT(message("T_K;D_cm2_per_s\n300;1,5e-9\n"),
              testing::HasSubstr(":2: D_cm2_per_s = '1,5e-9' is no positive number: decimals need a point"));
  EXPECT_THAT(message("T_K,D_cm2_per_s\n300,0,1,5e-9\n"), testing::HasSubstr("decimals need a point"));
  EXPECT_THAT(message(std::string("\xFF\xFET\0_\0K\0", 8)), testing::HasSubstr("UTF-16"));
  EXPECT_THROW(read_diffusion_table("/nonexistent/table.csv"), InputError);
}

}  // namespace
}  // namespace solion::transport
