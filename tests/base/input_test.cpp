// TOML and JSON input: every error names file, line, key and what was expected.
#include "solion/base/input.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/nearest.hpp"

namespace solion {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

template <typename F>
std::string problem_of(const F& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

constexpr const char* text = R"(steps = 100
name = "md"
hot = true
[cell]
a_A = 3.9
list = [1, 2, 3]
mixed = [1, "two"]
[[run]]
t = 300
[[run]]
t = 600
)";

TEST(TomlTable, ReadsEveryKind) {
  TomlTable table = TomlTable::parse(text, "in.toml");
  EXPECT_EQ(table.integer("steps"), 100);
  EXPECT_EQ(table.number("steps"), 100.0);
  EXPECT_EQ(table.text("name"), "md");
  EXPECT_TRUE(table.boolean("hot", false));
  EXPECT_EQ(table.integer("missing", 7), 7);
  EXPECT_THAT(table.table("cell").numbers("list"), ElementsAre(1.0, 2.0, 3.0));
  EXPECT_THAT(table.table("cell").numbers("a_A"), ElementsAre(3.9));
  const auto runs = table.tables("run");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_THAT(table.keys(), ElementsAre("steps", "name", "hot", "cell", "run"));
  EXPECT_FALSE(table.table_or_empty("nothing").has("x"));
  EXPECT_NO_THROW(table.refuse_unknown());
}

TEST(TomlTable, ErrorsNameFileLineKeyAndExpectation) {
  TomlTable table = TomlTable::parse(text, "in.toml");
  EXPECT_THAT(problem_of([&] { table.integer("name"); }),
              AllOf(StartsWith("in.toml:2:"), HasSubstr("name"), HasSubstr("md"), HasSubstr("whole number")));
  EXPECT_THAT(problem_of([&] { table.number("hot"); }),
              AllOf(StartsWith("in.toml:3:"), HasSubstr("expected a number")));
  EXPECT_THAT(problem_of([&] { table.text("steps"); }),
              AllOf(StartsWith("in.toml:1:"), HasSubstr("text in quotes")));
  EXPECT_THAT(problem_of([&] { table.text("absent"); }), HasSubstr("absent: missing"));
  TomlTable cell = table.table("cell");
  EXPECT_THAT(problem_of([&] { cell.numbers("mixed"); }),
              AllOf(StartsWith("in.toml:7:"), HasSubstr("cell.mixed")));
  EXPECT_THAT(problem_of([&] { cell.integer("a_A"); }),
              AllOf(StartsWith("in.toml:5:"), HasSubstr("cell.a_A = 3.9")));
  EXPECT_THAT(problem_of([&] { table.table("steps"); }), HasSubstr("expected a table"));
  EXPECT_THAT(problem_of([&] { table.tables("steps"); }), HasSubstr("[[steps]]"));
}

TEST(TomlTable, AFloatWithoutAFractionIsAWholeNumber) {
  TomlTable table = TomlTable::parse(
      "steps = 1e5\nnegative = -3.0\nlist = [1, 2.0, 3e2]\nmost = 9007199254740992.0\nbeyond = 1e16\n"
      "half = 1.5\nhalves = [1, 1.5]\ninfinite = inf\nnone = nan\nhot = true\nword = \"1e5\"\n",
      "in.toml");
  EXPECT_EQ(table.integer("steps"), 100000);
  EXPECT_EQ(table.integer("steps", 7), 100000);
  EXPECT_EQ(table.integer("negative"), -3);
  EXPECT_EQ(table.count("steps", 1, 1), 100000);
  EXPECT_EQ(table.integer("most"), std::int64_t{1} << 53);
  EXPECT_THAT(table.integers("list"), ElementsAre(1, 2, 300));
  for (const char* key : {"beyond", "half", "infinite", "none", "hot", "word"})
    EXPECT_THAT(problem_of([&] { table.integer(key); }), HasSubstr("expected a whole number")) << key;
  EXPECT_THAT(problem_of([&] { table.integers("halves"); }), HasSubstr("expected a list of whole numbers"));
}

TEST(TomlTable, UnknownKeysAreRefusedByName) {
  TomlTable table = TomlTable::parse("steps = 1\nstepz = 2\n", "in.toml");
  EXPECT_EQ(table.integer("steps"), 1);
  EXPECT_THAT(problem_of([&] { table.refuse_unknown(); }),
              AllOf(StartsWith("in.toml:2:"), HasSubstr("stepz"), HasSubstr("known here: steps")));
}

TEST(TomlTable, MisspeltKeysAreNamedWithTheRightOnes) {
  TomlTable table =
      TomlTable::parse("[md]\nsteps = 1\ntemperature = 900\nevry = 2\nthermostat_time = 3\n", "in.toml");
  TomlTable md = table.table("md");
  EXPECT_THAT(
      problem_of([&] { md.number("temperature_K"); }),
      AllOf(StartsWith("in.toml:3: md.temperature = 900:"), HasSubstr("'md.temperature_K' is missing")));
  EXPECT_THAT(problem_of([&] { md.integer("every"); }), StartsWith("in.toml:4: md.evry = 2:"));
  EXPECT_THAT(problem_of([&] { md.integer("seed"); }), HasSubstr("seed: missing"));
  md.integer("steps");
  // A key that was only looked for is one that could have been given.
  EXPECT_FALSE(md.has("thermostat_time_fs"));
  EXPECT_TRUE(md.has("evry"));
  md.number("temperature");
  EXPECT_THAT(problem_of([&] { md.refuse_unknown(); }),
              AllOf(HasSubstr("evry"), HasSubstr("thermostat_time_fs")));
  md.integer("evry");
  EXPECT_THAT(problem_of([&] { md.refuse_unknown(); }),
              HasSubstr("thermostat_time = 3: unknown key; did you mean 'thermostat_time_fs'?"));
}

TEST(NearestWord, IsCloseOrBeginsAlike) {
  const std::vector<std::string> verbs{"relax", "learn", "label", "temperature_K", "md"};
  EXPECT_EQ(nearest_word("relx", verbs), "relax");
  EXPECT_EQ(nearest_word("laern", verbs), "learn");
  EXPECT_EQ(nearest_word("temperature", verbs), "temperature_K");
  EXPECT_EQ(nearest_word("convert", verbs), "");
  EXPECT_EQ(nearest_word("xx", verbs), "");  // all of it would change
  EXPECT_EQ(nearest_word("", verbs), "");
}

TEST(TomlTable, BrokenTextNamesTheLine) {
  EXPECT_THAT(problem_of([] { TomlTable::parse("a = 1\nb = = 2\n", "in.toml"); }), StartsWith("in.toml:2:"));
  EXPECT_THAT(problem_of([] { TomlTable::parse("a = 1\na = 2\n", "in.toml"); }), StartsWith("in.toml:2:"));
  EXPECT_THAT(problem_of([] { TomlTable::read("/no/such/file.toml"); }), HasSubstr("/no/such/file.toml"));
  TomlTable infinite = TomlTable::parse("x = inf\ny = nan\n", "in.toml");
  EXPECT_THAT(problem_of([&] { infinite.number("x"); }), HasSubstr("finite"));
  EXPECT_THAT(problem_of([&] { infinite.number("y"); }), HasSubstr("finite"));
}

TEST(Json, NamesTheLineOfAnError) {
  const auto path = std::filesystem::temp_directory_path() / "solion_input_test.json";
  write_file(path, "{\n \"a\": 1,\n \"b\" 2\n}\n");
  EXPECT_THAT(problem_of([&] { read_json(path); }), HasSubstr(path.string() + ":3:"));
  write_json(path, {{"x", std::numeric_limits<double>::quiet_NaN()}, {"y", 0.1}});
  const Json back = read_json(path);
  EXPECT_TRUE(back["x"].is_null());
  EXPECT_EQ(back["y"].get<double>(), 0.1);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace solion
