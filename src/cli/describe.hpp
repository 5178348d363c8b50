// The command line as data, read from CLI11's own tables: what man pages and completions are made from.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace solion::cli {

struct OptionText {
  std::vector<std::string> names;  ///< "-m", "--model"; empty for a positional argument
  std::string positional;          ///< name of a positional argument
  std::string value;               ///< "TEXT", "INT", …; empty for a flag
  std::vector<std::string> choices;
  std::string fallback;  ///< the default where there is one
  std::string text;
  bool required = false;
  bool many = false;
};

struct CommandText {
  std::vector<std::string> path;  ///< {"analyze", "msd"}; empty for the program itself
  std::string summary;
  std::vector<OptionText> options;
  std::vector<OptionText> positionals;
  std::vector<CommandText> children;

  /// "analyze msd", with any separator.
  [[nodiscard]] std::string joined(const char* separator) const;
};

/// The command and all below it.
CommandText describe(const CLI::App& app, const std::vector<std::string>& path = {});
/// The command and all below it, each before its children.
std::vector<const CommandText*> all_of(const CommandText& command);

}  // namespace solion::cli
