// Opening potentials by name.
#include "solion/catalog/open.hpp"

#include <gmock/gmock.h>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "support/temp_folder.hpp"

namespace solion {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(OpenPotential, OpensAnalyticModels) {
  const auto potential = open_potential(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml");
  EXPECT_THAT(potential->type_map().names(), ::testing::ElementsAre("Li", "O", "Cl"));
}

TEST(OpenPotential, NamesWhatItFound) {
  const testing::TempFolder folder;
  const auto open = [&](const std::string& name) {
    return [&folder, name] { (void)open_potential((folder / name).string()); };
  };
  EXPECT_THAT(open("no.dp"), ThrowsMessage<InputError>(HasSubstr("no.dp: no such file")));
  EXPECT_THAT(open("no.toml"), ThrowsMessage<InputError>(HasSubstr("no.toml: no such file")));
  EXPECT_THAT(open("model.pb"), ThrowsMessage<InputError>(HasSubstr("*.dp")));
  EXPECT_THAT(open("model"), ThrowsMessage<InputError>(HasSubstr("*.toml")));
  for (const char* name : {"foreign.dp", "foreign.hdf5", "foreign.yaml", "foreign.TOML"}) {
    write_file(folder / name, "nonsense: [\n");
    EXPECT_THAT(open(name), ThrowsMessage<InputError>(HasSubstr(name)));
  }
}

}  // namespace
}  // namespace solion
