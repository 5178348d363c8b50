// Defect cells: counts, degeneracies that add up, extremes against brute force, random draws, several
// reactions.
#include "solion/structure/defects.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/structure/placement.hpp"

namespace solion {
namespace {

using testing::HasSubstr;

std::vector<DefectCell> build(const Crystal& crystal, const std::array<int, 3>& n,
                              const std::string& reaction, const DefectOptions& options) {
  return build_defect_cells(crystal, diagonal(n), crystal.chemistry.reaction(reaction), options);
}

DefectOptions with(Placement placement, int count = 1, std::uint64_t seed = 0) {
  DefectOptions options;
  options.placement = placement;
  options.count = count;
  options.seed = seed;
  return options;
}

std::size_t total_degeneracy(const std::vector<DefectCell>& cells) {
  return std::accumulate(cells.begin(), cells.end(), std::size_t{0},
                         [](std::size_t sum, const DefectCell& cell) { return sum + cell.degeneracy; });
}

/// Calls visit(configuration) for every allowed configuration: each term's sites ascending.
void for_each_configuration(const PlacementProblem& problem,
                            const std::function<void(const Configuration&)>& visit) {
  std::vector<int> slots;
  const auto& terms = problem.reaction().terms;
  for (int t = 0; t < static_cast<int>(terms.size()); ++t) {
    for (int k = 0; k < terms[static_cast<std::size_t>(t)].coefficient * problem.count(); ++k)
      slots.push_back(t);
  }
  Configuration placed;
  const std::function<void()> descend = [&] {
    if (placed.size() == slots.size()) return visit(placed);
    const int term = slots[placed.size()];
    for (const int site : problem.candidates(term)) {
      const bool ordered = placed.empty() || placed.back().term != term || placed.back().site < site;
      if (!ordered || !problem.compatible(placed, {term, site})) continue;
      placed.push_back({term, site});
      descend();
      placed.pop_back();
    }
  };
  descend();
}

TEST(DefectCells, EveryStructureOfTheStudyHasItsComposition) {
  const Crystal crystal = known_crystal("li3ocl");
  const std::vector<std::pair<std::string, std::string>> expected{
      {"perfect", "Li24 O8 Cl8"}, {"type1", "Li23 O8 Cl7"},  {"type2", "Li22 O7 Cl8"},
      {"type3", "Li25 O9 Cl7"},   {"type12", "Li21 O7 Cl7"}, {"type13", "Li24 O9 Cl6"},
      {"type23", "Li23 O8 Cl7"},  {"type123", "Li22 O8 Cl6"}};
  for (const auto& [name, formula] : expected) {
    for (const Placement placement : {Placement::nearest, Placement::farthest, Placement::random}) {
      DefectOptions options = with(placement, 1, 7);
      options.search_nodes = 2000;
      const auto cells = build(crystal, {2, 2, 2}, name, options);
      ASSERT_EQ(cells.size(), 1U);
      EXPECT_EQ(cells[0].frame.formula(), formula) << name;
      EXPECT_NO_THROW(validate(cells[0].frame, name, 1.5));
      int charge = 0;
      for (const int t : cells[0].frame.types)
        charge += crystal.chemistry.oxidation_states.at(cells[0].frame.type_map.name(t));
      EXPECT_EQ(charge, 0);
    }
  }
}

TEST(DefectCells, DegeneraciesAddUpToAllConfigurations) {
  const Crystal crystal = known_crystal("li3ocl");
  const auto all = with(Placement::all);
  // 24 Li × 8 Cl; pairs of Li × 8 O: the binomials of the sites.
  EXPECT_EQ(total_degeneracy(build(crystal, {2, 2, 2}, "type1", all)), 24U * 8U);
  EXPECT_EQ(total_degeneracy(build(crystal, {2, 2, 2}, "type2", all)), 24U * 23U / 2U * 8U);
  EXPECT_EQ(total_degeneracy(build(crystal, {2, 2, 2}, "type3", all)), 8U * 24U);
  EXPECT_EQ(total_degeneracy(build(crystal, {2, 2, 1}, "type12", all)), 12U * 11U * 10U / 6U * 4U * 4U);
  EXPECT_EQ(total_degeneracy(build(crystal, {3, 2, 1}, "type1", all)), 18U * 6U);
  EXPECT_EQ(total_degeneracy(build(crystal, {2, 2, 2}, "type1", with(Placement::all, 2))),
            24U * 23U / 2U * 28U);
}

TEST(DefectCells, DegeneraciesAddUpUnderTheSeparationRule) {
  const Crystal crystal = known_crystal("li3ocl");
  const Symmetry symmetry = find_symmetry(crystal.frame);
  const auto voids = find_interstitials(crystal.frame, symmetry);
  IntMat3 skew;
  skew << 1, 1, 0, 0, 2, 0, 0, 1, 1;
  for (const IntMat3& matrix : {diagonal({2, 1, 1}), skew}) {
    const SiteLattice lattice(crystal.frame, symmetry, voids, matrix);
    for (const char* name : {"V_Li' + Li_i*", "type13", "V_Li' + Li_i2*"}) {
      const Reaction reaction = crystal.chemistry.reaction(name);
      const PlacementProblem problem(lattice, reaction, 1, 2.5);
      std::size_t brute = 0;
      for_each_configuration(problem, [&](const Configuration&) { ++brute; });
      std::size_t sum = 0;
      for (const SymmetryClass& c : distinct_configurations(problem, 100000)) {
        sum += c.degeneracy;
        EXPECT_EQ(problem.degeneracy(c.configuration), c.degeneracy);
      }
      EXPECT_EQ(sum, brute) << name;
      EXPECT_GT(brute, 0U);
    }
  }
}

TEST(DefectCells, ClassesAreDistinct) {
  // Configurations of different classes differ in what symmetry keeps: the sorted distances between defects,
  // or, where those agree, the orbit itself.
  const Crystal crystal = known_crystal("li3ocl");
  const Symmetry symmetry = find_symmetry(crystal.frame);
  const SiteLattice lattice(crystal.frame, symmetry, {}, diagonal({2, 2, 2}));
  const Reaction reaction = crystal.chemistry.reaction("type2");
  const PlacementProblem problem(lattice, reaction, 1, 2.5);
  std::set<std::set<std::pair<int, int>>> seen;
  for (const SymmetryClass& c : distinct_configurations(problem, 1000)) {
    std::set<std::set<std::pair<int, int>>> orbit;
    for (int op = 0; op < lattice.n_operations(); ++op) {
      std::set<std::pair<int, int>> image;
      for (const TakenSite& t : c.configuration) image.emplace(t.term, lattice.image(op, t.site));
      orbit.insert(image);
    }
    EXPECT_EQ(orbit.size(), c.degeneracy);
    for (const auto& image : orbit) EXPECT_TRUE(seen.insert(image).second);
  }
  EXPECT_EQ(seen.size(), 2208U);
}

TEST(DefectCells, NearestAndFarthestAreTheBruteForceExtremes) {
  const Crystal crystal = known_crystal("li3ocl");
  const Symmetry symmetry = find_symmetry(crystal.frame);
  const auto voids = find_interstitials(crystal.frame, symmetry);
  const SiteLattice lattice(crystal.frame, symmetry, voids, diagonal({2, 2, 1}));
  for (const char* name : {"type1", "type2", "type3", "type12", "type13"}) {
    const Reaction reaction = crystal.chemistry.reaction(name);
    const PlacementProblem problem(lattice, reaction, 1, 2.5);
    double least = std::numeric_limits<double>::infinity();
    double most = 0;
    for_each_configuration(problem, [&](const Configuration& c) {
      const double sum = problem.sum_of_distances(c);
      least = std::min(least, sum);
      most = std::max(most, sum);
    });
    const SearchResult near = extreme_configuration(problem, false, 1000000);
    const SearchResult far = extreme_configuration(problem, true, 1000000);
    EXPECT_TRUE(near.proven && far.proven) << name;
    EXPECT_NEAR(problem.sum_of_distances(near.configuration), least, 1e-6) << name;
    EXPECT_NEAR(problem.sum_of_distances(far.configuration), most, 1e-6) << name;
  }
}

TEST(DefectCells, TheNearestSchottkyPairIsOneBondApart) {
  const Crystal crystal = known_crystal("li3ocl");
  const auto near = build(crystal, {2, 2, 2}, "type1", with(Placement::nearest));
  EXPECT_NEAR(near[0].sum_of_distances_A, 3.91 / std::sqrt(2.0), 1e-9);
  EXPECT_EQ(near[0].degeneracy, 24U * 4U);
  // Farthest in a cubic box of 2a: Cl at 0, Li at (½, ½, 1) a + (½, ½, 0): offsets (0.5, 0.5, 1) a.
  const auto far = build(crystal, {2, 2, 2}, "type1", with(Placement::farthest));
  EXPECT_NEAR(far[0].sum_of_distances_A, 3.91 * std::sqrt(0.5 * 0.5 + 0.5 * 0.5 + 1.0), 1e-9);
}

TEST(DefectCells, ASearchThatIsCutSaysSo) {
  const Crystal crystal = known_crystal("li3ocl");
  DefectOptions options = with(Placement::farthest);
  const double best = build(crystal, {3, 3, 3}, "type12", options)[0].sum_of_distances_A;
  options.search_nodes = 5;
  const auto cells = build(crystal, {3, 3, 3}, "type12", options);
  EXPECT_LE(cells[0].sum_of_distances_A, best + 1e-6);
  EXPECT_GE(cells[0].sum_bound_A, best - 1e-6);
  EXPECT_LT(cells[0].sum_bound_A, 1.2 * best);  // ten pairs: not the trivial bound
  EXPECT_FALSE(cells[0].proven);
  EXPECT_EQ(cells[0].frame.info.at("placement_proven"), "false");
  EXPECT_EQ(cells[0].frame.n_atoms(), 135U - 5U);
}

TEST(DefectCells, SeveralReactionsNeverShareASite) {
  const Crystal crystal = known_crystal("li3ocl");
  for (const Placement placement : {Placement::nearest, Placement::farthest, Placement::random}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      DefectOptions options = with(placement, 2, seed);
      options.search_nodes = 2000;
      const auto cells = build(crystal, {3, 3, 3}, "type123", options);
      ASSERT_EQ(cells[0].defects.size(), 14U);
      std::set<std::array<int, 3>> sites;
      for (const PlacedDefect& d : cells[0].defects) {
        const Vec3 f = cells[0].frame.cell->to_fractional(d.position) * 1e4;
        sites.insert({static_cast<int>(std::lround(f[0])), static_cast<int>(std::lround(f[1])),
                      static_cast<int>(std::lround(f[2]))});
      }
      EXPECT_EQ(sites.size(), 14U);
      EXPECT_EQ(cells[0].frame.n_atoms(), 135U - 2U * 4U);
      EXPECT_NO_THROW(validate(cells[0].frame, "cell", 1.5));
      if (placement != Placement::random) break;
    }
  }
}

TEST(DefectCells, InterstitialsKeepTheirDistance) {
  const Crystal crystal = known_crystal("li3ocl");
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    DefectOptions options = with(Placement::random, 3, seed);
    options.min_separation_A = 3.0;
    const auto cells = build(crystal, {2, 2, 2}, "type3", options);
    std::vector<Vec3> ions;
    for (const PlacedDefect& d : cells[0].defects) {
      if (d.term == "Li_i*") ions.push_back(d.position);
    }
    ASSERT_EQ(ions.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < i; ++j)
        EXPECT_GE(cells[0].frame.cell->minimum_image(ions[i] - ions[j]).norm(), 3.0 - 1e-6);
    }
  }
}

TEST(DefectCells, RandomPlacementsAreUniformAndFollowTheSeed) {
  const Crystal crystal = known_crystal("li3ocl");
  const auto text = [&](std::uint64_t seed) {
    return build(crystal, {2, 1, 1}, "type1", with(Placement::random, 1, seed))[0].frame.info.at("defects");
  };
  EXPECT_EQ(text(3), text(3));
  std::map<std::string, int> seen;
  constexpr int draws = 1200;
  for (int seed = 0; seed < draws; ++seed) ++seen[text(static_cast<std::uint64_t>(seed))];
  ASSERT_EQ(seen.size(), 12U);  // 6 Li × 2 Cl
  double chi2 = 0;
  for (const auto& entry : seen) chi2 += std::pow(entry.second - draws / 12.0, 2) / (draws / 12.0);
  EXPECT_LT(chi2, 31.3);  // 11 degrees of freedom: exceeded by chance once in a thousand seeds sets
}

TEST(DefectCells, ProvenanceIsInTheFrame) {
  const Crystal crystal = known_crystal("li3ocl");
  const auto cells = build(crystal, {2, 2, 2}, "type2", with(Placement::random, 1, 7));
  const auto& info = cells[0].frame.info;
  EXPECT_EQ(info.at("crystal"), "li3ocl");
  EXPECT_EQ(info.at("supercell"), "2x2x2");
  EXPECT_EQ(info.at("reaction"), "type2");
  EXPECT_EQ(info.at("reaction_text"), "2 V_Li' + V_O**");
  EXPECT_EQ(info.at("count"), "1");
  EXPECT_EQ(info.at("placement"), "random");
  EXPECT_EQ(info.at("seed"), "7");
  EXPECT_EQ(info.at("formula"), "Li22 O7 Cl8");
  EXPECT_EQ(info.at("degeneracy"), std::to_string(cells[0].degeneracy));
}

TEST(DefectCells, AForeignElementJoinsTheTypeMap) {
  Crystal crystal = known_crystal("li3ocl");
  crystal.chemistry.oxidation_states["Mg"] = 2;
  const auto cells = build(crystal, {2, 2, 2}, "Mg_Li* + V_Li'", with(Placement::nearest));
  EXPECT_EQ(cells[0].frame.formula(), "Li22 O8 Cl8 Mg1");
}

/// Lithium on the corners and, with oxygen between, two kinds of sulphur.
Crystal two_sulphurs() {
  Crystal crystal;
  crystal.name = "two kinds of S";
  crystal.frame.cell = Cell::cubic(5);
  crystal.frame.add_atom("S", Vec3(0, 0, 0));
  crystal.frame.add_atom("S", Vec3(2.5, 2.5, 0));
  crystal.frame.add_atom("S", Vec3(2.5, 0, 2.5));
  crystal.frame.add_atom("S", Vec3(0, 2.5, 2.5));
  crystal.frame.add_atom("Li", Vec3(2.5, 2.5, 2.5));
  crystal.chemistry.oxidation_states = {{"S", -2}, {"O", -2}, {"Li", 1}};
  return crystal;
}

TEST(DefectCells, ANumberNamesOneOfTheInequivalentSites) {
  const Crystal crystal = two_sulphurs();
  EXPECT_EQ(site_classes(crystal.frame, find_symmetry(crystal.frame)), (std::vector<int>{1, 2, 2, 2, 1}));
  const auto cells = [&](const std::string& text, Placement placement) {
    return build_defect_cells(crystal, IntMat3(2 * IntMat3::Identity()), crystal.chemistry.reaction(text),
                              {.placement = placement, .seed = 3});
  };
  std::map<std::string, std::size_t> places;  // degeneracies of each
  for (const char* text : {"O_S1", "O_{S2}", "O_S"}) {
    for (const DefectCell& cell : cells(text, Placement::all)) {
      places[text] += cell.degeneracy;
      EXPECT_EQ(cell.frame.type_map.name(cell.frame.types[static_cast<std::size_t>(cell.defects[0].atom)]),
                "O");
    }
  }
  EXPECT_EQ(places["O_S1"], 8);
  EXPECT_EQ(places["O_{S2}"], 24);
  EXPECT_EQ(places["O_S"], 32);
  for (const Placement placement : {Placement::nearest, Placement::farthest, Placement::random}) {
    const DefectCell cell = cells("O_S1 + O_S2 + O_S", placement).front();
    ASSERT_EQ(cell.defects.size(), 3);
    EXPECT_EQ(cell.defects[0].atom % 5, 0);
    EXPECT_NE(cell.defects[1].atom % 5, 0);
    EXPECT_EQ(cell.defects[1].term, "O_S2");
    EXPECT_NE(cell.defects[2].atom, cell.defects[0].atom);
    EXPECT_NE(cell.defects[2].atom, cell.defects[1].atom);
  }
  EXPECT_THAT(
      [&] { cells("O_S3", Placement::all); },
      ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("2 kinds of S site; expected S1 to S2")));
}

TEST(DefectCells, RefusesWhatCannotBe) {
  const Crystal crystal = known_crystal("li3ocl");
  const auto message = [&](const std::array<int, 3>& n, const std::string& reaction,
                           const DefectOptions& options) {
    try {
      build(crystal, n, reaction, options);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message({1, 1, 1}, "type2", with(Placement::nearest, 2)), HasSubstr("needs 4 Li sites"));
  EXPECT_THAT(message({1, 1, 1}, "type13", with(Placement::nearest)), HasSubstr("needs 2 Cl sites"));
  EXPECT_THAT(message({2, 2, 2}, "type1", with(Placement::nearest, 0)), HasSubstr("count 0"));
  EXPECT_THAT(message({0, 2, 2}, "type1", with(Placement::nearest)), HasSubstr("determinant 0"));
  EXPECT_THAT(message({2, 2, 2}, "Li_i9* + V_Li'", with(Placement::nearest)),
              HasSubstr("interstitial site i9"));
  DefectOptions few = with(Placement::all);
  few.max_configurations = 10;
  EXPECT_THAT(message({2, 2, 2}, "type2", few), HasSubstr("more than 10"));
  DefectOptions apart = with(Placement::random, 4);
  apart.min_separation_A = 6.0;  // four points of a cube of 7.82 Å are at most 5.53 Å apart (fcc)
  EXPECT_THAT(message({2, 2, 2}, "type3", apart), HasSubstr("minimum separation"));
  EXPECT_THROW(parse_placement("middle"), InputError);
}

}  // namespace
}  // namespace solion
