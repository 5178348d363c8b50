// What is said of a text file whose last line has no end.
#pragma once

#include "solion/base/log.hpp"
#include "solion/io/text.hpp"

namespace solion::io {

/// Warns if the line read last has no end of line: its last number may be cut in the middle.
inline void warn_if_cut_off(const LineReader& lines) {
  if (lines.cut_off())
    log().warn("{}: the last line has no end of line; was the file cut off?", lines.where());
}

}  // namespace solion::io
