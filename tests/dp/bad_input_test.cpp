// Odd and wrong systems, the same on every path: the right answer, or a clear error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/dp/deep_potential.hpp"
#include "support/dp_models.hpp"

namespace solion::dp {
namespace {

using testing::ModelRecipe;
using testing::random_frame;
using testing::random_model;

constexpr Request everything{true, true, true};

class OddInput : public ::testing::TestWithParam<Path> {
 protected:
  /// On one thread and on three, which must not matter for what is refused.
  static Evaluation on(Path path, const Model& model, const Frame& frame, int threads = 1) {
    DeepPotential potential(std::make_shared<const Model>(model), {.path = path, .threads = threads});
    EXPECT_EQ(potential.path(), path);
    return potential.Potential::evaluate(frame, everything);
  }
  Evaluation evaluate(const Model& model, const Frame& frame, int threads = 1) const {
    return on(GetParam(), model, frame, threads);
  }
  /// Tables and single precision: relative to the largest number of its kind.
  [[nodiscard]] double tolerance() const { return GetParam() == Path::fast_single ? 5e-6 : 1e-9; }

  void expect_exact(const Model& model, const Frame& frame) const {
    const Evaluation exact = on(Path::reference, model, frame);
    for (const int threads : {1, 3}) {
      const Evaluation result = evaluate(model, frame, threads);
      double largest_force = 1, largest_energy = 1;
      for (const Vec3& f : exact.forces) largest_force = std::max(largest_force, f.cwiseAbs().maxCoeff());
      for (const double e : exact.atomic_energies) largest_energy = std::max(largest_energy, std::abs(e));
      ASSERT_EQ(result.forces.size(), frame.n_atoms());
      ASSERT_EQ(result.atomic_energies.size(), frame.n_atoms());
      const double n = static_cast<double>(frame.n_atoms());
      EXPECT_LE(std::abs(result.energy - exact.energy), tolerance() * largest_energy * std::max(1.0, n));
      for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
        EXPECT_LE((result.forces[i] - exact.forces[i]).cwiseAbs().maxCoeff(), tolerance() * largest_force);
        EXPECT_LE(std::abs(result.atomic_energies[i] - exact.atomic_energies[i]),
                  tolerance() * largest_energy);
      }
      // Sums over pairs of forces times distances.
      const double virial = 1 + exact.virial.cwiseAbs().maxCoeff();
      EXPECT_LE((result.virial - exact.virial).cwiseAbs().maxCoeff(), 10 * tolerance() * virial);
    }
  }
  template <typename E>
  void expect_refused(const Model& model, const Frame& frame, const char* words) const {
    for (const int threads : {1, 3}) {
      try {
        evaluate(model, frame, threads);
        FAIL() << "was accepted";
      } catch (const E& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(words));
      }
    }
  }
};

Frame pair(double distance) {
  Frame frame;
  frame.add_atom("Li", Vec3(0, 0, 0));
  frame.add_atom("O", Vec3(distance, 0, 0));
  frame.add_atom("Cl", Vec3(0, 3, 0));
  return frame;
}

TEST_P(OddInput, AtomsOnTopOfEachOther) {
  expect_refused<InputError>(random_model(), pair(0), "same place");
  // Through the boundary of the cell.
  Frame frame = random_frame(30, 3);
  frame.positions[7] = frame.positions[3] + frame.cell->vector(0) - 2 * frame.cell->vector(2);
  expect_refused<InputError>(random_model(), frame, "same place");
}

TEST_P(OddInput, PairsBeyondTheTable) {
  for (const double distance : {0.79, 0.5, 0.1, 1e-3}) {
    SCOPED_TRACE(distance);
    expect_exact(random_model(), pair(distance));
  }
}

TEST_P(OddInput, TenThousandNeighbours) {
  // One atom in so small a cell that its images fill the sphere.
  Frame frame;
  frame.add_atom("O", Vec3(0.1, 0, 0.2));
  frame.cell = Cell::cubic(0.298);
  const Model model = random_model();
  DeepPotential potential(std::make_shared<const Model>(model), {.path = GetParam(), .skin = Skin(0)});
  (void)potential.Potential::evaluate(frame, everything);
  EXPECT_GT(potential.neighborhood().n_pairs(), 10000U);
  expect_exact(model, frame);
}

TEST_P(OddInput, OneAtomWithoutNeighbours) {
  Frame frame;
  frame.add_atom("Cl", Vec3(1, 2, 3));
  const Model model = random_model();
  expect_exact(model, frame);
  EXPECT_EQ(evaluate(model, frame).forces[0], Vec3::Zero().eval());
  frame.cell = Cell::cubic(50);
  expect_exact(model, frame);
}

TEST_P(OddInput, OneAtomCells) {
  for (const double edge : {1.5, 2.5, 4.0, 7.9}) {
    Frame frame;
    frame.add_atom("Li", Vec3(0.3, 0.2, 0.1));
    Mat3 h;
    h << edge, 0, 0, 0.4 * edge, edge, 0, -0.3 * edge, 0.2 * edge, edge;
    frame.cell = Cell(h);
    expect_exact(random_model(), frame);
  }
}

TEST_P(OddInput, NoAtoms) {
  Frame frame;
  frame.cell = Cell::cubic(5);
  const Evaluation result = evaluate(random_model(), frame);
  EXPECT_EQ(result.energy, 0);
  EXPECT_TRUE(result.forces.empty());
}

TEST_P(OddInput, TypesWithoutAtoms) {
  const Model model = random_model();
  expect_exact(model, random_frame(20, 1));
  expect_exact(model, random_frame(20, 2));
  Frame frame = random_frame(20, 2);
  frame.type_map.find_or_add("Xe");  // named, not used
  expect_exact(model, frame);
}

TEST_P(OddInput, ModelsOfOneTypeAndOfTen) {
  ModelRecipe recipe;
  for (const int n_types : {1, 10}) {
    for (const bool one_side : {true, false}) {
      recipe.n_types = n_types;
      recipe.type_one_side = one_side;
      expect_exact(random_model(recipe), random_frame(50, n_types));
    }
  }
}

TEST_P(OddInput, UnknownElement) {
  Frame frame = random_frame(10, 3);
  frame.add_atom("Xe", Vec3(0.1, 0.1, 0.1));
  expect_refused<InputError>(random_model(), frame, "Xe");
}

TEST_P(OddInput, PositionsThatAreNoNumbers) {
  for (const double wrong :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Frame frame = random_frame(10, 3);
    frame.positions[4][1] = wrong;
    expect_refused<WorkError>(random_model(), frame, "not a finite number");
    // Also where the neighbour list of a good frame is at hand.
    DeepPotential potential(std::make_shared<const Model>(random_model()), {.path = GetParam()});
    (void)potential.Potential::evaluate(random_frame(10, 3), everything);
    EXPECT_THROW(potential.Potential::evaluate(frame, everything), WorkError);
  }
}

TEST_P(OddInput, FarFromTheOrigin) {
  Frame frame = random_frame(30, 3);
  const Frame home = frame;
  for (Vec3& r : frame.positions) r += 1000 * frame.cell->vector(0) - 700 * frame.cell->vector(1);
  const Model model = random_model();
  const Evaluation here = evaluate(model, home), there = evaluate(model, frame);
  // 1e4 Å leave 1e-12 Å of a position, and the stiffest pair some 1e4 eV/Å².
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)
    EXPECT_LE((here.forces[i] - there.forces[i]).norm(), 1e-7 + (GetParam() == Path::fast_single ? 2e-5 : 0));
}

INSTANTIATE_TEST_SUITE_P(Paths, OddInput,
                         ::testing::Values(Path::reference, Path::fast_double, Path::fast_single),
                         [](const auto& path) { return std::string(path_name(path.param)); });

}  // namespace
}  // namespace solion::dp
