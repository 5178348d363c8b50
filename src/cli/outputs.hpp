// What a verb writes, held against what it reads, before any work.
#pragma once

#include <string>
#include <vector>

namespace solion::cli {

/// InputError if a file that would be written is one that is read, or is named twice. Empty names are no
/// files.
void refuse_shared(const std::vector<std::string>& written, const std::vector<std::string>& read);

}  // namespace solion::cli
