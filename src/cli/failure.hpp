// What the program says and ends with after an exception.
#pragma once

#include <exception>
#include <string>

namespace solion::cli {

struct Failure {
  int status = 0;    ///< 2: the input was wrong; 130: interrupted; 1: anything else
  std::string text;  ///< for the user
};
Failure describe(const std::exception_ptr& problem);

/// "solion: TEXT" on standard error, behind all that was printed.
void say(const Failure& failure);

}  // namespace solion::cli
