// Fuzzes the readers of input files; the first byte chooses which: MD, campaign, study, potential, training,
// labelling, tables of D(T).
#include <array>
#include <cstdint>
#include <string_view>

#include "memory_file.hpp"
#include "solion/base/errors.hpp"
#include "solion/learn/campaign.hpp"
#include "solion/md/settings.hpp"
#include "solion/potential/from_toml.hpp"
#include "solion/reference/settings.hpp"
#include "solion/study/config.hpp"
#include "solion/train/settings.hpp"
#include "solion/transport/arrhenius.hpp"

namespace {

using Path = std::filesystem::path;

struct Input {
  char mark;
  void (*read)(const Path&);
};

constexpr std::array inputs{
    Input{'m', [](const Path& file) { (void)solion::md::read_input(solion::TomlTable::read(file)); }},
    Input{'c', [](const Path& file) { (void)solion::learn::read_campaign(file); }},
    Input{'s', [](const Path& file) { (void)solion::study::read_config(file); }},
    Input{'p', [](const Path& file) { (void)solion::potential_from_toml(file); }},
    Input{'t', [](const Path& file) { (void)solion::train::read_settings(file); }},
    Input{'l',
          [](const Path& file) { (void)solion::reference::read_settings(file, solion::reference::gpaw()); }},
    Input{'d', [](const Path& file) { (void)solion::transport::read_diffusion_table(file); }}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const Input& input : inputs) {
    if (bytes.front() != input.mark) continue;
    const solion::MemoryFile file(bytes.substr(1), "input");
    try {
      input.read(file.path());
    } catch (const solion::InputError&) {  // the expected end
    }
  }
  return 0;
}
