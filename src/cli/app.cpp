// The command line as a whole: every verb of the table as a sub-command.
#include <fmt/format.h>

#include <memory>

#include "cli/build_info.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/nearest.hpp"

namespace solion::cli {

namespace {

std::function<void()> without_promise(std::function<void()> action) {
  return [action = std::move(action)] {
    try {
      action();
    } catch (const Interrupted&) {
      throw Interrupted("interrupted");
    }
  };
}

/// What does the work of a verb of DeePMD-kit's `dp` that has no namesake here; empty: none known.
std::string known_elsewhere(const std::string& word) {
  if (word == "freeze") return "; 'solion train' writes the finished model, there is nothing to freeze";
  if (word == "model-devi") return "; it is 'solion analyze deviation'";
  if (word == "neighbor-stat") return "; 'solion train' counts neighbours itself where sel is \"auto\"";
  return {};
}

/// The same for options of `dp train`.
std::string option_elsewhere(const std::string& option) {
  if (option.starts_with("--finetune") || option.starts_with("--init-frz-model"))
    return "; --init-model MODEL.dp starts from the parameters and statistics of a model of the same type "
           "map";
  return {};
}

/// A second file behind a verb of one: it may be the checkpoint of `dp train --restart CHECKPOINT`.
std::string second_file(const CLI::App& at, const std::string& word) {
  if (at.get_name() != "train" || at.count("--restart") == 0) return {};
  return fmt::format(
      "--restart takes no file, and with '{}' there is one too many; the checkpoint is the one that the "
      "input names (training/save_ckpt), in --folder",
      word);
}

/// What is wrong with the first word that the parser did not know, which matters more than what it then
/// missed; empty if it knew all.
std::string unknown_word(const CLI::App& at, const std::string& name) {
  const std::vector<std::string> unknown = at.remaining();
  if (unknown.empty()) return {};
  const std::string& word = unknown.front();
  std::vector<std::string> known;
  if (word.starts_with('-')) {
    for (const CLI::Option* option : at.get_options())
      for (const std::string& known_name : option->get_lnames()) known.push_back("--" + known_name);
    const std::string elsewhere = option_elsewhere(word);
    return fmt::format("{} has no option {}{}", at.get_name(), word,
                       elsewhere.empty() ? did_you_mean(word, known) : elsewhere);
  }
  for (const CLI::App* sub : at.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(sub->get_name());
  if (known.empty()) return second_file(at, word);
  const std::string elsewhere = known_elsewhere(word);
  return fmt::format("there is no '{} {}'{}", name, word,
                     elsewhere.empty() ? did_you_mean(word, known) : elsewhere);
}

}  // namespace

std::unique_ptr<CLI::App> make_app(std::function<void()>& chosen) {
  auto app =
      std::make_unique<CLI::App>("solion: ion transport in solid electrolytes, from crystal to report");
  app->name("solion");
  app->set_version_flag("--version", build_text, "Version, commit, compiler, instruction sets, libraries");
  app->require_subcommand(1);
  app->failure_message([](const CLI::App* root, const CLI::Error& error) {
    std::string name = "solion";
    const CLI::App* at = root;
    while (!at->get_subcommands().empty()) {
      at = at->get_subcommands().front();
      name += " " + at->get_name();
    }
    const std::string unknown = unknown_word(*at, name);
    return fmt::format("solion: {} ({} --help)\n", unknown.empty() ? error.what() : unknown, name);
  });
  for (const Verb& verb : verbs()) {
    CLI::App* sub = app->add_subcommand(verb.name, verb.summary);
    std::function<void()> action = verb.setup(*sub);
    if (!verb.goes_on) action = without_promise(std::move(action));
    sub->callback([&chosen, action] { chosen = action; });
  }
  return app;
}

}  // namespace solion::cli
