// solion completion bash|zsh|fish: scripts for the three shells, written from the table of verbs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "cli/describe.hpp"
#include "cli/verbs.hpp"
#include "solion/base/files.hpp"

namespace solion::cli {
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

/// One word in single quotes, for any of the shells' sh-like quoting.
std::string single_quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

std::vector<std::string> names_of(const std::vector<CommandText>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CommandText& command : commands) names.push_back(command.path.back());
  return names;
}

/// Finds the verb among the words before the cursor, then offers its options, an option's choices, or, with
/// an empty reply, file names (complete -o default).
std::string bash(const CommandText& program) {
  std::string path_cases, value_cases, word_cases;
  for (const CommandText* command : all_of(program)) {
    const std::string path = command->joined("/");
    if (!path.empty()) path_cases += fmt::format("      {0}) path={0} ;;\n", path);
    std::vector<std::string> words, valued;
    for (const OptionText& option : command->options) {
      words.insert(words.end(), option.names.begin(), option.names.end());
      if (option.value.empty()) continue;
      std::vector<std::string> patterns;
      patterns.reserve(option.names.size());
      for (const std::string& name : option.names) patterns.push_back(fmt::format("{}:{}", path, name));
      if (option.choices.empty()) {
        valued.insert(valued.end(), patterns.begin(), patterns.end());
      } else {
        value_cases += fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$current\")); return ;;\n",
                                   fmt::join(patterns, "|"),
                                   single_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
      }
    }
    if (!valued.empty()) value_cases += fmt::format("    {}) return ;;\n", fmt::join(valued, "|"));
    word_cases += fmt::format("    '{}') options={} verbs={} ;;\n", path,
                              single_quoted(fmt::format("{}", fmt::join(words, " "))),
                              single_quoted(fmt::format("{}", fmt::join(names_of(command->children), " "))));
  }
  return fmt::format(
      R"(# bash completion of solion, written by `solion completion bash`
_solion() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} path= options= verbs= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${{path:+$path/}}${{COMP_WORDS[i]}}" in
{}    esac
  done
  case "$path:$previous" in
{}  esac
  case "$path" in
{}  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -n $verbs ]]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$current"))
  fi
}}
complete -o default -F _solion solion
)",
      path_cases, value_cases, word_cases);
}

/// Text inside a specification of _arguments.
std::string zsh_text(std::string text) {
  for (const char* special : {"\\", "[", "]", ":"})
    text = replaced(text, special, std::string("\\") + special);
  return text;
}

std::string zsh_spec(const OptionText& option, const std::string& name) {
  std::string spec = (option.many ? "*" : "") + name + "[" + zsh_text(option.text) + "]";
  if (option.value.empty()) return single_quoted(spec);
  spec += ":" + option.value + ":";
  spec += option.choices.empty() ? "_files" : fmt::format("({})", fmt::join(option.choices, " "));
  return single_quoted(spec);
}

std::string zsh(const CommandText& program) {
  std::string functions;
  for (const CommandText* command : all_of(program)) {
    std::string specs;
    for (const OptionText& option : command->options) {
      for (const std::string& name : option.names) specs += " \\\n    " + zsh_spec(option, name);
    }
    const std::string name = "_solion" + (command->path.empty() ? "" : "_" + command->joined("_"));
    if (command->children.empty()) {
      functions += fmt::format("{}() {{\n  _arguments{} \\\n    '*:file:_files'\n}}\n", name, specs);
      continue;
    }
    std::string verbs, cases;
    for (const CommandText& child : command->children) {
      verbs += " \\\n    " + single_quoted(replaced(child.path.back() + ":" + child.summary, "\\", "\\\\"));
      cases += fmt::format("      {}) {}_{} ;;\n", child.path.back(), name, child.path.back());
    }
    functions += fmt::format(
        "{0}() {{\n  local context state state_descr line\n  typeset -A opt_args\n  local -a verbs=({1})\n  "
        "_arguments -C{2} \\\n    '1:verb:->verb' '*::argument:->rest'\n  case $state in\n    verb) "
        "_describe verb verbs ;;\n    rest) case $words[1] in\n{3}      esac ;;\n  esac\n}}\n",
        name, verbs, specs, cases);
  }
  return "#compdef solion\n# zsh completion of solion, written by `solion completion zsh`\n" + functions +
         "if [[ $funcstack[1] == _solion ]]; then _solion \"$@\"; else compdef _solion solion; fi\n";
}

std::string fish_quoted(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish(const CommandText& program) {
  std::string lines = "# fish completion of solion, written by `solion completion fish`\n";
  for (const CommandText* command : all_of(program)) {
    std::vector<std::string> here;
    for (const std::string& word : command->path) here.push_back("__fish_seen_subcommand_from " + word);
    std::string inside = fmt::format("{}", fmt::join(here, "; and "));
    const std::string none =
        fmt::format("not __fish_seen_subcommand_from {}", fmt::join(names_of(command->children), " "));
    if (!command->children.empty()) inside += (inside.empty() ? "" : "; and ") + none;
    const std::string start = fmt::format("complete -c solion -n {}", fish_quoted(inside));
    for (const CommandText& child : command->children) {
      lines += fmt::format("{} -f -a {} -d {}\n", start, child.path.back(), fish_quoted(child.summary));
    }
    for (const OptionText& option : command->options) {
      lines += start;
      for (const std::string& name : option.names)
        lines += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.value.empty()) lines += " -r";
      if (!option.choices.empty())
        lines += " -f -a " + fish_quoted(fmt::format("{}", fmt::join(option.choices, " ")));
      lines += " -d " + fish_quoted(option.text) + "\n";
    }
  }
  return lines;
}

struct Options {
  std::string shell;
  std::string output;
};

void run(const CLI::App& app, const Options& options) {
  const CommandText program = describe(*app.get_parent());
  const std::string script = options.shell == "bash"  ? bash(program)
                             : options.shell == "zsh" ? zsh(program)
                                                      : fish(program);
  if (options.output.empty()) {
    fmt::print("{}", script);
    return;
  }
  const std::filesystem::path file = options.output;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  write_file(file, script);
}

}  // namespace

std::function<void()> setup_completion(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("shell", options->shell, "For bash: source <(solion completion bash)")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app.add_option("-o,--output", options->output, "Write it to this file");
  return [options, &app] { run(app, *options); };
}

}  // namespace solion::cli
