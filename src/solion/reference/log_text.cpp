// Splitting into lines once, and a number reader that knows Fortran.
#include "solion/reference/log_text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"

namespace solion::reference {
namespace {

std::optional<double> number_of(std::string token) {
  if (token.find_first_not_of('*') == std::string::npos) return std::numeric_limits<double>::quiet_NaN();
  if (!token.empty() && token.front() == '+') token.erase(0, 1);
  for (char& c : token) {
    if (c == 'D' || c == 'd') c = 'E';
  }
  double value = 0;
  const char* end = token.data() + token.size();
  const auto [stop, error] = std::from_chars(token.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::vector<double> numbers_in(std::string_view rest) {
  std::vector<double> result;
  std::size_t i = 0;
  const auto separates = [](char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '=' || c == ',' || c == ';' || c == '<' ||
           c == '>';
  };
  while (i < rest.size()) {
    while (i < rest.size() && separates(rest[i])) ++i;
    std::size_t end = i;
    while (end < rest.size() && !separates(rest[end])) ++end;
    if (end > i) {
      if (const auto value = number_of(std::string(rest.substr(i, end - i)))) result.push_back(*value);
    }
    i = end;
  }
  return result;
}

LogText::LogText(const std::filesystem::path& file) : name_(file.string()) {
  const std::string text = read_file(file);
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines_.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::optional<std::size_t> LogText::last(std::string_view text, std::size_t from) const {
  for (std::size_t n = lines_.size(); n-- > from;) {
    if (lines_[n].find(text) != std::string::npos) return n;
  }
  return std::nullopt;
}

std::optional<std::size_t> LogText::first(std::string_view text, std::size_t from) const {
  for (std::size_t n = from; n < lines_.size(); ++n) {
    if (lines_[n].find(text) != std::string::npos) return n;
  }
  return std::nullopt;
}

std::size_t LogText::need_last(std::string_view text) const {
  const auto found = last(text);
  if (!found) throw InputError("{}: the output ends before '{}'", name_, text);
  return *found;
}

std::size_t LogText::need_only(std::string_view text) const {
  const std::size_t only = need_last(text);
  if (first(text) != only)
    fail(only, "forces of a second geometry: a template for labels must not move the atoms");
  return only;
}

std::vector<double> LogText::numbers(std::size_t n, std::string_view behind) const {
  if (n >= lines_.size()) fail(n, "the output ends here");
  std::string_view rest = lines_[n];
  if (!behind.empty()) {
    const auto at = rest.find(behind);
    if (at == std::string_view::npos) fail(n, fmt::format("expected '{}'", behind));
    rest.remove_prefix(at + behind.size());
  }
  return numbers_in(rest);
}

Vec3 LogText::vector(std::size_t n, std::size_t first) const {
  const std::vector<double> all = numbers(n);
  if (all.size() < first + 3) fail(n, "expected three numbers");
  return {all[first], all[first + 1], all[first + 2]};
}

double LogText::number(std::size_t n, std::string_view behind, std::size_t index) const {
  const std::vector<double> all = numbers(n, behind);
  if (all.size() <= index) fail(n, fmt::format("expected a number behind '{}'", behind));
  return all[index];
}

int LogText::count(std::size_t n, std::string_view behind) const {
  const double value = number(n, behind);
  if (!(value >= 0 && value <= 1e9 && value == std::floor(value)))
    fail(n, fmt::format("expected a count behind '{}'", behind));
  return static_cast<int>(value);
}

void LogText::fail(std::size_t n, const std::string& problem) const {
  throw InputError("{}:{}: {}{}", name_, n + 1, problem,
                   n < lines_.size() ? fmt::format("; found '{}'", lines_[n].substr(0, 80)) : std::string());
}

}  // namespace solion::reference
