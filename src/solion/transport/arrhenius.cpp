// Straight line through ln D against 1/(k_B T) with Eigen; CSV table of D(T).
#include "solion/transport/arrhenius.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"

namespace solion::transport {
namespace {

constexpr double kB = constants::boltzmann_eV_per_K;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\"");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"") - first + 1);
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, separator);) fields.push_back(trimmed(field));
  if (!line.empty() && line.back() == separator) fields.emplace_back();
  return fields;
}

/// One CSV file, its columns by name.
class Table {
 public:
  explicit Table(const std::filesystem::path& path) : path_(path), stream_(read_file(path)) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (stream_.view().starts_with(byte_order_mark))
      stream_.ignore(static_cast<std::streamsize>(byte_order_mark.size()));
    while (next_line())
      if (!fields_.empty()) break;
    header_ = fields_;
    if (header_.empty()) throw InputError("{}: empty; expected columns T_K,D_cm2_per_s", path_.string());
    for (auto name = header_.begin(); name != header_.end(); ++name)
      if (std::find(header_.begin(), name, *name) != name)
        fail(fmt::format("column '{}' stands twice", *name));
  }
  [[nodiscard]] int find(const std::string& name) const {
    const auto found = std::find(header_.begin(), header_.end(), name);
    return found == header_.end() ? -1 : static_cast<int>(found - header_.begin());
  }
  [[nodiscard]] int need(const std::string& name) const {
    const int column = find(name);
    if (column < 0)
      throw InputError("{}:{}: no column '{}'; found {}", path_.string(), line_, name,
                       fmt::join(header_, ", "));
    return column;
  }
  /// The next row that is not empty; false at the end.
  bool next_row() {
    while (next_line()) {
      if (fields_.empty()) continue;
      if (fields_.size() != header_.size())
        throw InputError("{}:{}: {} fields, but {} columns", path_.string(), line_, fields_.size(),
                         header_.size());
      return true;
    }
    return false;
  }
  [[nodiscard]] const std::string& text(int column) const {
    return fields_[static_cast<std::size_t>(column)];
  }
  [[nodiscard]] bool missing(int column) const { return text(column).empty() || text(column) == "-"; }
  [[nodiscard]] double positive(int column) const {
    const std::string& s = text(column);
    double value = 0;
    const auto [stop, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error != std::errc() || stop != s.data() + s.size() || !std::isfinite(value) || !(value > 0)) {
      throw InputError("{}:{}: {} = '{}' is no positive number", path_.string(), line_,
                       header_[static_cast<std::size_t>(column)], s);
    }
    return value;
  }
  [[noreturn]] void fail(const std::string& problem) const {
    throw InputError("{}:{}: {}", path_.string(), line_, problem);
  }

 private:
  bool next_line() {
    std::string line;
    if (!std::getline(stream_, line)) return false;
    ++line_;
    line = trimmed(line);
    fields_.clear();
    if (line.empty() || line[0] == '#') return true;
    if (header_.empty() && line.find(',') == std::string::npos && line.find(';') != std::string::npos)
      separator_ = ';';  // spreadsheets where the comma is the decimal sign
    fields_ = split(line, separator_);
    return true;
  }

  std::filesystem::path path_;
  std::istringstream stream_;
  std::size_t line_ = 0;
  char separator_ = ',';
  std::vector<std::string> header_;
  std::vector<std::string> fields_;
};

/// The covariance of the scatter where no errors are given or they do not explain it.
void scale_errors(ArrheniusFit& fit, double chi2, double freedom) {
  if (!fit.weighted && freedom > 0) {
    fit.covariance *= chi2 / freedom;
  } else if (!fit.weighted) {
    fit.covariance.setConstant(std::numeric_limits<double>::quiet_NaN());
    fit.notes.emplace_back("two points without errors: the line is exact and its error unknown");
  } else if (freedom > 0) {
    constexpr double improbable = 0.001;  // as in compare_laws
    const boost::math::chi_squared expected(freedom);
    fit.errors_too_small = boost::math::cdf(boost::math::complement(expected, chi2)) < improbable;
    if (!fit.errors_too_small) return;
    fit.covariance *= std::max(1.0, chi2 / freedom);
    fit.notes.push_back(fmt::format(
        "the errors given are smaller than the scatter about the line (χ² of {:.3g} for {:g} degrees "
        "of freedom): the errors of the line are {:.3g} times what they make of it",
        chi2, freedom, std::sqrt(chi2 / freedom)));
  }
}

}  // namespace

std::vector<DiffusionPoint> read_diffusion_table(const std::filesystem::path& path) {
  Table table(path);
  const int T = table.need("T_K");
  const int D = table.need("D_cm2_per_s");
  const int error = table.find("D_std_cm2_per_s");
  const int resolved = table.find("resolved");
  const int bound = table.find("D_bound_cm2_per_s");
  std::vector<DiffusionPoint> points;
  while (table.next_row()) {
    DiffusionPoint point;
    point.T_K = table.positive(T);
    if (resolved >= 0) {
      const std::string& text = table.text(resolved);
      point.resolved = text == "true" || text == "True";  // pandas writes Python's
      if (!point.resolved && text != "false" && text != "False")
        table.fail(fmt::format("resolved = '{}'; expected true or false", text));
    }
    const int value = !point.resolved && bound >= 0 ? bound : D;
    if (table.missing(value)) continue;
    point.D_cm2_per_s = table.positive(value);
    if (error >= 0 && point.resolved && !table.missing(error)) point.std_cm2_per_s = table.positive(error);
    points.push_back(point);
  }
  return points;
}

ArrheniusFit fit_arrhenius(const std::vector<DiffusionPoint>& points) {
  ArrheniusFit fit;
  std::vector<DiffusionPoint> used;
  for (const DiffusionPoint& p : points) {
    if (!(p.T_K > 0) || !(p.D_cm2_per_s > 0) || !(p.std_cm2_per_s >= 0) ||
        !std::isfinite(p.T_K + p.D_cm2_per_s + p.std_cm2_per_s))
      throw InputError("arrhenius: D = {} ± {} cm²/s at {} K; expected finite positive numbers",
                       p.D_cm2_per_s, p.std_cm2_per_s, p.T_K);
    if (p.resolved) {
      used.push_back(p);
    } else {
      fit.notes.push_back(
          fmt::format("{:g} K is left out: D is not resolved (below {:.3g} cm²/s)", p.T_K, p.D_cm2_per_s));
    }
  }
  const auto [low, high] = std::minmax_element(used.begin(), used.end(),
                                               [](const auto& a, const auto& b) { return a.T_K < b.T_K; });
  if (used.empty() || !(high->T_K > low->T_K))
    throw InputError("arrhenius: {} resolved D{}; at least two temperatures are needed", used.size(),
                     used.size() < 2 ? "" : fmt::format(", all at {:g} K", low->T_K));

  const auto n = static_cast<Eigen::Index>(used.size());
  fit.n_used = used.size();
  const auto with_error =
      std::count_if(used.begin(), used.end(), [](const auto& p) { return p.std_cm2_per_s > 0; });
  if (with_error > 0 && with_error < n) {
    throw InputError("arrhenius: {} of {} D have an error; expected all or none: a missing one has no weight",
                     with_error, n);
  }
  fit.weighted = with_error == n;
  Eigen::MatrixX2d design(n, 2);
  Eigen::VectorXd y(n), sigma = Eigen::VectorXd::Ones(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const DiffusionPoint& p = used[static_cast<std::size_t>(i)];
    design.row(i) << -1 / (kB * p.T_K), 1;
    y[i] = std::log(p.D_cm2_per_s);
    if (fit.weighted) sigma[i] = p.std_cm2_per_s / p.D_cm2_per_s;
  }
  const Eigen::VectorXd w = sigma.array().square().inverse();
  const Eigen::MatrixX2d scaled = sigma.cwiseInverse().asDiagonal() * design;
  const Eigen::VectorXd target = y.cwiseQuotient(sigma);
  const Eigen::Vector2d solution = scaled.colPivHouseholderQr().solve(target);
  const double chi2 = (target - scaled * solution).squaredNorm();
  const double mean = w.dot(y) / w.sum();
  const double total = (w.array() * (y.array() - mean).square()).sum();
  fit.r2 = total > 0 ? 1 - chi2 / total : 1;
  fit.covariance = (scaled.transpose() * scaled).inverse();
  const double freedom = static_cast<double>(n) - 2;
  fit.chi2_per_dof = fit.weighted && freedom > 0 ? chi2 / freedom : std::numeric_limits<double>::quiet_NaN();
  scale_errors(fit, chi2, freedom);
  fit.Ea_eV = {solution[0], std::sqrt(fit.covariance(0, 0))};
  fit.ln_D0 = {solution[1], std::sqrt(fit.covariance(1, 1))};
  for (const DiffusionPoint& p : points) {
    if (!p.resolved && fit.ln_D_at(p.T_K).value > std::log(p.D_cm2_per_s)) {
      fit.notes.push_back(fmt::format("the line is above the bound at {:g} K ({:.3g} > {:.3g} cm²/s)", p.T_K,
                                      std::exp(fit.ln_D_at(p.T_K).value), p.D_cm2_per_s));
    }
  }
  return fit;
}

Estimate ArrheniusFit::ln_D_at(double T_K) const {
  const Eigen::Vector2d x(-1 / (kB * T_K), 1);
  return {x[0] * Ea_eV.value + ln_D0.value, std::sqrt(x.dot(covariance * x))};
}

double ArrheniusFit::D0_cm2_per_s() const { return std::exp(ln_D0.value); }

}  // namespace solion::transport
