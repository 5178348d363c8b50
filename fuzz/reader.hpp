// What every fuzz target does: read all frames out of memory; an InputError is a good answer, anything else a
// find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/io/frames.hpp"

namespace solion::io {

template <typename Open>
int fuzz_reader(const std::uint8_t* data, std::size_t size, const ReadOptions& options, const Open& open) {
  log().set_level(spdlog::level::off);
  try {
    const auto reader =
        open(LineReader(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz"), options);
    Frame frame;
    while (reader->next(frame)) {
    }
  } catch (const InputError&) {  // the expected end
  }
  return 0;
}

}  // namespace solion::io
