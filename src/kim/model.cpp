// KIM portable model without a compiler: this shared object, copied into a folder of a KIM collection, takes
// its name from the folder and its parameter files from the files that lie beside it.
#include <dlfcn.h>

#include <KIM_CollectionItemType.hpp>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "kim/schema.hpp"
#include "solion/kim/item.hpp"

SOLION_KIM_SYMBOL int kim_shared_library_schema_version;
SOLION_KIM_SYMBOL solion::kim::Schema kim_shared_library_schema;

namespace solion::kim {
namespace {

std::filesystem::path own_folder() {
  Dl_info info{};
  if (dladdr(&kim_shared_library_schema_version, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code ignored;
  return std::filesystem::absolute(info.dli_fname, ignored).parent_path();
}

/// A file that is not there has no bytes: the driver says so.
std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

const std::filesystem::path folder = own_folder();
const std::string name = folder.filename().string();
const std::array<std::string, 2> contents{bytes_of(folder / model_file), bytes_of(folder / settings_file)};

Schema::EmbeddedFile embedded(const char* file, const std::string& bytes) {
  return {file, static_cast<unsigned int>(bytes.size()),
          reinterpret_cast<const unsigned char*>(bytes.data())};
}
const std::array<Schema::EmbeddedFile, 2> files{embedded(model_file, contents[0]),
                                                embedded(settings_file, contents[1])};

}  // namespace
}  // namespace solion::kim

int kim_shared_library_schema_version = solion::kim::schema_version;
solion::kim::Schema kim_shared_library_schema = {KIM::COLLECTION_ITEM_TYPE::portableModel,
                                                 solion::kim::name.c_str(),
                                                 KIM::LANGUAGE_NAME::cpp,
                                                 nullptr,
                                                 solion::kim::driver_name,
                                                 nullptr,
                                                 2,
                                                 solion::kim::files.data(),
                                                 1,
                                                 solion::kim::metadata};
