// Content hashes (SHA-256): the identity of a frame, a task, a file.
#pragma once

#include <string>
#include <string_view>

namespace solion {

/// SHA-256 of the bytes, 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);

}  // namespace solion
