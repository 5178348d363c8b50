// solion VERB …: parses the command line, runs the verb, turns exceptions into one message and an exit
// status.
#include <spdlog/sinks/stdout_sinks.h>

#include <csignal>
#include <exception>

#include "cli/failure.hpp"
#include "cli/verbs.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/nn/instruction_set.hpp"

namespace {

constexpr int status_wrong_input = 2;

int run(int argc, char** argv) {
  solion::nn::use_instruction_set_of_environment();
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

}  // namespace

int main(int argc, char** argv) {
  solion::keep_waits_short(argv);
  // Results go to standard output, messages to standard error (spdlog's own default is the other one).
  spdlog::set_default_logger(spdlog::stderr_logger_mt("solion"));
  spdlog::set_pattern("%v");
  solion::watch_interrupts();
  std::signal(SIGXFSZ, SIG_IGN);  // writing beyond the limit on sizes of files then fails, and is told
  try {
    return run(argc, argv);
  } catch (...) {
    const solion::cli::Failure failure = solion::cli::describe(std::current_exception());
    solion::cli::say(failure);
    return failure.status;
  }
}
