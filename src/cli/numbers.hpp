// What numbers on the command line may be, said in a few words; and numbers that are not known.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <string>

namespace solion::cli {

/// A finite number above `least`, or that one itself where `inclusive`. CLI11's own spell out the whole range
/// of a double.
class Number : public CLI::Validator {
 public:
  Number(bool inclusive, const char* kind, const char* expected) : CLI::Validator(kind) {
    func_ = [inclusive, expected](std::string& text) -> std::string {
      double value = 0;
      const bool good = CLI::detail::lexical_cast(text, value) && std::isfinite(value) &&
                        (inclusive ? value >= 0 : value > 0);
      return good ? "" : "expected " + std::string(expected) + ", got " + text;
    };
  }
};

inline const Number more_than_0(false, "POSITIVE", "more than 0");
inline const Number zero_or_more(true, "NONNEGATIVE", "0 or more");

/// The number, or a dash for one that is not known.
inline std::string or_dash(double value, const char* format) {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "–";
}

}  // namespace solion::cli
