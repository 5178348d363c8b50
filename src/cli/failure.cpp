// Exceptions as one message and an exit status.
#include "cli/failure.hpp"

#include <cstdio>
#include <new>

#include "solion/base/errors.hpp"

namespace solion::cli {

Failure describe(const std::exception_ptr& problem) {
  constexpr int status_failed = 1;
  constexpr int status_wrong_input = 2;
  constexpr int status_interrupted = 130;
  try {
    std::rethrow_exception(problem);
  } catch (const InputError& error) {
    return {status_wrong_input, error.what()};
  } catch (const Interrupted& error) {
    return {status_interrupted, error.what()};
  } catch (const std::bad_alloc&) {
    return {status_failed, "out of memory"};
  } catch (const std::exception& error) {
    return {status_failed, error.what()};
  }
}

void say(const Failure& failure) {
  std::fflush(stdout);
  std::fprintf(stderr, "solion: %s\n", failure.text.c_str());
}

}  // namespace solion::cli
