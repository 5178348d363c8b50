// What libkim-api looks up in a shared object, and the one file of metadata that it lists.
#pragma once

#include <KIM_FunctionTypes.hpp>
#include <KIM_LanguageName.hpp>
// After the headers that it leans on.
#include <KIM_SharedLibrarySchema.hpp>

#define SOLION_KIM_SYMBOL extern "C" __attribute__((visibility("default")))

namespace solion::kim {

using Schema = KIM::SHARED_LIBRARY_SCHEMA::SharedLibrarySchemaV2;
constexpr int schema_version = KIM_SHARED_LIBRARY_SCHEMA_VERSION;

inline constexpr unsigned char compiled_with[] = SOLION_KIM_VERSION "\n";
inline const Schema::EmbeddedFile metadata[] = {
    {"item-compiled-with-version.txt", sizeof compiled_with - 1, compiled_with}};

}  // namespace solion::kim
