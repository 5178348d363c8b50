// The cells of a study: how many defects a structure's name stands for.
#include "solion/study/cells.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/study/report_parts.hpp"

namespace solion::study {
namespace {

Config with(std::vector<std::string> structures) {
  Config config;
  config.md.structures = std::move(structures);
  config.md.supercell = {2, 2, 2};
  config.md.placement = "random";
  config.md.count = 2;
  return config;
}

TEST(Cells, ANameSaysHowManyReactions) {
  const Config config = with({"perfect", "type2", "type2x3", "type1x1"});
  // A type-2 reaction takes two Li and one O out of the 40 atoms.
  EXPECT_EQ(build_cell(config, "perfect").n_atoms(), 40U);
  EXPECT_EQ(build_cell(config, "type2").n_atoms(), 34U);
  EXPECT_EQ(build_cell(config, "type2x3").n_atoms(), 31U);
  EXPECT_EQ(build_cell(config, "type1x1").n_atoms(), 38U);
  EXPECT_EQ(reactions_of(config, crystal_of(config)),
            (std::vector<std::string>{"perfect", "type2", "type1"}));
  EXPECT_EQ(crystal_key(config, {"type2x3"}), crystal_key(config, {"type2"}));
  EXPECT_NE(crystal_key(config, {"type2x3"}), crystal_key(config, {"type1"}));
}

TEST(Cells, AReactionOfThatVeryNameIsMeant) {
  const Config config = with({});
  Crystal crystal = crystal_of(config);
  crystal.chemistry.reactions.emplace_back("boxx2", "type1");
  EXPECT_EQ(content_of(config, crystal, "boxx2").reaction, "boxx2");
  EXPECT_EQ(content_of(config, crystal, "boxx2").count, 2);
  EXPECT_EQ(content_of(config, crystal, "type1x12").reaction, "type1");
  EXPECT_EQ(content_of(config, crystal, "type1x12").count, 12);
  for (const char* name : {"type1x", "type1x0", "x3", "type1x-2"})
    EXPECT_EQ(content_of(config, crystal, name).reaction, name);
}

TEST(Cells, PublishedNumbersAreThoseOfTheReaction) {
  const Published published{"", {{"type2", {{"300", 1e-9}}}}, Json::object()};
  EXPECT_EQ(published.D("type2x8", 300), 1e-9);
  EXPECT_EQ(published.D("type2", 300), 1e-9);
  for (const char* name : {"type2xyz", "type2x", "type1x2"})
    EXPECT_TRUE(published.D(name, 300).is_null()) << name;
}

TEST(Cells, TheBarostatFollowsTheCrystal) {
  EXPECT_TRUE(is_cubic(Cell::cubic(4)));
  EXPECT_TRUE(is_cubic(Cell(Mat3(Vec3(4, 4.0005, 4).asDiagonal()))));
  EXPECT_FALSE(is_cubic(Cell(Mat3(Vec3(4, 4, 4.01).asDiagonal()))));
  Mat3 oblique = 4 * Mat3::Identity();
  oblique(1, 0) = 0.001;  // 0.014 degrees
  EXPECT_FALSE(is_cubic(Cell(oblique)));
  Config config = with({"perfect"});
  EXPECT_EQ(barostat_of(config), md::Barostat::isotropic);
  EXPECT_EQ(settings_at(config, 300, md::Ensemble::nvt, 1, 1).barostat, md::Barostat::none);
  Json inputs = Json::object();
  add_barostat(config, inputs);
  EXPECT_TRUE(inputs.empty());
  config.md.barostat = "mtk-full";
  EXPECT_EQ(settings_at(config, 300, md::Ensemble::npt, 1, 1).barostat, md::Barostat::full);
  add_barostat(config, inputs);
  EXPECT_EQ(inputs["barostat"], "mtk-full");
}

TEST(Cells, UnknownOnesAreRefused) {
  EXPECT_THROW((void)build_cell(with({}), "type9x2"), InputError);
  EXPECT_THROW((void)build_cell(with({}), "type2x100"), InputError);
}

}  // namespace
}  // namespace solion::study
