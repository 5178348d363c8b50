// One place of a file, however it is written.
#include "cli/outputs.hpp"

#include <filesystem>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"

namespace solion::cli {
namespace {

std::filesystem::path place_of(const std::string& name) {
  // Relative names that are not there would stay relative.
  const std::filesystem::path path = std::filesystem::weakly_canonical(std::filesystem::absolute(name));
  return path.has_filename() ? path : path.parent_path();  // a folder with its slash
}

}  // namespace

void check_target(const std::string& target) {
  std::error_code ignored;
  if (std::filesystem::is_directory(target, ignored))
    throw InputError("{}: is a folder; expected the name of a file to write", target);
  require_folder_of(target);
}

void refuse_shared(const std::vector<std::string>& written, const std::vector<std::string>& read) {
  std::set<std::filesystem::path> inputs, outputs;
  for (const std::string& name : read)
    if (std::filesystem::exists(name)) inputs.insert(place_of(name));
  for (const std::string& name : written) {
    if (name.empty()) continue;
    if (inputs.contains(place_of(name)))
      throw InputError("{}: is an input of this command; it would be written over", name);
    if (!outputs.insert(place_of(name)).second) throw InputError("{}: is named for two outputs", name);
  }
}

}  // namespace solion::cli
