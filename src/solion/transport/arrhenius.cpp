// Straight line through ln D against 1/(k_B T) with Eigen; CSV table of D(T).
#include "solion/transport/arrhenius.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cctype>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"

namespace solion::transport {
namespace {

constexpr double kB = constants::boltzmann_eV_per_K;

// Columns that are read.
constexpr const char* T_name = "T_K";
constexpr const char* D_name = "D_cm2_per_s";
constexpr const char* error_name = "D_std_cm2_per_s";
constexpr const char* resolved_name = "resolved";
constexpr const char* bound_name = "D_bound_cm2_per_s";

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\"");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"") - first + 1);
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Fields of a line; what stands in quotes is one. Between words any number of spaces (' ') is one separator.
std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if ((c == separator || (separator == ' ' && c == '\t')) && !quoted) {
      if (separator != ' ' || !fields.back().empty()) fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (separator == ' ' && fields.back().empty()) fields.pop_back();
  for (std::string& field : fields) field = trimmed(field);
  return fields;
}

/// Spreadsheets part with semicolons where the comma is the decimal sign; others write tabs or columns.
char separator_of(const std::string& header) {
  for (const char c : {',', ';', '\t'})
    if (header.find(c) != std::string::npos) return c;
  return header.find(' ') != std::string::npos ? ' ' : ',';
}

/// The name of a column that is read if the text is one in another case.
std::string known_name(const std::string& text) {
  for (const char* name : {T_name, D_name, error_name, resolved_name, bound_name})
    if (lower(text) == lower(name)) return name;
  return text;
}

/// The column that is read which one of another name seems to be; empty if none.
std::string meant_by(const std::string& name) {
  const std::string text = lower(name);
  const auto has = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return text.find(word) != std::string::npos; });
  };
  if (has({"bound", "limit"})) return bound_name;
  if (has({"std", "err", "sigma", "uncert"})) return error_name;
  if (has({"resolv"})) return resolved_name;
  return {};
}

/// The text of a table with lines that end in \n.
std::string read_text(const std::filesystem::path& path) {
  std::string text = read_file(path);
  const std::string_view view = text;
  if (view.starts_with("\xFF\xFE") || view.starts_with("\xFE\xFF") || text.find('\0') != std::string::npos)
    throw InputError("{}: the file is UTF-16 or no text; save it as UTF-8", path.string());
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (view.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  if (text.find('\n') == std::string::npos) std::replace(text.begin(), text.end(), '\r', '\n');  // old Macs
  return text;
}

/// One table, its columns by name.
class Table {
 public:
  explicit Table(const std::filesystem::path& path) : path_(path), stream_(read_text(path)) {
    while (fields_.empty() && next_line()) continue;
    header_ = fields_;
    if (!commented_.empty() && !names_T_and_D(fields_)) {
      header_ = commented_;
      separator_ = commented_separator_;
      held_ = !fields_.empty();
      if (held_) split_line();  // a row, of which the separator is known only now
    }
    if (header_.empty()) throw InputError("{}: empty; expected columns T_K,D_cm2_per_s", path_.string());
    for (std::string& name : header_) name = known_name(name);
    for (auto name = header_.begin(); name != header_.end(); ++name)
      if (!name->empty() && std::find(header_.begin(), name, *name) != name)
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
  /// What may be meant for a column that is read, and is not.
  void note_unread(std::vector<std::string>& notes) const {
    for (const std::string& name : header_) {
      const std::string meant = meant_by(name);
      if (!meant.empty() && find(meant) < 0)
        notes.push_back(at(fmt::format("column '{}' is not read; is it {}?", name, meant)));
    }
  }
  /// The next row that is not empty; false at the end.
  bool next_row() {
    while (held_ || next_line()) {
      held_ = false;
      if (fields_.empty()) continue;
      if (fields_.size() != header_.size()) {
        fail(fmt::format("{} fields, but {} columns{}", fields_.size(), header_.size(),
                         separator_ == ',' && fields_.size() == 2 * header_.size()
                             ? "; decimals need a point, not a comma"
                             : ""));
      }
      return true;
    }
    return false;
  }
  [[nodiscard]] const std::string& text(int column) const {
    return fields_[static_cast<std::size_t>(column)];
  }
  /// Also for a column that is not there.
  [[nodiscard]] bool missing(int column) const {
    return column < 0 || text(column).empty() || text(column) == "-";
  }
  [[nodiscard]] double positive(int column) const {
    std::string s = text(column);
    if (s.starts_with('+')) s.erase(0, 1);
    std::replace_if(
        s.begin(), s.end(), [](char c) { return c == 'D' || c == 'd'; }, 'e');  // exponents of Fortran
    double value = 0;
    const auto [stop, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error != std::errc() || stop != s.data() + s.size() || !std::isfinite(value) || !(value > 0)) {
      fail(fmt::format("{} = '{}' is no positive number{}", header_[static_cast<std::size_t>(column)],
                       text(column),
                       s.find(',') == std::string::npos ? "" : ": decimals need a point, not a comma"));
    }
    return value;
  }
  [[nodiscard]] bool yes(int column) const {
    const std::string said = lower(text(column));  // pandas writes True, spreadsheets TRUE
    if (said != "true" && said != "false")
      fail(fmt::format("resolved = '{}'; expected true or false", text(column)));
    return said == "true";
  }
  [[nodiscard]] std::size_t line() const { return line_; }
  [[nodiscard]] std::string at(const std::string& remark) const {
    return fmt::format("{}:{}: {}", path_.string(), line_, remark);
  }
  [[noreturn]] void fail(const std::string& problem) const { throw InputError("{}", at(problem)); }

 private:
  bool next_line() {
    fields_.clear();
    if (!std::getline(stream_, text_)) return false;
    ++line_;
    if (text_.ends_with('\r')) text_.pop_back();
    const std::string content = trimmed(text_);
    if (content.empty()) return true;
    if (content[0] == '#') {
      if (header_.empty()) read_commented_header(content);
      return true;
    }
    if (header_.empty()) separator_ = separator_of(content);
    split_line();
    return true;
  }
  /// An empty last field after a tab is one; spaces about a line are nothing.
  void split_line() {
    const auto first = text_.find_first_not_of(" \t");
    const std::string bare = text_.substr(first, text_.find_last_not_of(" \t") - first + 1);
    fields_ = split(separator_ == '\t' ? text_ : bare, separator_);
  }
  /// numpy.savetxt writes the names of the columns into a comment.
  void read_commented_header(const std::string& content) {
    const auto begin = content.find_first_not_of("# \t");
    if (begin == std::string::npos) return;
    const std::string names = content.substr(begin);
    const std::vector<std::string> fields = split(names, separator_of(names));
    if (!names_T_and_D(fields)) return;
    commented_ = fields;
    commented_separator_ = separator_of(names);
  }
  static bool names_T_and_D(const std::vector<std::string>& fields) {
    const auto has = [&](const char* name) {
      return std::any_of(fields.begin(), fields.end(),
                         [&](const std::string& field) { return known_name(field) == name; });
    };
    return has(T_name) && has(D_name);
  }

  std::filesystem::path path_;
  std::istringstream stream_;
  std::size_t line_ = 0;
  std::string text_;  // the line
  char separator_ = ',', commented_separator_ = ',';
  bool held_ = false;  // the line is a row that was not given yet
  std::vector<std::string> header_, commented_;
  std::vector<std::string> fields_;
};

/// Errors are for all resolved D or for none; `without` holds the lines of those that have none.
void check_errors(const std::filesystem::path& path, std::size_t n_resolved,
                  const std::vector<std::size_t>& without) {
  if (without.empty() || without.size() == n_resolved) return;
  constexpr std::size_t shown = 8;
  const std::size_t n = std::min(without.size(), shown);
  const std::vector<std::size_t> first(without.begin(), without.begin() + static_cast<std::ptrdiff_t>(n));
  throw InputError(
      "{}:{}: {} of {} D have no {} (line{} {}{}); expected all or none: a missing one has no weight",
      path.string(), without.front(), without.size(), n_resolved, error_name, without.size() > 1 ? "s" : "",
      fmt::join(first, ", "), n < without.size() ? ", …" : "");
}

/// Temperatures and energies of another unit or in another order, which no ion in a solid has.
void note_implausible(ArrheniusFit& fit, double coldest_K, double hottest_K) {
  constexpr double cold_K = 150, reciprocal = 20, least_eV = 0.02, most_eV = 3;
  if (coldest_K < cold_K) {
    fit.notes.push_back(fmt::format("T from {:.4g} to {:.4g} K: {}; expected K", coldest_K, hottest_K,
                                    hottest_K < reciprocal ? "is that 1000/T?" : "is that in °C?"));
  }
  const double Ea = fit.Ea_eV.value;
  if (Ea < -least_eV) {
    fit.notes.push_back(fmt::format(
        "D falls where T rises (E_a = {:.3g} eV): are D in another order than T, or T given as 1000/T?", Ea));
  } else if (!(Ea >= least_eV && Ea <= most_eV)) {
    fit.notes.push_back(fmt::format(
        "E_a = {:.3g} eV is outside {} to {} eV, where ions in solids are: are T in K and D (not its "
        "logarithm) in cm²/s?",
        Ea, least_eV, most_eV));
  }
}

/// The covariance of the scatter where no errors are given or they do not explain it.
void scale_errors(ArrheniusFit& fit, double chi2, double freedom) {
  if (!fit.weighted && freedom > 0) {
    fit.covariance *= chi2 / freedom;
    fit.degrees_of_freedom = freedom;
  } else if (!fit.weighted) {
    fit.covariance.setConstant(std::numeric_limits<double>::quiet_NaN());
    fit.notes.emplace_back("two points without errors: the line is exact and its error unknown");
  } else if (freedom > 0) {
    constexpr double improbable = 0.001;  // as in compare_laws
    const boost::math::chi_squared expected(freedom);
    fit.errors_too_small = boost::math::cdf(boost::math::complement(expected, chi2)) < improbable;
    if (!fit.errors_too_small) return;
    fit.covariance *= std::max(1.0, chi2 / freedom);
    fit.degrees_of_freedom = freedom;
    fit.notes.push_back(fmt::format(
        "the errors given are smaller than the scatter about the line (χ² of {:.3g} for {:g} degrees "
        "of freedom): the errors of the line are {:.3g} times what they make of it",
        chi2, freedom, std::sqrt(chi2 / freedom)));
  }
}

}  // namespace

std::vector<DiffusionPoint> read_diffusion_table(const std::filesystem::path& path,
                                                 std::vector<std::string>* notes) {
  Table table(path);
  const int T = table.need(T_name), D = table.need(D_name);
  const int error = table.find(error_name), resolved = table.find(resolved_name),
            bound = table.find(bound_name);
  std::vector<std::string> remarks;
  table.note_unread(remarks);
  std::vector<DiffusionPoint> points;
  std::vector<std::size_t> without_error;
  std::map<std::pair<double, double>, std::size_t> seen;  // line of each (T, D)
  while (table.next_row()) {
    DiffusionPoint point;
    point.T_K = table.positive(T);
    point.resolved = resolved < 0 || table.yes(resolved);
    if (table.missing(D) && !table.missing(bound)) point.resolved = false;
    const int value = point.resolved ? D : bound;  // a D that is not resolved bounds nothing
    if (table.missing(value)) {
      remarks.push_back(table.at(fmt::format("{:g} K is left out: {}", point.T_K,
                                             point.resolved ? "no D" : "not resolved, and without a bound")));
      continue;
    }
    point.D_cm2_per_s = table.positive(value);
    if (point.resolved) {
      const auto [first, is_new] = seen.try_emplace({point.T_K, point.D_cm2_per_s}, table.line());
      if (!is_new)
        table.fail(fmt::format(
            "the same T and D as in line {}: a row that counts twice makes errors too small", first->second));
      if (!table.missing(error)) {
        point.std_cm2_per_s = table.positive(error);
      } else {
        without_error.push_back(table.line());
      }
    }
    points.push_back(point);
  }
  check_errors(path, seen.size(), without_error);
  if (notes != nullptr) notes->insert(notes->end(), remarks.begin(), remarks.end());
  return points;
}

namespace {

/// The points that count; what is left out goes to the notes.
std::vector<DiffusionPoint> resolved_of(const std::vector<DiffusionPoint>& points,
                                        std::vector<std::string>& notes) {
  std::vector<DiffusionPoint> used;
  for (const DiffusionPoint& p : points) {
    if (!(p.T_K > 0) || !(p.D_cm2_per_s > 0) || !(p.std_cm2_per_s >= 0) ||
        !std::isfinite(p.T_K + p.D_cm2_per_s + p.std_cm2_per_s))
      throw InputError("arrhenius: D = {} ± {} cm²/s at {} K; expected finite positive numbers",
                       p.D_cm2_per_s, p.std_cm2_per_s, p.T_K);
    if (p.resolved) {
      used.push_back(p);
    } else {
      notes.push_back(
          fmt::format("{:g} K is left out: D is not resolved (below {:.3g} cm²/s)", p.T_K, p.D_cm2_per_s));
    }
  }
  return used;
}

/// Whether the points have errors to be weighed by.
bool all_have_errors(const std::vector<DiffusionPoint>& used) {
  const auto n = static_cast<std::ptrdiff_t>(used.size());
  const auto with_error =
      std::count_if(used.begin(), used.end(), [](const auto& p) { return p.std_cm2_per_s > 0; });
  if (with_error > 0 && with_error < n) {
    throw InputError("arrhenius: {} of {} D have an error; expected all or none: a missing one has no weight",
                     with_error, n);
  }
  return with_error == n;
}

/// Least squares of ln D = −Ea/kT + ln D₀.
void solve(ArrheniusFit& fit, const std::vector<DiffusionPoint>& used) {
  const auto n = static_cast<Eigen::Index>(used.size());
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
}

}  // namespace

ArrheniusFit fit_arrhenius(const std::vector<DiffusionPoint>& points) {
  ArrheniusFit fit;
  const std::vector<DiffusionPoint> used = resolved_of(points, fit.notes);
  const auto [low, high] = std::minmax_element(used.begin(), used.end(),
                                               [](const auto& a, const auto& b) { return a.T_K < b.T_K; });
  if (used.empty() || !(high->T_K > low->T_K))
    throw InputError("arrhenius: {} resolved D{}; at least two temperatures are needed", used.size(),
                     used.size() < 2 ? "" : fmt::format(", all at {:g} K", low->T_K));
  fit.n_used = used.size();
  std::set<double> temperatures;
  for (const DiffusionPoint& p : used) temperatures.insert(p.T_K);
  fit.n_temperatures = temperatures.size();
  fit.weighted = all_have_errors(used);
  solve(fit, used);
  note_implausible(fit, low->T_K, high->T_K);
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

double ArrheniusFit::ln_D_half_width_68(double T_K) const {
  const double error = ln_D_at(T_K).error;
  if (!(degrees_of_freedom > 0)) return error;
  const double one_sigma = boost::math::cdf(boost::math::normal(), 1.0);
  return error * boost::math::quantile(boost::math::students_t(degrees_of_freedom), one_sigma);
}

double ArrheniusFit::D0_cm2_per_s() const { return std::exp(ln_D0.value); }

}  // namespace solion::transport
