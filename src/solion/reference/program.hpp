// Which program a code is, and whether it runs: shared by the calculators.
#pragma once

#include <string>
#include <vector>

#include "solion/reference/calculator.hpp"

namespace solion::reference {

/// The settings' program, else the environment variable's value, else `fallback`.
std::string chosen_program(const Settings& settings, const char* variable, const char* fallback);

/// Runs `argv` in a folder of its own and returns what it printed (at most the last 16 kB). WorkError "NAME
/// does not run with …" with what it said and `advice`, if it cannot be started or (unless `any_status`)
/// fails.
std::string probe(const std::string& name, const std::vector<std::string>& argv, const Settings& settings,
                  const std::string& advice, bool any_status = false);

/// The word behind `key` in a text; empty if it is not there.
std::string word_behind(const std::string& text, const std::string& key);

}  // namespace solion::reference
