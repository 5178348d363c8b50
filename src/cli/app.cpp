// The command line as a whole: every verb of the table as a sub-command.
#include <fmt/format.h>

#include <memory>

#include "cli/build_info.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"

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

}  // namespace

std::unique_ptr<CLI::App> make_app(std::function<void()>& chosen) {
  auto app =
      std::make_unique<CLI::App>("solion: ion transport in solid electrolytes, from crystal to report");
  app->name("solion");
  app->set_version_flag("--version", build_text, "Version, commit, compiler, instruction sets, libraries");
  app->require_subcommand(1);
  app->failure_message([](const CLI::App* where, const CLI::Error& error) {
    const std::string name = where->get_parent() == nullptr ? "solion" : "solion " + where->get_name();
    return fmt::format("solion: {} ({} --help)\n", error.what(), name);
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
