// Reading TOML and JSON input files so that every wrong key or value is named with its file and line.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace solion {

using Json = nlohmann::json;

/// The number; null for one that is not finite, which JSON cannot hold.
Json json_number(double value);

/// Parses a JSON file; InputError with file, line and column where it is not JSON. `//` comments are allowed.
Json read_json(const std::filesystem::path& path);
/// Writes JSON atomically with indentation 1; NaN and infinities become null.
void write_json(const std::filesystem::path& path, const Json& value);

/// One table of a TOML file. Each getter marks its key as known; `refuse_unknown()` names the first key that
/// no getter asked for. Every error names file, line, key, the value found and what was expected.
class TomlTable {
 public:
  /// Parses the file.
  static TomlTable read(const std::filesystem::path& path);
  /// Parses text; `name` stands for the file in messages.
  static TomlTable parse(std::string_view text, const std::string& name);

  [[nodiscard]] bool has(const std::string& key) const;
  /// The sub-table at `key`; an error if it is missing or no table.
  TomlTable table(const std::string& key);
  /// The sub-table at `key`, or an empty one.
  TomlTable table_or_empty(const std::string& key);
  /// The array of tables at `key` ([[key]]), empty if missing; a lone table [key] counts as an array of one.
  std::vector<TomlTable> tables(const std::string& key);
  /// Keys in the order of the file.
  [[nodiscard]] std::vector<std::string> keys() const;

  double number(const std::string& key);
  double number(const std::string& key, double fallback);
  /// A float without a fraction counts, up to 2^53: 1e5.
  std::int64_t integer(const std::string& key);
  std::int64_t integer(const std::string& key, std::int64_t fallback);
  bool boolean(const std::string& key, bool fallback);
  std::string text(const std::string& key);
  std::string text(const std::string& key, const std::string& fallback);
  /// Arrays; a scalar counts as an array of one.
  std::vector<double> numbers(const std::string& key);
  std::vector<std::int64_t> integers(const std::string& key);
  std::vector<std::string> texts(const std::string& key);

  /// Above 0, or at least 0.
  double positive(const std::string& key, double fallback);
  double not_negative(const std::string& key, double fallback);
  /// At least one number, all above 0.
  std::vector<double> positives(const std::string& key);
  /// A whole number from `least` to `most`; a fallback below `least`: the key must be there.
  std::int64_t count(const std::string& key, std::int64_t fallback, std::int64_t least,
                     std::int64_t most = 1'000'000'000);
  /// Three whole numbers from 1 to 1000: the repeats of a cell.
  std::array<int, 3> repeats(const std::string& key);

  /// A path in the file counts from the folder of the file itself.
  std::filesystem::path path(const std::string& key);
  /// The same for what must be there already; empty if the key is missing.
  std::filesystem::path existing_path(const std::string& key);
  std::vector<std::filesystem::path> existing_paths(const std::string& key);

  /// InputError for a key of this table that no getter asked for, with the known ones.
  void refuse_unknown() const;
  /// Throws InputError about `key`: "FILE:LINE: key = value: <problem>".
  [[noreturn]] void fail(const std::string& key, const std::string& problem) const;
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  struct State;  // the parsed table, so that toml++ stays out of this header
  explicit TomlTable(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
  std::filesystem::path file_;
};

}  // namespace solion
