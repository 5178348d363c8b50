// Tables as CSV.
#include "solion/transport/columns.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/files.hpp"

namespace solion::transport {

void Columns::add(const std::string& name, std::vector<double> column) {
  names.push_back(name);
  values.push_back(std::move(column));
}

void Columns::write(const std::filesystem::path& path) const {
  std::string text = fmt::format("{}\n", fmt::join(names, ","));
  for (std::size_t row = 0; !values.empty() && row < values.front().size(); ++row) {
    for (std::size_t c = 0; c < values.size(); ++c)
      text += fmt::format("{}{:.10g}", c == 0 ? "" : ",", values[c][row]);
    text += '\n';
  }
  write_file(path, text);
}

}  // namespace solion::transport
