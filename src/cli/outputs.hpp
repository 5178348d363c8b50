// What a verb writes, held against what it reads, before any work.
#pragma once

#include <string>
#include <vector>

namespace solion::cli {

/// InputError if `target` is a folder, or lies in one that does not exist; an empty name passes.
void check_target(const std::string& target);

/// InputError if a file that would be written is one that is read, or is named twice. Empty names are no
/// files.
void refuse_shared(const std::vector<std::string>& written, const std::vector<std::string>& read);

}  // namespace solion::cli
