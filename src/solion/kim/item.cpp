// The settings file of a KIM item.
#include "solion/kim/item.hpp"

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"

namespace solion::kim {

Settings read_settings(const std::filesystem::path& file) {
  TomlTable table = TomlTable::read(file);
  Settings settings;
  const std::string name = table.text("precision", "double");
  try {
    settings.path = dp::path_from_name(name);
  } catch (const InputError& error) {
    table.fail("precision", error.what());
  }
  table.refuse_unknown();
  return settings;
}

void write_settings(const std::filesystem::path& file, const Settings& settings) {
  write_file(file, fmt::format("precision = \"{}\"\n", dp::path_name(settings.path)));
}

}  // namespace solion::kim
