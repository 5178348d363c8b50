// The table of verbs: each is one file that owns its options and calls the library.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace solion::cli {

/// Adds a verb's options to its sub-command and returns what to run once they are parsed.
using Setup = std::function<void()> (*)(CLI::App& app);

struct Verb {
  const char* name;
  const char* summary;
  Setup setup;
  bool goes_on = false;  ///< after an interruption, from what it had finished
};

/// In the order in which `solion --help` shows them.
std::span<const Verb> verbs();

/// The whole command line; parsing it sets `chosen` to what the verb does.
std::unique_ptr<CLI::App> make_app(std::function<void()>& chosen);

}  // namespace solion::cli
