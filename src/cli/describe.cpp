// From CLI11's options to plain data.
#include "cli/describe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace solion::cli {
namespace {

/// The words of "TEXT:{single,double}", as CLI::IsMember describes itself.
std::vector<std::string> choices_in(const std::string& type_name) {
  std::vector<std::string> words;
  const auto open = type_name.find('{');
  const auto close = type_name.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return words;
  for (std::size_t begin = open + 1; begin < close;) {
    const std::size_t end = std::min(type_name.find(',', begin), close);
    words.push_back(type_name.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

OptionText describe(const CLI::Option& option) {
  OptionText text;
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  if (option.get_positional()) text.positional = option.get_name(true, false);
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();
    text.choices = choices_in(type);
    text.value = type.substr(0, type.find_first_of(":{ "));
    if (text.value.empty()) text.value = "VALUE";
  }
  text.fallback = option.get_default_str();
  text.text = option.get_description();
  text.required = option.get_required();
  text.many = option.get_items_expected_max() > 1;
  return text;
}

}  // namespace

std::string CommandText::joined(const char* separator) const {
  return fmt::format("{}", fmt::join(path, separator));
}

CommandText describe(const CLI::App& app, const std::vector<std::string>& path) {
  CommandText command;
  command.path = path;
  command.summary = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    OptionText text = describe(*option);
    (text.names.empty() ? command.positionals : command.options).push_back(std::move(text));
  }
  for (const CLI::App* child : app.get_subcommands({})) {
    std::vector<std::string> longer = path;
    longer.push_back(child->get_name());
    command.children.push_back(describe(*child, longer));
  }
  return command;
}

std::vector<const CommandText*> all_of(const CommandText& command) {
  std::vector<const CommandText*> all{&command};
  for (const CommandText& child : command.children) {
    const auto below = all_of(child);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

}  // namespace solion::cli
