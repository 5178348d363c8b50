// What an analysis writes beside its JSON: a table with one column a name, for other programs.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "solion/base/input.hpp"

namespace solion::transport {

struct Columns {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;  ///< by column, of one length

  void add(const std::string& name, std::vector<double> column);
  /// As CSV, atomically.
  void write(const std::filesystem::path& path) const;
};

}  // namespace solion::transport
