// The text output of a code, searched line by line; what is missing or no number is an error with file and
// line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "solion/structure/types.hpp"

namespace solion::reference {

/// The numbers of a text. Fortran's D exponents are read; stars (a number that did not fit) are NaN; words
/// are passed over.
std::vector<double> numbers_in(std::string_view text);

class LogText {
 public:
  /// InputError if the file is missing.
  explicit LogText(const std::filesystem::path& file);

  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] const std::string& line(std::size_t n) const { return lines_[n]; }
  /// The last line that contains `text`, in [from, end).
  [[nodiscard]] std::optional<std::size_t> last(std::string_view text, std::size_t from = 0) const;
  /// The first one.
  [[nodiscard]] std::optional<std::size_t> first(std::string_view text, std::size_t from = 0) const;
  /// The same, or an InputError that says what is missing ("the output ends before …").
  [[nodiscard]] std::size_t need_last(std::string_view text) const;

  /// The only line that contains `text`; InputError if there is none, or a second one, which is then said to
  /// mean that the atoms were moved.
  [[nodiscard]] std::size_t need_only(std::string_view text) const;

  /// `numbers_in` the part of a line behind `text` (all of it without).
  [[nodiscard]] std::vector<double> numbers(std::size_t n, std::string_view behind = {}) const;
  /// Exactly one row of three numbers: those at columns first…first+2 of numbers(n). InputError if there are
  /// fewer.
  [[nodiscard]] Vec3 vector(std::size_t n, std::size_t first = 0) const;
  /// The `index`-th number of line n behind `text`; InputError if it is not there.
  [[nodiscard]] double number(std::size_t n, std::string_view behind = {}, std::size_t index = 0) const;

  /// A whole number from 0 to 10⁹ there; InputError for any other.
  [[nodiscard]] int count(std::size_t n, std::string_view behind) const;

  [[noreturn]] void fail(std::size_t n, const std::string& problem) const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::vector<std::string> lines_;
};

}  // namespace solion::reference
