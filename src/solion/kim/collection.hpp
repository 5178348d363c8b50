// KIM items of a model: as sources for KIM's own tools, or installed, ready to run, into a KIM collection.
#pragma once

#include <filesystem>
#include <string>

#include "solion/kim/item.hpp"

namespace solion::kim {

/// Where simulators of this user look for items.
struct Collection {
  std::filesystem::path drivers;
  std::filesystem::path models;
};

/// The first folders of KIM_API_MODEL_DRIVERS_DIR and KIM_API_PORTABLE_MODELS_DIR where both are set,
/// otherwise the user's collection of libkim-api. InputError with the Debian package where this program was
/// built without KIM.
Collection user_collection();

/// InputError unless `name` is what KIM takes for a name: letters, digits and _, no digit first.
void check_name(const std::string& name);

/// Both of the following refuse a model with types that are no elements.
/// Writes folder/NAME with the model, its settings and a CMakeLists.txt, which
/// `kim-api-collections-management install` builds and installs once the driver is there. Returns
/// folder/NAME.
std::filesystem::path write_source(const dp::Model& model, const Settings& settings, const std::string& name,
                                   const std::filesystem::path& folder);

/// Puts driver and model into the collection, ready to run; replaces what is there under these names. `parts`
/// is the folder with the two shared objects. Returns the folder of the model.
std::filesystem::path install(const dp::Model& model, const Settings& settings, const std::string& name,
                              const Collection& collection, const std::filesystem::path& parts);

/// The folder with the shared objects: SOLION_KIM where it is set, kim/ beside the program, or lib/solion/kim
/// of its installed tree. InputError that lists where it looked.
std::filesystem::path find_parts();

}  // namespace solion::kim
