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

TEST(OpenPotential, SaysWhichFrameHasAForeignElement) {
  const auto potential = open_potential(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml");
  Frame frame;
  frame.add_atom("Li", Vec3::Zero());
  frame.add_atom("Sb", Vec3(2, 0, 0));
  EXPECT_THAT(
      [&] { (void)match_types(frame, *potential); },
      ThrowsMessage<InputError>(HasSubstr("does not know the element 'Sb' of the frame Li1 Sb1; it knows")));
}

TEST(OpenPotential, OpensReferenceCodes) {
  const auto gpaw = open_potential("gpaw");
  EXPECT_GE(gpaw->type_map().find("Cl"), 0);
  EXPECT_GE(open_potential(SOLION_SOURCE_DIR "/examples/li3ocl/gpaw.toml")->type_map().find("O"), 0);
  const testing::TempFolder folder;
  write_file(folder / "wrong.toml", "code = \"nocode\"\n");
  EXPECT_THAT([&] { (void)open_potential((folder / "wrong.toml").string()); },
              ThrowsMessage<InputError>(HasSubstr("known: gpaw, cp2k, espresso, abinit, vasp")));
}

TEST(OpenPotential, NamesWhatItFound) {
  const testing::TempFolder folder;
  const auto open = [&](const std::string& name) {
    return [&folder, name] { (void)open_potential((folder / name).string()); };
  };
  EXPECT_THAT(open("no.dp"), ThrowsMessage<InputError>(HasSubstr("no.dp: no such file")));
  EXPECT_THAT(open("no.toml"), ThrowsMessage<InputError>(HasSubstr("no.toml: no such file")));
  EXPECT_THAT(open("model.pb"), ThrowsMessage<InputError>(HasSubstr("dp convert-backend")));
  EXPECT_THAT(open("model"), ThrowsMessage<InputError>(HasSubstr("*.toml")));
  for (const char* name : {"foreign.dp", "foreign.hdf5", "foreign.yaml", "foreign.TOML"}) {
    write_file(folder / name, "nonsense: [\n");
    EXPECT_THAT(open(name), ThrowsMessage<InputError>(HasSubstr(name)));
  }
}

}  // namespace
}  // namespace solion
