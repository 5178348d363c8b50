// Built-in crystals, symmetry, interstitial sites and supercells.
#include "solion/structure/crystal.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/structure/interstitials.hpp"
#include "solion/structure/site_lattice.hpp"
#include "solion/structure/supercell.hpp"
#include "solion/structure/symmetry.hpp"

namespace solion {
namespace {

TEST(Crystals, Li3OClIsTheAntiperovskite) {
  const Crystal crystal = known_crystal("Li3OCl");
  EXPECT_EQ(crystal.frame.formula(), "Li3 O1 Cl1");
  EXPECT_NEAR(crystal.frame.cell->volume(), 3.91 * 3.91 * 3.91, 1e-9);
  const Symmetry symmetry = find_symmetry(crystal.frame);
  EXPECT_EQ(symmetry.space_group, 221);
  EXPECT_EQ(symmetry.symbol, "Pm-3m");
  EXPECT_EQ(symmetry.operations.size(), 48U);
  EXPECT_EQ(symmetry.orbit, (std::vector<int>{0, 0, 0, 3, 4}));
  // Li on 3c (or 3d), O and Cl on 1a and 1b, by the choice of origin.
  EXPECT_EQ(std::set<std::string>(symmetry.wyckoff.begin(), symmetry.wyckoff.begin() + 3).size(), 1U);
}

TEST(Crystals, SpaceGroupsOfTheOthers) {
  const std::vector<std::pair<std::string, int>> groups{
      {"li3obr", 221}, {"na3ocl", 221}, {"li2o", 225}, {"licl", 225}};
  for (const auto& [name, number] : groups)
    EXPECT_EQ(find_symmetry(known_crystal(name).frame).space_group, number) << name;
  EXPECT_EQ(known_crystals().size(), 5U);
  EXPECT_THROW(known_crystal("unobtainium"), InputError);
}

TEST(Crystals, NearestDistancesAreThoseOfTheStructure) {
  const auto shortest = [](const std::string& name) {
    const Frame frame = known_crystal(name).frame;
    double d = 1e9;
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      for (std::size_t j = 0; j < i; ++j)
        d = std::min(d, frame.cell->minimum_image(frame.positions[i] - frame.positions[j]).norm());
    }
    return d;
  };
  EXPECT_NEAR(shortest("li3ocl"), 3.91 / 2, 1e-9);
  EXPECT_NEAR(shortest("li2o"), 4.62 * std::sqrt(3.0) / 4, 1e-9);
  EXPECT_NEAR(shortest("licl"), 5.13 / 2, 1e-9);
}

TEST(Crystals, AFileOfTheSameFormatIsReadAndChecked) {
  const std::string good =
      "name = \"nacl\"\ncell_A = [5.64, 5.64, 5.64]\nsites = [\"Na 0 0 0\", \"Cl 0.5 0.5 0.5\"]\n";
  TomlTable table = TomlTable::parse(good, "x.toml");
  EXPECT_EQ(parse_crystal(table).frame.formula(), "Na1 Cl1");
  for (const std::string bad : {"name = \"x\"\ncell_A = [1, 2]\nsites = [\"Na 0 0 0\"]\n",
                                "name = \"x\"\ncell_A = 4\nsites = [\"Qq 0 0 0\"]\n",
                                "name = \"x\"\ncell_A = 4\nsites = [\"Na 0 0\"]\n",
                                "name = \"x\"\ncell_A = 4\nsites = [\"Na 0 0 0\"]\ncolour = 1\n",
                                "name = \"x\"\ncell_A = 4\nsites = [\"Na 0 0 0\", \"Cl 0 0 0.01\"]\n"}) {
    TomlTable wrong = TomlTable::parse(bad, "x.toml");
    EXPECT_THROW(parse_crystal(wrong), InputError) << bad;
  }
}

TEST(Crystals, TheLatticeConstantScalesEverything) {
  Frame frame = known_crystal("li3ocl").frame;
  set_lattice_constant(frame, 4.0);
  EXPECT_NEAR(frame.cell->volume(), 64.0, 1e-9);
  EXPECT_NEAR(frame.positions[3][1], 2.0, 1e-12);
  EXPECT_THROW(set_lattice_constant(frame, -1), InputError);
}

TEST(Symmetry, OperationsOfASupercellIncludeItsTranslations) {
  const Frame unit = known_crystal("li3ocl").frame;
  EXPECT_EQ(find_symmetry(repeat(unit, {2, 2, 2})).operations.size(), 48U * 8U);
  const Symmetry flat = find_symmetry(repeat(unit, {2, 2, 1}));
  EXPECT_EQ(flat.space_group, 221);
  // A tetragonal superlattice keeps 16 of the 48 rotations: Li in the plane and above it are told apart.
  EXPECT_EQ(flat.operations.size(), 16U * 4U);
  EXPECT_EQ(std::set<int>(flat.orbit.begin(), flat.orbit.end()).size(), 4U);
}

TEST(Symmetry, OperationsMapTheFrameOntoItself) {
  Frame frame = known_crystal("li2o").frame;
  Mat3 strain = Mat3::Identity();
  strain(0, 1) = 0.03;  // sheared: monoclinic or lower
  frame.cell = Cell(Mat3(frame.cell->matrix() * strain));
  for (Vec3& r : frame.positions) r = strain.transpose() * r;
  const Symmetry symmetry = find_symmetry(frame);
  EXPECT_LT(symmetry.operations.size(), 192U);
  for (const SymmetryOperation& op : symmetry.operations) {
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      const Vec3 image = frame.cell->to_cartesian(
          op.rotation.cast<double>() * frame.cell->to_fractional(frame.positions[i]) + op.translation);
      bool found = false;
      for (std::size_t j = 0; j < frame.n_atoms(); ++j) {
        found = found || (frame.types[j] == frame.types[i] &&
                          frame.cell->minimum_image(image - frame.positions[j]).norm() < 1e-3);
      }
      EXPECT_TRUE(found);
    }
  }
}

TEST(Symmetry, RefusesFramesWithoutACell) {
  Frame frame = known_crystal("licl").frame;
  EXPECT_THROW(find_symmetry(frame, 0.0), InputError);
  frame.cell.reset();
  EXPECT_THROW(find_symmetry(frame), InputError);
}

TEST(Interstitials, Li3OClHasTwoKindsOfVoids) {
  const Crystal crystal = known_crystal("li3ocl");
  const auto sites = find_interstitials(crystal.frame, find_symmetry(crystal.frame));
  ASSERT_EQ(sites.size(), 2U);
  // The middle of the cube's edges between two Cl, in a square of Li.
  EXPECT_EQ(sites[0].positions.size(), 3U);
  EXPECT_NEAR(sites[0].radius_A, 3.91 / 2, 1e-9);
  EXPECT_EQ(sites[0].surroundings, "Li4 Cl2");
  EXPECT_LT(crystal.frame.cell->minimum_image(sites[0].positions[0] - Vec3(0, 0, 3.91 / 2)).norm(), 1e-6);
  // The middle of the eight octants, between O and Cl, in a triangle of Li.
  EXPECT_EQ(sites[1].positions.size(), 8U);
  EXPECT_NEAR(sites[1].radius_A, 3.91 * std::sqrt(3.0) / 4, 1e-9);
  EXPECT_EQ(sites[1].surroundings, "Li3 O1 Cl1");
}

TEST(Interstitials, TextbookVoidsOfTheSaltsAndOfBcc) {
  const Frame oxide = known_crystal("li2o").frame;
  const auto octahedral = find_interstitials(oxide, find_symmetry(oxide));
  ASSERT_FALSE(octahedral.empty());
  EXPECT_NEAR(octahedral[0].radius_A, 4.62 * std::sqrt(3.0) / 4, 1e-9);  // the empty cube of the antifluorite
  EXPECT_EQ(octahedral[0].positions.size(), 4U);
  EXPECT_EQ(octahedral[0].surroundings, "Li8");
  const Frame salt = known_crystal("licl").frame;
  const auto tetrahedral = find_interstitials(salt, find_symmetry(salt));
  ASSERT_EQ(tetrahedral.size(), 1U);
  EXPECT_EQ(tetrahedral[0].positions.size(), 8U);
  EXPECT_NEAR(tetrahedral[0].radius_A, 5.13 * std::sqrt(3.0) / 4, 1e-9);
  Frame iron;
  iron.cell = Cell::cubic(2.87);
  iron.add_atom("Fe", Vec3(0, 0, 0));
  iron.add_atom("Fe", Vec3(2.87 / 2, 2.87 / 2, 2.87 / 2));
  const auto bcc = find_interstitials(iron, find_symmetry(iron));
  ASSERT_EQ(bcc.size(), 1U);  // tetrahedral 12d; the octahedral site is a saddle of the distance
  EXPECT_EQ(bcc[0].positions.size(), 12U);
  EXPECT_NEAR(bcc[0].radius_A, 2.87 * std::sqrt(5.0) / 4, 1e-9);
}

TEST(Interstitials, NoPointOfAFineGridIsFartherFromAllAtoms) {
  const Crystal crystal = known_crystal("li3ocl");
  Frame frame = supercell(crystal.frame, diagonal({1, 1, 2}));
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)  // break the symmetry, in a fixed way
    frame.positions[i] +=
        0.2 * Vec3(std::sin(3.0 * static_cast<double>(i)), std::cos(7.0 * static_cast<double>(i)),
                   std::sin(11.0 * static_cast<double>(i)));
  const auto sites = find_interstitials(frame, find_symmetry(frame));
  ASSERT_FALSE(sites.empty());
  double largest = 0;
  constexpr int n = 24;
  for (int a = 0; a < n; ++a) {
    for (int b = 0; b < n; ++b) {
      for (int c = 0; c < 2 * n; ++c) {
        const Vec3 r = frame.cell->to_cartesian(Vec3(a, b, c / 2.0) / n);
        double nearest = 1e9;
        for (const Vec3& p : frame.positions)
          nearest = std::min(nearest, frame.cell->minimum_image(r - p).norm());
        largest = std::max(largest, nearest);
      }
    }
  }
  EXPECT_GE(sites[0].radius_A, largest - 1e-9);
  EXPECT_LT(sites[0].radius_A, largest + 3.91 / n);  // the distance changes by at most a grid diagonal's half
}

TEST(Interstitials, LikeChargesCanRankThem) {
  const Crystal crystal = known_crystal("li3ocl");
  InterstitialOptions options;
  options.oxidation_states = crystal.chemistry.oxidation_states;
  options.ion_charge = -2;
  const auto sites = find_interstitials(crystal.frame, find_symmetry(crystal.frame), options);
  EXPECT_NEAR(sites[0].like_charge_A, 3.91 / 2, 1e-9);
  EXPECT_NEAR(sites[1].like_charge_A, 3.91 * std::sqrt(3.0) / 4, 1e-9);
}

TEST(Interstitials, AtomsOffTheirPlacesByTheToleranceChangeNoCount) {
  for (const auto& [name, wanted] : {std::pair{"li3ocl", std::vector<std::size_t>{3, 8}}, {"li2o", {4}}}) {
    Frame frame = known_crystal(name).frame;
    for (std::size_t i = 0; i < frame.n_atoms(); ++i)
      frame.positions[i] +=
          0.008 * Vec3(std::sin(3.0 * static_cast<double>(i)), std::cos(7.0 * static_cast<double>(i)),
                       std::sin(11.0 * static_cast<double>(i) + 1));
    const auto sites = find_interstitials(frame, find_symmetry(frame, 0.05));
    ASSERT_GE(sites.size(), wanted.size()) << name;
    for (std::size_t k = 0; k < wanted.size(); ++k) EXPECT_EQ(sites[k].positions.size(), wanted[k]) << name;
  }
}

TEST(Supercells, ADiagonalMatrixIsRepeat) {
  const Frame unit = known_crystal("li2o").frame;
  const Frame a = supercell(unit, diagonal({2, 3, 1}));
  const Frame b = repeat(unit, {2, 3, 1});
  ASSERT_EQ(a.n_atoms(), b.n_atoms());
  EXPECT_EQ(a.types, b.types);
  for (std::size_t i = 0; i < a.n_atoms(); ++i) EXPECT_LT((a.positions[i] - b.positions[i]).norm(), 1e-12);
}

TEST(Supercells, AnyMatrixKeepsTheCrystal) {
  const Frame unit = known_crystal("li3ocl").frame;
  IntMat3 m;
  m << 1, -1, 0, 1, 1, -1, 0, 2, 3;
  const Frame frame = supercell(unit, m);
  EXPECT_EQ(frame.n_atoms(), 5U * 8U);
  EXPECT_NEAR(frame.cell->volume(), 8 * unit.cell->volume(), 1e-6);
  EXPECT_NO_THROW(validate(frame, "supercell", 1.9));
  EXPECT_EQ(find_symmetry(frame).space_group, 221);
  m.row(0) = m.row(1);
  EXPECT_THROW(supercell(unit, m), InputError);
}

TEST(SiteLattice, OperationsPermuteAndKeepDistances) {
  const Frame unit = known_crystal("li3ocl").frame;
  const Symmetry symmetry = find_symmetry(unit);
  IntMat3 m;
  m << 2, 0, 0, 0, 2, 0, 1, 0, 1;
  const SiteLattice lattice(unit, symmetry, find_interstitials(unit, symmetry), m);
  const Frame frame = supercell(unit, m);
  EXPECT_EQ(lattice.n_sites(), 4 * (5 + 11));
  for (int i = 0; i < lattice.n_atoms(); ++i)
    EXPECT_LT((lattice.position(i) - frame.positions[static_cast<std::size_t>(i)]).norm(), 1e-9);
  for (int op = 0; op < lattice.n_operations(); ++op) {
    std::set<int> images;
    for (int s = 0; s < lattice.n_sites(); ++s) {
      const int image = lattice.image(op, s);
      images.insert(image);
      EXPECT_EQ(lattice.kind(image), lattice.kind(s));
      EXPECT_NEAR(lattice.distance(image, lattice.image(op, 0)), lattice.distance(s, 0), 1e-9);
    }
    EXPECT_EQ(images.size(), static_cast<std::size_t>(lattice.n_sites()));
  }
  for (int s = 0; s < lattice.n_sites(); ++s)
    EXPECT_NEAR(lattice.distance(0, s),
                frame.cell->minimum_image(lattice.position(s) - lattice.position(0)).norm(), 1e-9);
}

}  // namespace
}  // namespace solion
