// Writes KIM items; asks libkim-api where they go.
#include "solion/kim/collection.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/structure/elements.hpp"

#ifdef SOLION_HAS_KIM
#include <KIM_Collection.hpp>
#include <KIM_CollectionItemType.hpp>
#include <KIM_Collections.hpp>
#endif

namespace solion::kim {
namespace {

namespace fs = std::filesystem;
constexpr const char* driver_object = "libkim-api-model-driver.so";
constexpr const char* model_object = "libkim-api-portable-model.so";

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw WorkError("{}: {}", folder.string(), error.message());
}

/// KIM addresses species by element.
void check_elements(const dp::Model& model) {
  for (const std::string& name : model.type_map.names()) {
    if (atomic_number(name) == 0)
      throw InputError("'{}' of the model's type map is no element; KIM knows no other species", name);
  }
}

/// Whole or not there, even where a running simulator has the old one open.
void copy_whole(const fs::path& from, const fs::path& to) { write_file(to, read_file(from)); }

void write_parameters(const dp::Model& model, const Settings& settings, const fs::path& folder) {
  // Under a name that ends as the model's, for the format goes by the suffix.
  const fs::path fresh = folder / (std::string("new-") + model_file);
  dp::write_model(fresh, model);
  std::error_code error;
  fs::rename(fresh, folder / model_file, error);
  if (error) throw WorkError("{}: {}", (folder / model_file).string(), error.message());
  write_settings(folder / settings_file, settings);
}

#ifdef SOLION_HAS_KIM
fs::path first_folder(KIM::Collection collection, KIM::CollectionItemType type) {
  KIM::Collections* collections = nullptr;
  if (KIM::Collections::Create(&collections) != 0)
    throw WorkError("libkim-api does not read its settings (~/.kim-api)");
  int n = 0;
  const std::string* name = nullptr;
  fs::path folder;
  if (collections->CacheListOfDirectoryNames(collection, type, &n) == 0 && n > 0 &&
      collections->GetDirectoryName(0, &name) == 0)
    folder = *name;
  KIM::Collections::Destroy(&collections);
  return folder;
}
#endif

}  // namespace

Collection user_collection() {
#ifdef SOLION_HAS_KIM
  using namespace KIM::COLLECTION_ITEM_TYPE;  // NOLINT(google-build-using-namespace): two names
  for (const auto& collection : {KIM::COLLECTION::environmentVariable, KIM::COLLECTION::user}) {
    Collection found{first_folder(collection, modelDriver), first_folder(collection, portableModel)};
    if (!found.drivers.empty() && !found.models.empty()) return found;
  }
  throw WorkError("libkim-api names no folder of the user for its items (~/.kim-api)");
#else
  throw InputError(
      "this solion was built without KIM: install the Debian package libkim-api-dev and build it again "
      "(script/build)");
#endif
}

void check_name(const std::string& name) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), fits) ||
      std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
    throw InputError(
        "'{}' is no name for a KIM model: letters, digits and _, no digit first (as Li3OCl_dp_v1)", name);
  }
  if (name == driver_name)
    throw InputError("'{}' is the name of the driver; choose another for the model", name);
}

fs::path write_source(const dp::Model& model, const Settings& settings, const std::string& name,
                      const fs::path& folder) {
  check_name(name);
  check_elements(model);
  fs::path item = folder / name;
  make_folder(item);
  write_parameters(model, settings, item);
  write_file(
      item / "CMakeLists.txt",
      fmt::format(R"(# A KIM portable model; its driver comes with solion (solion export --kim … --install).
cmake_minimum_required(VERSION 3.10)
list(APPEND CMAKE_PREFIX_PATH $ENV{{KIM_API_CMAKE_PREFIX_DIR}})
find_package(KIM-API-ITEMS 2.2 REQUIRED CONFIG)
kim_api_items_setup_before_project(ITEM_TYPE "portableModel")
project({0})
kim_api_items_setup_after_project(ITEM_TYPE "portableModel")
add_kim_api_model_library(NAME ${{PROJECT_NAME}} DRIVER_NAME "{1}" PARAMETER_FILES "{2}" "{3}")
)",
                  name, driver_name, model_file, settings_file));
  return item;
}

fs::path install(const dp::Model& model, const Settings& settings, const std::string& name,
                 const Collection& collection, const fs::path& parts) {
  check_name(name);
  check_elements(model);
  const fs::path driver = collection.drivers / driver_name;
  fs::path item = collection.models / name;
  make_folder(driver);
  make_folder(item);
  copy_whole(parts / driver_object, driver / driver_object);
  write_parameters(model, settings, item);
  copy_whole(parts / model_object, item / model_object);
  return item;
}

fs::path find_parts() {
  std::vector<fs::path> places;
  if (const char* chosen = std::getenv("SOLION_KIM"); chosen != nullptr && *chosen != '\0')
    places.emplace_back(chosen);
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  places.push_back(folder / "kim");
  places.push_back(folder.parent_path() / "lib/solion/kim");
  std::string looked;
  for (const auto& place : places) {
    if (fs::is_regular_file(place / driver_object, ignored) &&
        fs::is_regular_file(place / model_object, ignored))
      return place;
    looked += "\n  " + place.string();
  }
  throw InputError(
      "the KIM model driver was not built with this solion: install the Debian package libkim-api-dev and "
      "build it again (script/build); looked at:{}",
      looked);
}

}  // namespace solion::kim
