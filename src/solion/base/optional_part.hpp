// What `solion doctor` looks for: a program or file that is not needed, and what it enables when it is there.
#pragma once

#include <functional>
#include <string>

namespace solion {

/// Each room lists its own (`optional_parts()`), beside the code that uses them.
struct OptionalPart {
  std::string name;
  std::string enables;
  /// The version, or where it is. Throws Error with the reason, and what to install, if it is of no use here.
  std::function<std::string()> look;
};

}  // namespace solion
