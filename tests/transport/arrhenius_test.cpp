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
  EXPECT_THROW(read_diffusion_table("/nonexistent/table.csv"), InputError);
}

}  // namespace
}  // namespace solion::transport
