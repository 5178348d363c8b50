// The report writer: what is in the page, what is escaped, what is refused.
#include "solion/report/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"

namespace solion::report {
namespace {

using testing::HasSubstr;
using testing::Not;

class ReportTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("solion_report_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    write_file(folder_ / "plotly.js", "var Plotly = '</script>';");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string written(const Document& document) {
    write_html(document, folder_ / "report.html", folder_ / "plotly.js");
    return read_file(folder_ / "report.html");
  }
  std::filesystem::path folder_;
};

Figure figure(const std::string& id) {
  Figure f;
  f.id = id;
  f.caption = "MSD of Li";
  f.x_label = "time (ps)";
  f.y_label = "MSD (Å²)";
  f.series.push_back({"type1 </script>", {1, 2}, {0.5, 1.25}, {0.1, 0.2}, "type1", Mark::line, false, false});
  return f;
}

TEST_F(ReportTest, TextIsEscapedAndScriptsCannotBeEndedByData) {
  const std::string page =
      written({"<Li3OCl> & \"co\"", "a < b", {{"host", "<x>"}}, {{"S & T", {figure("msd")}}}});
  EXPECT_THAT(page, HasSubstr("&lt;Li3OCl&gt; &amp; &quot;co&quot;"));
  EXPECT_THAT(page, Not(HasSubstr("type1 </script>")));
  EXPECT_THAT(page, HasSubstr("var Plotly = '<\\/script>'"));
  EXPECT_THAT(page, HasSubstr("<figure id=\"msd\""));
}

TEST_F(ReportTest, DataStandsBesideThePage) {
  Table table{"d-table", "D", {"structure", "D, with comma"}, {{"type1", "1e-6"}}, {"not resolved: bound"}};
  const std::string page = written({"t", "s", {}, {{"one", {figure("msd"), table, std::string("text")}}}});
  EXPECT_EQ(read_file(folder_ / "data/msd.csv"),
            "series,time (ps),MSD (Å²),error\ntype1 </script>,1,0.5,0.1\ntype1 </script>,2,1.25,0.2\n");
  EXPECT_EQ(read_file(folder_ / "data/d-table.csv"), "structure,\"D, with comma\"\ntype1,1e-6\n");
  EXPECT_THAT(page, HasSubstr("not resolved: bound"));
}

TEST_F(ReportTest, DefinitionsCanBeReadWithoutAMouse) {
  Figure defined = figure("msd");
  defined.definition = "Mean over ions & origins.";
  const std::string page = written({"t", "s", {}, {{"one", {defined, Table{"a", "", {"x"}, {{"1"}}, {}}}}}});
  EXPECT_THAT(page, HasSubstr("title=\"Mean over ions &amp; origins.\""));
  EXPECT_THAT(page, HasSubstr("<p class=\"note\">Mean over ions &amp; origins.</p></figcaption>"));
  EXPECT_THAT(page, HasSubstr("id=\"a\" tabindex=\"0\""));
}

TEST_F(ReportTest, WhatIsFarFromZeroKeepsItsDifferences) {
  Figure parity = figure("parity");
  parity.series = {{"label", {-290.1234, -290.1239}, {1.23456789, 0}, {}, "", Mark::points},
                   {"alone", {-290.12345}, {0}, {}, "", Mark::points}};
  const std::string page = written({"t", "s", {}, {{"one", {parity}}}});
  EXPECT_THAT(page, HasSubstr("[-290.1234,-290.1239]"));
  EXPECT_THAT(page, HasSubstr("[-290.12345]"));
  EXPECT_THAT(page, HasSubstr("[1.23457,"));
}

TEST_F(ReportTest, BoundsAreToldFromOtherOpenPoints) {
  Figure one = figure("one");
  one.series = {{"value", {1}, {1}, {}, "", Mark::points}, {"molten", {1}, {1}, {}, "", Mark::points}};
  one.series.push_back(one.series.back());
  one.series[1].open_points = true;
  one.series[2].open_points = one.series[2].bounds = true;
  const std::string page = written({"t", "s", {}, {{"one", {one}}}});
  EXPECT_THAT(page, HasSubstr("circle-open"));
  EXPECT_THAT(page, HasSubstr("triangle-down-open"));
}

TEST_F(ReportTest, WrongDocumentsAreRefused) {
  EXPECT_THROW(written({"t", "s", {}, {{"one", {figure("a"), figure("a")}}}}), InputError);
  EXPECT_THROW(written({"t", "s", {}, {{"one", {figure("a b")}}}}), InputError);
  Figure uneven = figure("b");
  uneven.series[0].y.pop_back();
  EXPECT_THROW(written({"t", "s", {}, {{"one", {uneven}}}}), InputError);
  EXPECT_THROW(written({"t", "s", {}, {{"one", {Table{"c", "", {"a", "b"}, {{"1"}}, {}}}}}}), InputError);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.html"));
}

TEST_F(ReportTest, AStructureHasOneColourInAllFigures) {
  Figure one = figure("one"), two = figure("two");
  one.series = {{"MSD", {1}, {1}, {}, "mine", Mark::line}, {"fit", {1}, {1}, {}, "", Mark::line}};
  two.series = {{"D", {1}, {1}, {}, "other", Mark::points}, {"D", {1}, {1}, {}, "mine", Mark::points}};
  const std::string page = written({"t", "s", {}, {{"a", {one}}, {"b", {two}}}, {"other"}});
  const auto looks = looks_of({"other", "mine"});
  const auto times = [&](const std::string& colour) {
    std::size_t n = 0;
    for (auto at = page.find(colour); at != std::string::npos; at = page.find(colour, at + 1)) ++n;
    return n;
  };
  // Of a line and of its points.
  EXPECT_EQ(times(looks.at("mine").colour), 4U);
  EXPECT_EQ(times(looks.at("other").colour), 2U);
}

TEST(Looks, EveryDefectTypeHasItsOwnColour) {
  std::set<std::string> colours;
  const auto looks =
      looks_of({"perfect", "type1", "type2", "type3", "type12", "type13", "type23", "type123"});
  for (const auto& [name, look] : looks) colours.insert(look.colour);
  EXPECT_EQ(colours.size(), 8U);
  EXPECT_EQ(looks.at("type3").colour, looks_of({"type3"}).at("type3").colour);
}

TEST(Looks, OtherNamesTakeWhatIsFree) {
  const std::vector<std::string> names{"type2x8", "perfect", "type2", "type3", "mine"};
  const auto looks = looks_of(names);
  std::set<std::string> colours;
  for (const auto& [name, look] : looks) {
    colours.insert(look.colour);
    EXPECT_EQ(look.variant, 0U) << name;
  }
  EXPECT_EQ(colours.size(), names.size());
  EXPECT_EQ(looks.at("type3"), looks_of({"type3"}).at("type3"));
}

TEST(Looks, DifferAlsoWhereColoursRunOut) {
  std::vector<std::string> names;
  for (int k = 0; k < 30; ++k) names.push_back("s" + std::to_string(k));
  std::set<std::pair<std::string, std::size_t>> different;
  for (const auto& [name, look] : looks_of(names)) different.insert({look.colour, look.variant});
  EXPECT_EQ(different.size(), names.size());
}

}  // namespace
}  // namespace solion::report
