// Messages to the user: one line each on standard error, through spdlog.
#pragma once

#include <spdlog/spdlog.h>

namespace solion {

/// The logger of the library. The program sets its level and sink; a library user may replace it.
inline spdlog::logger& log() { return *spdlog::default_logger_raw(); }

}  // namespace solion
