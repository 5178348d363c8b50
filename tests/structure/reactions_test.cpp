// Kröger–Vink notation: spellings, sums, balances, and what each error names.
#include "solion/structure/reactions.hpp"

#include <gmock/gmock.h>

#include "solion/base/errors.hpp"
#include "solion/structure/crystal.hpp"

namespace solion {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string problem_of(const std::string& text) {
  const Crystal crystal = known_crystal("li3ocl");
  try {
    check_reaction(crystal.chemistry.reaction(text), crystal.frame, crystal.chemistry);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Reactions, AllSpellingsOfAChargeAreOneDefect) {
  const Chemistry none;
  for (const char* text : {"V_Li'", "V_Li\u2032", "V_Li\u2019", "V_Li^'", "V_{Li}^{'}", " V_Li' "})
    EXPECT_EQ(none.reaction(text).text(), "V_Li'") << text;
  for (const char* text : {"V_O**", "V_O\u2022\u2022", "V_O\u00b7\u00b7", "V_O^^", "V_O^**", "V_O^2*",
                           "V_O\u02d9\u02d9", "V_O..", "V_O\u00b0\u00b0", "V_O^{\u2022\u2022}", "V_{O}^{2*}"})
    EXPECT_EQ(none.reaction(text).text(), "V_O**") << text;
  for (const char* text : {"Br_Cl", "Br_Clx", "Br_Cl^x", "Br_Cl\u00d7"})
    EXPECT_EQ(none.reaction(text).text(), "Br_Cl") << text;
  EXPECT_EQ(none.reaction("Al_Li\"").terms[0].charge, -2);
  EXPECT_EQ(none.reaction("Li_i2*").terms[0].interstitial_rank(), 1);
  EXPECT_EQ(none.reaction("{V}_Ti*").terms[0].occupant, "V");
  EXPECT_EQ(none.reaction("{V}_Ti*").text(), "{V}_Ti*");
}

TEST(Reactions, SumsByNameAddTheirTerms) {
  const Chemistry chemistry = known_crystal("li3ocl").chemistry;
  EXPECT_EQ(chemistry.reaction("type123").text(), "3 V_Li' + V_Cl* + V_O** + O_Cl' + Li_i*");
  EXPECT_EQ(chemistry.reaction("2 type1 + V_Li'+V_Cl*").text(), "3 V_Li' + 3 V_Cl*");
  EXPECT_EQ(chemistry.reaction("0 -> V_Li' + V_Cl*").text(), "V_Li' + V_Cl*");
  EXPECT_EQ(chemistry.reaction("perfect").text(), "0");
  EXPECT_EQ(chemistry.reaction("perfect").n_defects(), 0);
}

TEST(Reactions, CompositionsAreThoseOfTheTable) {
  const Crystal crystal = known_crystal("li3ocl");
  const std::vector<std::pair<std::string, std::string>> table{{"perfect", "Li3OCl"},
                                                               {"type1", "Li(3-x)OCl(1-x)"},
                                                               {"type2", "Li(3-2x)O(1-x)Cl"},
                                                               {"type3", "Li(3+x)O(1+x)Cl(1-x)"},
                                                               {"type12", "Li(3-3x)O(1-x)Cl(1-x)"},
                                                               {"type13", "Li3O(1+x)Cl(1-2x)"},
                                                               {"type23", "Li(3-x)OCl(1-x)"},
                                                               {"type123", "Li(3-2x)OCl(1-2x)"}};
  for (const auto& [name, formula] : table)
    EXPECT_EQ(composition_formula(crystal.frame, crystal.chemistry.reaction(name)), formula) << name;
}

TEST(Reactions, EveryBuiltInReactionIsBalanced) {
  for (const std::string& name : known_crystals()) {
    const Crystal crystal = known_crystal(name);
    EXPECT_FALSE(crystal.chemistry.reactions.empty());
    for (const auto& entry : crystal.chemistry.reactions)
      EXPECT_NO_THROW(
          check_reaction(crystal.chemistry.reaction(entry.first), crystal.frame, crystal.chemistry));
  }
}

TEST(Reactions, ErrorsNameTheTermAndWhatWasExpected) {
  EXPECT_EQ(problem_of("V_Li' + V_Cl*"), "");
  EXPECT_THAT(problem_of("V_Li' + V_O*"),
              AllOf(HasSubstr("\"V_O*\""), HasSubstr("+1"), HasSubstr("written V_O**")));
  EXPECT_THAT(problem_of("V_Li + V_Cl"), AllOf(HasSubstr("\"V_Li\""), HasSubstr("written V_Li'")));
  EXPECT_THAT(problem_of("V_Li' + V_O**"),
              AllOf(HasSubstr("sum to"), HasSubstr("= +1"), HasSubstr("expected 0")));
  EXPECT_THAT(problem_of("V_Na' + V_Cl*"),
              AllOf(HasSubstr("\"V_Na'\""), HasSubstr("no Na site"), HasSubstr("Li, O, Cl")));
  EXPECT_THAT(problem_of("Mg_Li* + V_Li'"),
              AllOf(HasSubstr("oxidation state of Mg"), HasSubstr("[oxidation_states]")));
  EXPECT_THAT(problem_of("Li_Li"), HasSubstr("on its own site"));
  EXPECT_THAT(problem_of("V_i'"), HasSubstr("no atom to take away"));
  EXPECT_THAT(problem_of("type9"), AllOf(HasSubstr("\"type9\""), HasSubstr("type123")));
  EXPECT_THAT(problem_of("V_Li' + "), HasSubstr("a term is missing"));
  EXPECT_THAT(problem_of("V_Li'*"), HasSubstr("mixes"));
  EXPECT_THAT(problem_of("V_Li' V_Cl*"), HasSubstr("cannot read"));
  EXPECT_THAT(problem_of("Qq_Li'"), HasSubstr("\"Qq_Li'\""));
  EXPECT_THAT(problem_of("0 V_Li'"), HasSubstr("at least 1"));
  EXPECT_THAT(problem_of("Li2O -> V_Li'"), HasSubstr("left of the arrow"));
}

TEST(Reactions, UserTablesAddAndReplace) {
  TomlTable table = TomlTable::parse(
      "[oxidation_states]\nMg = 2\n[reactions]\ndoping = \"Mg_Li* + V_Li'\"\ntype1 = \"doping + V_Li' + "
      "V_Cl*\"\n",
      "user.toml");
  Crystal crystal = known_crystal("li3ocl");
  crystal.chemistry.merge(Chemistry::parse(table));
  table.refuse_unknown();
  EXPECT_EQ(crystal.chemistry.reaction("type1").text(), "Mg_Li* + 2 V_Li' + V_Cl*");
  EXPECT_NO_THROW(check_reaction(crystal.chemistry.reaction("type1"), crystal.frame, crystal.chemistry));
}

TEST(Reactions, ACircleOfNamesIsRefused) {
  TomlTable table = TomlTable::parse("[reactions]\na = \"b + V_Li'\"\nb = \"a\"\n", "user.toml");
  const Chemistry chemistry = Chemistry::parse(table);
  EXPECT_THROW(chemistry.reaction("a"), InputError);
}

TEST(Reactions, OxidationStatesAreChecked) {
  TomlTable foreign = TomlTable::parse("[oxidation_states]\nXx = 2\n", "user.toml");
  EXPECT_THROW(Chemistry::parse(foreign), InputError);
  TomlTable large = TomlTable::parse("[oxidation_states]\nLi = 200\n", "user.toml");
  EXPECT_THROW(Chemistry::parse(large), InputError);
}

}  // namespace
}  // namespace solion
