// Opening crystals by name or file.
#include "solion/catalog/crystal.hpp"

#include <gmock/gmock.h>

#include "solion/base/errors.hpp"
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

}  // namespace
}  // namespace solion
