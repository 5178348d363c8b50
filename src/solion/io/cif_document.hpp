// A CIF as blocks of values: what libcif parses, with errors that name the file and the line.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace solion::io {

/// The values of one data block. Names are those of the CIF core dictionary, "_cell_length_a"; those of its
/// newer form, "_cell.length_a", are found too. Values that are unknown ("?") or do not apply (".") are not
/// there.
class CifBlock {
 public:
  virtual ~CifBlock() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  /// The value of an item that stands once.
  [[nodiscard]] virtual std::optional<std::string> value(const std::string& item) const = 0;
  /// The loop of the first item: a row a packet, with the values of these items; empty if it is in no loop.
  [[nodiscard]] virtual std::vector<std::vector<std::optional<std::string>>> rows(
      const std::vector<std::string>& items) const = 0;
};

/// All blocks of a file. InputError naming `name` and the line for what is no CIF.
std::vector<std::unique_ptr<CifBlock>> parse_cif(std::string text, const std::string& name);

}  // namespace solion::io
