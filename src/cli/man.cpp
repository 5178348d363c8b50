// solion man [VERB]: manual pages in man(7), written from the table of verbs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "cli/describe.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/version.hpp"

namespace solion::cli {
namespace {

/// Text that roff prints as it stands: '-' as a hyphen-minus, nothing taken for a request or an escape.
std::string plain(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  if (!result.empty() && (result.front() == '.' || result.front() == '\'')) result.insert(0, "\\&");
  return result;
}

std::string italic(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }
std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }

std::string page_name(const CommandText& command) {
  return command.path.empty() ? "solion" : "solion-" + command.joined("-");
}

std::string value_of(const OptionText& option) {
  if (option.value.empty()) return {};
  std::string shown = option.choices.empty() ? italic(option.value)
                                             : plain(fmt::format("{}", fmt::join(option.choices, "|")));
  return " " + shown + (option.many ? " ..." : "");
}

std::string synopsis(const CommandText& command) {
  std::string line = bold("solion");
  if (!command.path.empty()) line += " " + bold(command.joined(" "));
  for (const OptionText& option : command.options) {
    if (option.required) line += " " + bold(option.names.back()) + value_of(option);
  }
  line += " [" + italic("options") + "]";
  if (!command.children.empty()) line += " " + italic("verb") + " ...";
  for (const OptionText& p : command.positionals) {
    const std::string shown = italic(p.positional) + (p.many ? " ..." : "");
    line += p.required ? " " + shown : " [" + shown + "]";
  }
  return line;
}

std::string entry(const OptionText& option) {
  std::string head;
  for (const std::string& name : option.names) head += (head.empty() ? "" : ", ") + bold(name);
  if (option.names.empty()) head = italic(option.positional) + (option.many ? " ..." : "");
  if (!option.names.empty()) head += value_of(option);
  std::string text = plain(option.text.empty() ? "(no description)" : option.text);
  if (option.required && !option.names.empty()) text += " (required)";
  if (!option.fallback.empty()) text += plain(fmt::format(" (default: {})", option.fallback));
  return ".TP\n" + head + "\n" + text + "\n";
}

std::string page_of(const CommandText& command) {
  std::string name = page_name(command);
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
  std::string summary = command.summary;
  if (summary.starts_with("solion: ")) summary.erase(0, 8);
  std::string page =
      fmt::format(".TH {} 1 \"\" \"solion {}\" \"solion\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}\n",
                  plain(title), version(), plain(name), plain(summary), synopsis(command));
  if (!command.children.empty()) {
    page += ".SH VERBS\n";
    for (const CommandText& child : command.children)
      page += ".TP\n" + bold(child.path.back()) + "\n" + plain(child.summary) + "\n";
  }
  if (!command.positionals.empty()) {
    page += ".SH ARGUMENTS\n";
    for (const OptionText& p : command.positionals) page += entry(p);
  }
  page += ".SH OPTIONS\n";
  for (const OptionText& option : command.options) page += entry(option);
  page +=
      ".SH \"EXIT STATUS\"\n0: done; 1: the work failed; 2: the input was wrong; 130: interrupted, and the "
      "same command goes on.\n.SH \"SEE ALSO\"\n";
  std::vector<std::string> others;
  if (!command.path.empty()) others.emplace_back("\\fBsolion\\fR(1)");
  for (const CommandText& child : command.children) others.push_back(bold(page_name(child)) + "(1)");
  return page + fmt::format("{}\n", fmt::join(others, ", "));
}

struct Options {
  std::vector<std::string> verb;
  std::string folder;
};

void run(const CLI::App& app, const Options& options) {
  const CommandText program = describe(*app.get_parent());
  if (!options.folder.empty()) {
    std::filesystem::create_directories(options.folder);
    for (const CommandText* command : all_of(program))
      write_file(std::filesystem::path(options.folder) / (page_name(*command) + ".1"), page_of(*command));
    return;
  }
  const auto all = all_of(program);
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const CommandText* c) { return c->path == options.verb; });
  if (found == all.end())
    throw InputError("there is no verb '{}'; `solion --help` lists them", fmt::join(options.verb, " "));
  fmt::print("{}", page_of(**found));
}

}  // namespace

std::function<void()> setup_man(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("verb", options->verb,
                 "The verb, for example train, or analyze msd; none: the program itself");
  app.add_option("--all", options->folder, "Write all pages into this folder");
  return [options, &app] { run(app, *options); };
}

}  // namespace solion::cli
