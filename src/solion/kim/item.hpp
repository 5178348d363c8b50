// What a KIM item of this program is made of: names and the settings beside the model.
#pragma once

#include <filesystem>

#include "solion/dp/deep_potential.hpp"

namespace solion::kim {

constexpr const char* driver_name = "solion_deep_potential";
constexpr const char* model_file = "model.dp";
constexpr const char* settings_file = "solion.toml";

struct Settings {
  dp::Path path = dp::Path::fast_double;
};

/// Reads `precision = "double" | "single" | "reference"`; InputError names file, line and key.
Settings read_settings(const std::filesystem::path& file);
void write_settings(const std::filesystem::path& file, const Settings& settings);

}  // namespace solion::kim
