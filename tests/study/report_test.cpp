// The report's sections and the list of failures, from numbers as a study has them.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/study/report_parts.hpp"

namespace solion::study {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Json looked_at(double temperature_K) {
  return {{"structure", "type1"},
          {"temperature_K", temperature_K},
          {"polyhedra",
           {{"mean_coordination", 5.9},
            {"share", {{"5", 0.1}, {"6", 0.9}}},
            {"under_coordinated", 0.1},
            {"distortion_index", 1e-3},
            {"distortion_index_std", nullptr},
            {"angle_variance_deg2", 2.0},
            {"angle_variance_std_deg2", nullptr}}},
          {"doas", {{"energy_eV", {0.0, 0.1}}, {"density_per_eV", {1.0, 2.0}}}},
          {"hops",
           {{"hops", 0},
            {"rate_per_ps", 0.0},
            {"rate_std_per_ps", nullptr},
            {"residence_ps", nullptr},
            {"returned", nullptr},
            {"correlation_factor", nullptr},
            {"concerted", nullptr}}}};
}

/// Everything of a section that is of one kind.
template <class Kind>
std::vector<Kind> all_of(const Section& section) {
  std::vector<Kind> list;
  for (const Item& item : section.items)
    if (const auto* one = std::get_if<Kind>(&item)) list.push_back(*one);
  return list;
}

template <class Kind>
Kind item_of(const Section& section, const std::string& id) {
  for (const Kind& one : all_of<Kind>(section))
    if (one.id == id) return one;
  ADD_FAILURE() << "no " << id;
  return {};
}

Json with_structures(std::vector<Json> structures) {
  return {{"points", Json::array()}, {"structures", std::move(structures)}};
}

TEST(Report, FiguresTakeTheHottestPointThatWasLookedAt) {
  const Json failed{{"structure", "type1"}, {"temperature_K", 900.0}, {"failed", "exploded"}};
  const Json without{{"structure", "type1"}, {"temperature_K", 800.0}};  // its dynamics failed
  const Section section = structure_section(Config{}, with_structures({looked_at(600), without, failed}));
  const Figure doas = item_of<Figure>(section, "doas");
  EXPECT_THAT(doas.caption, HasSubstr("600 K"));
  EXPECT_EQ(doas.series.size(), 1U);
}

TEST(Report, SharesHaveErrorsWhereTheyAreKnown) {
  const Section bare = structure_section(Config{}, with_structures({looked_at(600)}));
  EXPECT_EQ(item_of<Table>(bare, "polyhedra").rows[0][3], "90.0");
  EXPECT_TRUE(item_of<Figure>(bare, "six-fold").series[0].y_error.empty());
  Json point = looked_at(600);
  point["polyhedra"]["six_fold_std"] = 0.02;
  point["polyhedra"]["under_coordinated_std"] = 0.01;
  point["hops"]["rate_bound_per_ps"] = 0.003;
  point["n_unrelaxed"] = 3;
  const Section section = structure_section(Config{}, with_structures({point}));
  const Table table = item_of<Table>(section, "polyhedra");
  EXPECT_EQ(table.rows[0][3], "90.0 ± 2.0");
  EXPECT_EQ(table.rows[0][4], "10.0 ± 1.0");
  EXPECT_THAT(table.notes, Contains(HasSubstr("3 of the frames did not relax")));
  EXPECT_THAT(item_of<Figure>(section, "six-fold").series[0].y_error, ElementsAre(0.02));
  EXPECT_THAT(item_of<Figure>(section, "six-fold").definition, HasSubstr("Not all of them relaxed"));
  EXPECT_EQ(item_of<Table>(section, "hops").rows[0][3], "< 0.003");
}

TEST(Report, NothingIsNoMinusNothingAndHasNoError) {
  EXPECT_EQ(number(-0.0001, "{:.3f}"), "0.000");
  EXPECT_EQ(number(-0.3, "{:.0f}"), "0");
  EXPECT_EQ(number(-0.001, "{:.3f}"), "-0.001");
  EXPECT_EQ(number(-2e-9, "{:.1g}"), "-2e-09");
  Json point = looked_at(600);  // of a ledger without bounds
  point["hops"]["hops"] = 0;
  point["hops"]["rate_per_ps"] = 0.0;
  point["hops"]["rate_std_per_ps"] = 0.0;
  EXPECT_EQ(item_of<Table>(structure_section(Config{}, with_structures({point})), "hops").rows[0][3], "0");
}

TEST(Report, WholePolyhedraAreThoseOfTheStudy) {
  Config config;
  config.structure.full = 4;
  Json point = looked_at(600);
  point["polyhedra"]["share"] = {{"3", 0.25}, {"4", 0.75}};
  const Section section = structure_section(config, with_structures({point}));
  EXPECT_EQ(item_of<Table>(section, "polyhedra").header[3], "4-fold (%)");
  EXPECT_EQ(item_of<Table>(section, "polyhedra").rows[0][3], "75.0");
  EXPECT_THAT(item_of<Figure>(section, "4-fold").caption, HasSubstr("OLi₄ tetrahedra"));
}

TEST(Report, AnObliqueCellIsDrawnWithoutTheSurface) {
  Json point = looked_at(600);
  point["paths"] = Json::array({{{"ion", 3}, {"points_A", {{0, 0, 0}, {1, 1, 1}}}}});
  point["density"] = {{"n", {2, 2, 2}},
                      {"per_A3", std::vector<double>(8, 0.1)},
                      {"cell_A", {4, 4, 4}},
                      {"cell_matrix_A", {{4, 0, 0}, {2, 4, 0}, {0, 0, 4}}},
                      {"orthogonal", false}};
  const auto scene_of = [&] {
    return item_of<report::Scene>(structure_section(Config{}, with_structures({point})), "paths-type1");
  };
  const report::Scene oblique = scene_of();
  EXPECT_EQ(oblique.cell(1, 0), 2);
  EXPECT_TRUE(oblique.surfaces.empty());
  EXPECT_THAT(oblique.caption + oblique.definition, Not(HasSubstr("nine tenths")));
  EXPECT_THAT(oblique.definition, HasSubstr("not orthogonal"));
  point["density"].erase("cell_matrix_A");  // as older results are
  EXPECT_TRUE(scene_of().cell.isZero());
  point["density"]["orthogonal"] = true;
  EXPECT_EQ(scene_of().cell(2, 2), 4);
  EXPECT_EQ(scene_of().surfaces.size(), 1U);
}

TEST(Report, AnnealingNeedsNeitherPairsNorPolyhedra) {
  const Json bare{{"before", Json::object()}, {"after", {{"rdf", Json::object()}}}};
  Json numbers{{"points", Json::array()}, {"annealing", {{"perfect", bare}}}};
  const auto table = [&] { return item_of<Table>(structure_section(Config{}, numbers), "annealing"); };
  EXPECT_THAT(table().rows[0], ElementsAre("perfect", "–", "–", "–", "–"));
  EXPECT_THAT(table().notes, ElementsAre(HasSubstr("of each hold")));
  numbers["annealing"]["perfect"]["cutoff_A"] = 2.525;
  numbers["annealing"]["perfect"]["after"]["under_coordinated"] = 0.1;
  numbers["annealing"]["perfect"]["after"]["under_coordinated_std"] = 0.01;
  EXPECT_EQ(table().rows[0][4], "10.0 ± 1.0");
  EXPECT_THAT(table().notes, ElementsAre(HasSubstr("in both holds: 2.5")));
}

TEST(Report, WhatFailedIsSaidInItsPlace) {
  const Json numbers{{"points", Json::array()}, {"annealing", {{"failed", "no such structure"}}}};
  EXPECT_THAT(all_of<std::string>(structure_section(Config{}, numbers)),
              Contains(HasSubstr("failed: no such structure")));
}

TEST(Report, OfAModelThatWasGivenNobodyKnowsWhatItSaw) {
  Json numbers;
  numbers["data"]["structures"][0] = {{"name", "perfect"}, {"training", 3}, {"validation", 2}};
  numbers["model"]["curve"] = "train/lcurve.out";
  const auto text = [&] { return all_of<std::string>(data_section(numbers)).front(); };
  EXPECT_THAT(text(), HasSubstr("that the model was trained on"));
  numbers["model"]["curve"] = nullptr;
  EXPECT_THAT(text(), HasSubstr("not known here"));
  EXPECT_THAT(item_of<Table>(data_section(numbers), "data").header,
              ElementsAre("structure", "others", "chosen to judge the model"));
}

TEST(Failures, AreFoundInEveryPart) {
  const Json ok{{"structure", "type1"}, {"temperature_K", 600.0}};
  Json exploded = ok, later = ok;
  exploded["failed"] = "exploded";
  later["failed"] = not_computed;
  Json numbers{{"checks", {{"failed", "no perfect"}}},
               {"points", Json::array({ok, exploded, later})},
               {"structures", Json::array({ok, ok, ok})},
               {"annealing", {{"type1", {{"failed", "melted"}}}, {"failed", {{"before", Json::object()}}}}}};
  Json placements = Json::array({Json::object(), Json::object()});
  placements[1]["failed"] = "not relaxed";
  numbers["defects"]["structures"][0] = {{"name", "type2"}, {"placements", placements}};
  numbers["barriers"]["hops"][0]["failed"] = "no saddle";
  EXPECT_THAT(failures_of(numbers),
              ElementsAre("checks: no perfect", "type1 at 600 K: exploded", "annealing of type1: melted",
                          "defect energies of type2, placement 2: not relaxed",
                          "migration barriers, hop 1: no saddle"));
}

Json ran(double framework_msd_A2) {
  return {{"structure", "type1"},
          {"temperature_K", 600.0},
          {"mean_temperature_K", 600.0},
          {"drift_meV_per_atom_per_ps", 0.0},
          {"framework_msd_A2", framework_msd_A2},
          {"diffusion", {{"window_msd_A2", 5.0}}},
          {"rdf", Json::object()}};
}

TEST(Judging, MoltenIsMeasuredByTheJumpOfD) {
  const auto molten = [](Json point, const Config& config) {
    Json points = Json::array({std::move(point)});
    judge_points(config, points);
    return points[0]["molten"].get<bool>();
  };
  Config config;
  Json point = ran(4);  // 2.83 Å is the jump whose half square that is
  EXPECT_TRUE(molten(point, config));
  point["rdf"]["Li-Li"]["first_peak_A"] = 3.0;
  EXPECT_FALSE(molten(point, config));
  config.transport.jump_length_A = 2.7;
  EXPECT_TRUE(molten(point, config));
  point["diffusion"]["jump_length_A"] = 2.9;
  EXPECT_FALSE(molten(point, config));
}

const Published nobody{"", Json::object(), Json::object()};

/// A run whose D is resolved.
Json moved(double temperature_K, double D) {
  Json point = ran(0);
  point["temperature_K"] = point["mean_temperature_K"] = temperature_K;
  point["diffusion"] = {
      {"resolved", true}, {"D_cm2_per_s", D},    {"D_std_cm2_per_s", 0.1 * D}, {"D_bound_cm2_per_s", nullptr},
      {"reason", ""},     {"window_msd_A2", 5.0}};
  point["conductivity_mS_per_cm"] = 1.0;
  point["msd"] = {{"time_ps", {1.0, 2.0}}, {"msd_A2", {1.0, 2.0}}};
  point["not_steady"] = "";
  point["formula"] = "Li3OCl";
  point["production_ps"] = 10.0;
  point["lattice_A"] = 3.9 + 1e-4 * temperature_K;
  point["mean_pressure_bar"] = 1.0;
  return point;
}

/// The numbers of a study of these runs of type1.
Json judged(Json points) {
  Config config;
  config.md.structures = {"type1"};
  judge_points(config, points);
  Json numbers{{"points", points}, {"arrhenius", fit_temperatures(config, points)}};
  numbers["plan"]["reason"] = "as asked for";
  return numbers;
}

/// ln D = ln 1e-3 − 0.3 eV/k_B T.
double straight(double T) { return 1e-3 * std::exp(-0.3 / (8.617333e-5 * T)); }

std::vector<std::string> names_of(const Figure& figure) {
  std::vector<std::string> names;
  for (const Series& s : figure.series) names.push_back(s.name);
  return names;
}

TEST(Report, PointsOfDHaveTheirStructuresLook) {
  Json points = Json::array();
  for (const double T : {800.0, 600.0, 700.0}) points.push_back(moved(T, straight(T)));
  const Json numbers = judged(points);
  const Section section = transport_section(Config{}, numbers, nobody);
  const Figure figure = item_of<Figure>(section, "arrhenius");
  ASSERT_EQ(figure.series.size(), 4U);  // points, line and its band
  for (const Series& s : figure.series) {
    EXPECT_EQ(s.structure, "type1") << s.name;
    EXPECT_EQ(s.colour, "") << s.name;
  }
  EXPECT_EQ(figure.series[0].y.size(), 3U);
  const std::string cold = item_of<Table>(section, "activation").rows[0][5];
  EXPECT_THAT(cold, HasSubstr("("));
  EXPECT_THAT(item_of<Figure>(section, "activation-of-T").series[0].x, ElementsAre(600, 700, 800));
  EXPECT_THAT(item_of<Figure>(md_section(Config{}, numbers), "lattice").series[0].x,
              ElementsAre(600, 700, 800));
}

TEST(Report, ALineThatIsRuledOutSaysNothingOfRoomTemperature) {
  Json points = Json::array();
  for (double T = 500; T < 1000; T += 50)  // four times as steep above 750 K
    points.push_back(moved(T, straight(T) * std::pow(std::max(1.0, straight(T) / straight(750)), 3)));
  const Json numbers = judged(points);
  ASSERT_TRUE(numbers["arrhenius"]["type1"]["law"]["arrhenius_excluded"].get<bool>());
  const Table table = item_of<Table>(transport_section(Config{}, numbers, nobody), "activation");
  EXPECT_EQ(table.rows[0][5], "–");
  EXPECT_THAT(table.notes, Contains(HasSubstr("A single line is ruled out")));
}

TEST(Report, DoubtfulRunsAreDrawnOpenAndNamed) {
  Json points = Json::array();
  for (const double T : {500.0, 600.0, 700.0}) points.push_back(moved(T, straight(T)));
  points[1]["not_steady"] = "the slope changes";
  points.push_back(moved(800, straight(800)));
  points[3]["framework_msd_A2"] = 30.0;
  points.push_back(moved(900, straight(900)));
  points[4]["mean_temperature_K"] = 1200.0;
  const Json numbers = judged(points);
  EXPECT_EQ(numbers["arrhenius"]["type1"]["points"], 3);
  const Section section = transport_section(Config{}, numbers, nobody);
  const Figure figure = item_of<Figure>(section, "arrhenius");
  EXPECT_THAT(names_of(figure), Contains("type1"));
  EXPECT_THAT(names_of(figure), Contains("type1 (molten)"));
  EXPECT_THAT(names_of(figure), Contains("type1 (not stationary)"));
  EXPECT_FALSE(figure.series[0].open_points);
  EXPECT_TRUE(figure.series[1].open_points && !figure.series[1].bounds);
  EXPECT_THAT(figure.definition, HasSubstr("left out: type1 at 900 K."));
  EXPECT_THAT(item_of<Table>(section, "activation").notes,
              Contains(HasSubstr("Not stationary, but counted")));
  EXPECT_EQ(item_of<Figure>(section, "msd-type1").series.size(), 4U);
  const Figure lattice = item_of<Figure>(md_section(Config{}, numbers), "lattice");
  EXPECT_EQ(lattice.series[0].x.size(), 4U);
  EXPECT_THAT(lattice.definition, HasSubstr("liquid does: type1 at 800 K."));
}

TEST(Report, SaysWhereTheDefectsHaveMet) {
  Json structures = Json::array({looked_at(600), looked_at(700)});
  Json points = structures;
  for (Json& p : points) p["unsound"] = "", p["molten"] = false;
  structures[1]["without_defects"] = {{"frames", 3}, {"of", 4}};
  judge_structures(points, structures);
  EXPECT_EQ(points[1]["without_defects"]["frames"], 3);
  EXPECT_FALSE(points[0].contains("without_defects"));
  EXPECT_THAT(item_of<Table>(structure_section(Config{}, with_structures(structures)), "hops").notes,
              Contains(HasSubstr(
                  "met and gone in 3 of 4 relaxed frames, which are the perfect crystal: type1 at 700 K.")));
}

TEST(Report, NoLookIntoARunThatIsNotSound) {
  Json structures = Json::array({looked_at(600), looked_at(700), looked_at(800)});
  Json points = structures;
  for (Json& p : points) p["unsound"] = "", p["molten"] = false;
  points[1]["molten"] = true;
  points[2]["unsound"] = "the run had 1200 K";
  judge_structures(points, structures);
  const Section section = structure_section(Config{}, with_structures(structures));
  EXPECT_THAT(item_of<Figure>(section, "doas").caption, HasSubstr("700 K"));
  EXPECT_THAT(item_of<Figure>(section, "doas").definition, HasSubstr("liquid does: type1 at 700 K."));
  for (const char* id : {"polyhedra", "hops"}) {
    const Table table = item_of<Table>(section, id);
    EXPECT_EQ(table.rows.size(), 2U) << id;
    EXPECT_THAT(table.notes, Contains(HasSubstr("left out: type1 at 800 K."))) << id;
    EXPECT_THAT(table.notes, Contains(HasSubstr("liquid does: type1 at 700 K."))) << id;
  }
}

TEST(Report, ALiquidHasNoSites) {
  Json liquid = looked_at(900);
  liquid.erase("hops");
  liquid["molten"] = true;
  const Section section = structure_section(Config{}, with_structures({looked_at(600), liquid}));
  EXPECT_THAT(item_of<Figure>(section, "doas").caption, HasSubstr("900 K"));
  EXPECT_EQ(item_of<Table>(section, "polyhedra").rows.size(), 2U);
  const Figure profiles = item_of<Figure>(section, "hop-profiles");
  EXPECT_THAT(profiles.caption, HasSubstr("600 K"));
  EXPECT_EQ(profiles.series.size(), 1U);
  const Table hops = item_of<Table>(section, "hops");
  ASSERT_EQ(hops.rows.size(), 2U);
  EXPECT_EQ(hops.rows[1], (std::vector<std::string>{"type1", "900", "–", "–", "–", "–", "–", "–", "–", "–"}));
  EXPECT_THAT(hops.notes, Contains(HasSubstr("liquid does: type1 at 900 K.")));
}

TEST(Report, APlacementThatFailedLeavesNoMeanOverAll) {
  Json placements = Json::array();
  for (const double energy : {1.0, 1.5})
    placements.push_back({{"distance_A", 2 + energy}, {"excess_eV", energy}, {"formation_eV", energy}});
  Json numbers;
  numbers["defects"] = {
      {"compounds", Json::array()},
      {"temperature_K", 300.0},
      {"perfect", {{"eV_per_formula_unit", -9.0}, {"a_A", 3.9}}},
      {"structures",
       {{{"name", "type1"}, {"all_distinct", true}, {"mean_eV", 1.0}, {"placements", placements}}}}};
  const auto row = [&] {
    return item_of<Table>(defects_section(numbers, nobody), "defect-energies").rows[0];
  };
  EXPECT_EQ(row()[1], "2 (all)");
  EXPECT_EQ(row()[4], "1.000");
  Json& all = numbers["defects"]["structures"][0]["placements"];
  all.push_back(all[0]);
  all[2]["recombined"] = true;
  EXPECT_EQ(row()[1], "2 (all)");
  all.push_back({{"distance_A", 4.0}, {"failed", "not relaxed"}});
  EXPECT_EQ(row()[1], "2");
  EXPECT_EQ(row()[4], "–");
}

/// A hexagonal crystal, twice along c.
TEST(Report, ACellThatIsNoCubeHasItsLengthsAndAngles) {
  Json point = moved(600, 1e-6);
  Config config;
  config.md.supercell = {1, 1, 2};
  const auto section = [&] { return md_section(config, judged(Json::array({point}))); };
  EXPECT_EQ(all_of<Table>(section()).size(), 1U);
  EXPECT_THAT(item_of<Figure>(section(), "lattice").definition, Not(HasSubstr("conventional")));
  point["cell_matrix_A"] = {{4, 0, 0}, {-2, 2 * std::sqrt(3), 0}, {0, 0, 10}};
  EXPECT_THAT(
      item_of<Table>(section(), "cells").rows[0],
      ElementsAre("type1", "600", "4.0000", "4.0000", "5.0000", "90.00", "90.00", "120.00", "69.282"));
}

TEST(Report, DAlongTheAxesWhereItIsKnown) {
  Json point = moved(600, 1e-6);
  const auto section = [&] { return transport_section(Config{}, judged(Json::array({point})), nobody); };
  for (const Table& table : all_of<Table>(section())) EXPECT_NE(table.id, "diffusion-axes");
  Json along = point["diffusion"];
  point["diffusion_axes"] = {along, along, along};
  point["diffusion_axes"][2]["resolved"] = false;
  point["diffusion_axes"][2]["D_bound_cm2_per_s"] = 2e-8;
  EXPECT_THAT(item_of<Table>(section(), "diffusion-axes").rows[0],
              ElementsAre("type1", "600", "1.00e-06 ± 1.0e-07", "1.00e-06 ± 1.0e-07", "< 2.0e-08"));
}

TEST(Report, NothingOfOthersWhereNothingIsPublished) {
  const Json numbers = judged(Json::array({moved(600, 1e-6)}));
  const auto header = [&](const Published& published) {
    const Table table = item_of<Table>(transport_section(Config{}, numbers, published), "diffusion");
    EXPECT_EQ(table.rows[0].size(), table.header.size());
    EXPECT_EQ(table.header.back(), "remark");
    return table.header;
  };
  EXPECT_THAT(header(nobody), Not(Contains(HasSubstr("published"))));
  EXPECT_THAT(header({"somebody", Json::object(), Json::object()}), Contains("D published (cm²/s)"));
}

TEST(Report, AChargeThatNobodyNamesIsAGuess) {
  const Json numbers = judged(Json::array({moved(600, 1e-6)}));
  const auto notes = [&](const Config& config) {
    return item_of<Table>(transport_section(config, numbers, nobody), "diffusion").notes;
  };
  Config config;
  EXPECT_THAT(notes(config), Contains(HasSubstr("for Li of charge +1 e.")));
  config.transport.species = "Mg";
  EXPECT_THAT(notes(config), Contains(HasSubstr("for Mg of charge +1 e, which is a guess")));
  config.transport.charge_e = 2;
  EXPECT_THAT(notes(config), Contains(HasSubstr("for Mg of charge +2 e.")));
}

/// A Frenkel pair keeps the composition: its formation energy needs no compounds.
TEST(Report, FormationEnergiesWithoutCompounds) {
  Json numbers;
  numbers["defects"] = {
      {"compounds", Json::array()},
      {"temperature_K", 300.0},
      {"perfect",
       {{"eV_per_formula_unit", -9.0},
        {"a_A", 4.1},
        {"cell_matrix_A", {{4, 0, 0}, {-2, 2 * std::sqrt(3), 0}, {0, 0, 5}}}}},
      {"structures",
       {{{"name", "frenkel"},
         {"all_distinct", true},
         {"lowest_eV", 12.0},
         {"placements", {{{"distance_A", 3.0}, {"excess_eV", 12.0}, {"formation_eV", 12.0}}}}}}}};
  const auto section = [&] { return defects_section(numbers, nobody); };
  const Table table = item_of<Table>(section(), "defect-energies");
  EXPECT_EQ(table.rows[0][2], "12.000");
  EXPECT_THAT(table.notes, Contains(HasSubstr("only reactions that keep the composition")));
  EXPECT_EQ(item_of<Figure>(section(), "formation").series.size(), 1U);
  EXPECT_THAT(all_of<std::string>(section()).front(), HasSubstr("c 5.0000 Å, α 90.00, β 90.00, γ 120.00°"));
  Json& frenkel = numbers["defects"]["structures"][0];
  frenkel["lowest_eV"] = -9.2;
  frenkel["placements"][0]["moved_atoms"] = 24;
  EXPECT_THAT(
      item_of<Table>(section(), "defect-energies").notes,
      AllOf(Contains(HasSubstr("frenkel: a formation energy below 0")),
            Contains(HasSubstr("frenkel: 24 atoms of a placement at 3.00 Å moved by more than 1 Å"))));
  numbers["defects"]["structures"][0]["placements"][0]["formation_eV"] = nullptr;
  for (const Figure& figure : all_of<Figure>(section())) EXPECT_NE(figure.id, "formation");
}

TEST(Report, HopsThatStayInALayerSaySo) {
  Json numbers;
  numbers["barriers"] = {{"within_A", 2.86}, {"hops", Json::array()}};
  const auto notes = [&] { return item_of<Table>(barriers_section(Config{}, numbers), "barriers").notes; };
  EXPECT_EQ(notes().size(), 1U);  // of a ledger without it
  numbers["barriers"].update({{"dimensions", 2}, {"within_for_three_A", 3.26}});
  EXPECT_THAT(notes(), Contains(AllOf(HasSubstr("in 2 dimensions only"), HasSubstr("within_A = 3.26"))));
  numbers["barriers"]["dimensions"] = 3;
  EXPECT_EQ(notes().size(), 1U);
  numbers["barriers"]["net_charge_e"] = -1;
  EXPECT_THAT(notes(), Contains(HasSubstr("net charge of -1 e, which a uniform background makes neutral")));
}

}  // namespace
}  // namespace solion::study
