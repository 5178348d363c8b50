// solion VERB …: parses the command line, runs the verb, turns exceptions into one message and an exit
// status.
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <new>

#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"

namespace {

constexpr int status_failed = 1;
constexpr int status_wrong_input = 2;
constexpr int status_interrupted = 130;

int run(int argc, char** argv) {
  std::function<void()> chosen;
  const std::unique_ptr<CLI::App> app = solion::cli::make_app(chosen);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app->exit(error) == 0 ? 0 : status_wrong_input;
  }
  if (chosen) chosen();
  return 0;
}

int report(const char* text, int status) {
  std::fflush(stdout);
  std::fprintf(stderr, "solion: %s\n", text);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  // Results go to standard output, messages to standard error (spdlog's own default is the other one).
  spdlog::set_default_logger(spdlog::stderr_logger_mt("solion"));
  spdlog::set_pattern("%v");
  solion::watch_interrupts();
  try {
    return run(argc, argv);
  } catch (const solion::InputError& error) {
    return report(error.what(), status_wrong_input);
  } catch (const solion::Interrupted& error) {
    return report(error.what(), status_interrupted);
  } catch (const std::bad_alloc&) {
    return report("out of memory", status_failed);
  } catch (const std::exception& error) {
    return report(error.what(), status_failed);
  }
}
