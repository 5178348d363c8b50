// Opening crystals by name or file.
#include "solion/catalog/crystal.hpp"

#include <gmock/gmock.h>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "support/temp_folder.hpp"

namespace solion {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// The folder to be in, and back again.
class Inside {
 public:
  explicit Inside(const std::filesystem::path& folder) : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  Inside(Inside&&) = delete;
  Inside& operator=(Inside&&) = delete;
  ~Inside() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_;
};

TEST(OpenCrystal, AKnownNameCountsMoreThanAFolderOfThatName) {
  const testing::TempFolder folder;
  std::filesystem::create_directory(folder / "li3ocl");
  const Inside inside(folder.path());
  EXPECT_EQ(open_crystal("li3ocl").frame.n_atoms(), 5U);
  EXPECT_THAT([] { (void)open_crystal("./li3ocl"); }, ThrowsMessage<InputError>(HasSubstr("li3ocl")));
}

TEST(OpenCrystal, SaysWhatIsNotThere) {
  EXPECT_THAT([] { (void)open_crystal("no.vasp"); }, ThrowsMessage<InputError>(HasSubstr("no such file")));
  EXPECT_THAT([] { (void)open_crystal("nothing"); }, ThrowsMessage<InputError>(HasSubstr("nothing")));
}

TEST(OpenCrystal, OxidationStatesMustMakeItNeutral) {
  for (const std::string& name : known_crystals()) EXPECT_NO_THROW((void)open_crystal(name)) << name;
  const testing::TempFolder folder;
  write_file(folder / "nacl.toml",
             "name = \"nacl\"\ncell_A = 5.64\nsites = [\"Na 0 0 0\", \"Na 0 0.5 0.5\", \"Cl 0.5 0.5 0.5\"]\n"
             "[oxidation_states]\nNa = 1\nCl = -1\n");
  EXPECT_THAT(
      [&] { (void)open_crystal((folder / "nacl.toml").string()); },
      ThrowsMessage<InputError>(HasSubstr("nacl.toml: oxidation_states: Na2 Cl1 has the charge +1 with "
                                          "these oxidation states (Cl = -1, Na = 1)")));
  // The file with the reactions is named, and may put right what the crystal's own says.
  write_file(folder / "right.toml", "[oxidation_states]\nCl = -2\nMg = 2\n");
  EXPECT_NO_THROW((void)open_crystal((folder / "nacl.toml").string(), folder / "right.toml"));
  write_file(folder / "wrong.toml", "[oxidation_states]\nO = -1\n");
  EXPECT_THAT(
      [&] { (void)open_crystal("li3ocl", folder / "wrong.toml"); },
      ThrowsMessage<InputError>(HasSubstr("wrong.toml: oxidation_states: Li3 O1 Cl1 has the charge +1")));
  // Where a state is not told, nothing is known of the charge.
  write_file(folder / "part.vasp", "x\n4\n1 0 0\n0 1 0\n0 0 1\nFe O\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n");
  write_file(folder / "part.toml", "[oxidation_states]\nO = -2\n");
  EXPECT_NO_THROW((void)open_crystal((folder / "part.vasp").string(), folder / "part.toml"));
}

}  // namespace
}  // namespace solion
