// The two kinds of failure that a user meets: the input was wrong, or the work failed.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace solion {

/// Base of every exception that the library throws on purpose. `what()` is one message for the user: it names
/// the file, line, key and value where there are any, and what was expected.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user's input is wrong (the program ends with status 2).
class InputError : public Error {
 public:
  using Error::Error;
  template <typename... Args>
  explicit InputError(fmt::format_string<Args...> text, Args&&... args) requires(sizeof...(Args) > 0)
      : Error(fmt::format(text, std::forward<Args>(args)...)) {}
};

/// The input was right and the work failed: a full disk, a diverged run, a dead process (status 1).
class WorkError : public Error {
 public:
  using Error::Error;
  template <typename... Args>
  explicit WorkError(fmt::format_string<Args...> text, Args&&... args) requires(sizeof...(Args) > 0)
      : Error(fmt::format(text, std::forward<Args>(args)...)) {}
};

/// The user pressed Ctrl-C or the process was asked to end; what was finished is on disk (status 130).
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted; the same command goes on from here") {}
  using Error::Error;
};

}  // namespace solion
