// One short run to learn the version.
#include "solion/reference/program.hpp"

#include <cstdlib>
#include <filesystem>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/reference/process.hpp"

namespace solion::reference {

std::string chosen_program(const Settings& settings, const char* variable, const char* fallback) {
  if (!settings.program.empty()) return settings.program;
  const char* chosen = std::getenv(variable);
  return chosen != nullptr && *chosen != '\0' ? chosen : fallback;
}

std::string probe(const std::string& name, const std::vector<std::string>& argv, const Settings& settings,
                  const std::string& advice, bool any_status) {
  const TemporaryFolder folder("probe");
  Command command;
  command.argv = argv;
  command.folder = folder.path();
  command.log = folder.path() / "log";
  command.environment = settings.environment;
  command.time_limit_s = 120;
  std::string said;
  bool good = false;
  try {
    good = run(command, [] { return false; }).success() || any_status;
    said = tail(command.log, 200);
  } catch (const WorkError& error) {
    said = error.what();
  }
  if (!good) throw WorkError("{} does not run with {}: {}\n{}", name, argv.front(), said, advice);
  return said;
}

std::string word_behind(const std::string& text, const std::string& key) {
  const auto at = text.find(key);
  if (at == std::string::npos) return {};
  const auto begin = text.find_first_not_of(" \t", at + key.size());
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_first_of(" \t\n", begin) - begin);
}

}  // namespace solion::reference
