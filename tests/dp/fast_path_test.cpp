// Tables and fast paths against the exact path: agreement, finite differences, threads, odd systems.
#include "solion/dp/fast_path.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "solion/base/errors.hpp"
#include "solion/dp/deep_potential.hpp"
#include "support/dp_models.hpp"

namespace solion::dp {
namespace {

using testing::ModelRecipe;
using testing::random_frame;
using testing::random_model;

constexpr Request everything{true, true, true, true};

Evaluation evaluate(const Model& model, const Frame& frame, Path path, int threads = 1) {
  DeepPotential potential(std::make_shared<const Model>(model), {.path = path, .threads = threads});
  EXPECT_EQ(potential.path(), path);
  return potential.Potential::evaluate(frame, everything);
}

double largest(const std::vector<Vec3>& forces) {
  double most = 0;
  for (const Vec3& f : forces) most = std::max(most, f.cwiseAbs().maxCoeff());
  return most;
}

/// Of sums that vanish by symmetry.
constexpr double rounding = 1e-14;

/// The shared case: forces within `relative` of the largest force plus `absolute`, energies and virial alike.
void expect_agreement(const Model& model, const Frame& frame, Path path, double relative, double absolute,
                      int threads = 1) {
  const Evaluation exact = evaluate(model, frame, Path::reference);
  const Evaluation fast = evaluate(model, frame, path, threads);
  const double tolerance = relative * largest(exact.forces) + absolute;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    EXPECT_LE((fast.forces[i] - exact.forces[i]).cwiseAbs().maxCoeff(), tolerance);
    EXPECT_NEAR(fast.atomic_energies[i], exact.atomic_energies[i],
                relative * (1 + std::abs(exact.atomic_energies[i])) + absolute);
  }
  Mat3 sum = Mat3::Zero();
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    EXPECT_LE((fast.atomic_virials[i] - exact.atomic_virials[i]).cwiseAbs().maxCoeff(),
              tolerance * model.descriptor.rcut * 10);
    sum += fast.atomic_virials[i];
  }
  // Of sums that cancel: in single precision each term has 1e-7 of its size.
  const double pair_rounding = path == Path::fast_single ? tolerance * model.descriptor.rcut : 1e-12;
  EXPECT_LE((sum - fast.virial).cwiseAbs().maxCoeff(),
            pair_rounding * (1 + largest(exact.forces)) * static_cast<double>(frame.n_atoms()) * 10);
  EXPECT_NEAR(fast.energy, exact.energy, (relative + absolute) * static_cast<double>(frame.n_atoms()));
  // The virial adds forces times distances up to the cutoff over all pairs.
  const double pairs = model.descriptor.rcut * static_cast<double>(frame.n_atoms()) * 10;
  EXPECT_LE((fast.virial - exact.virial).cwiseAbs().maxCoeff(), tolerance * pairs);
}

void expect_agreement(const Model& model, const Frame& frame) {
  {
    SCOPED_TRACE("double");
    expect_agreement(model, frame, Path::fast_double, 1e-9, rounding);
  }
  {
    SCOPED_TRACE("single");
    expect_agreement(model, frame, Path::fast_single, 0, 2e-5);
  }
}

TEST(FastPath, AgreesForEveryOption) {
  const auto check = [](
                         const std::string& name, const std::function<void(ModelRecipe&)>& change_recipe,
                         const std::function<void(Model&)>& change_model = [](Model&) {}) {
    SCOPED_TRACE(name);
    ModelRecipe recipe;
    change_recipe(recipe);
    Model model = random_model(recipe);
    change_model(model);
    Frame frame = random_frame(40, recipe.n_types);
    expect_agreement(model, frame);
    frame.cell.reset();
    expect_agreement(model, frame);
  };
  check("plain", [](ModelRecipe&) {});
  check("two sides", [](ModelRecipe& r) { r.type_one_side = false; });
  check("timestep", [](ModelRecipe& r) { r.resnet_dt = true; });
  check("odd widths", [](ModelRecipe& r) {
    r.embedding = {3, 7, 13};
    r.axis = 5;
    r.fitting = {11, 22, 13};
  });
  check("one channel", [](ModelRecipe& r) {
    r.embedding = {1};
    r.axis = 1;
    r.fitting = {4};
  });
  check("one type", [](ModelRecipe& r) { r.n_types = 1; });
  check("four types", [](ModelRecipe& r) { r.n_types = 4; });
  check("beyond sel", [](ModelRecipe& r) { r.sel = 2; });
  check("gelu", [](ModelRecipe& r) { r.activation = nn::Activation::gelu; });
  check("softplus", [](ModelRecipe& r) { r.activation = nn::Activation::softplus; });
  check("sigmoid", [](ModelRecipe& r) { r.activation = nn::Activation::sigmoid; });
  check("silu", [](ModelRecipe& r) { r.activation = nn::Activation::silu; });
  check("linear", [](ModelRecipe& r) { r.activation = nn::Activation::linear; });
  check(
      "protection", [](ModelRecipe&) {}, [](Model& m) { m.descriptor.env_protection = 0.3; });
  check(
      "excluded in the descriptor", [](ModelRecipe&) {},
      [](Model& m) {
        m.descriptor.exclude_types = {{0, 1}, {1, 0}};
      });
  check(
      "excluded pairs", [](ModelRecipe&) {},
      [](Model& m) {
        m.pair_exclude_types = {{0, 0}, {1, 2}, {2, 1}};
      });
  check(
      "excluded atoms", [](ModelRecipe&) {}, [](Model& m) { m.atom_exclude_types = {0}; });
}

TEST(FastPath, AgreesForAStandardModel) {
  ModelRecipe recipe;
  recipe.embedding = {25, 50, 100};
  recipe.axis = 16;
  recipe.fitting = {240, 240, 240};
  recipe.resnet_dt = true;
  recipe.rcut = 6;
  recipe.rcut_smth = 0.5;
  recipe.sel = 60;
  expect_agreement(random_model(recipe), random_frame(40, 3));
}

TEST(FastPath, SmallCellsSingleAtomsAndEmptyFrames) {
  const Model model = random_model();
  expect_agreement(model, random_frame(3, 3));
  Frame frame;
  frame.add_atom("O", Vec3(1, 2, 3));
  expect_agreement(model, frame);
  frame.cell = Cell::cubic(2.0);
  expect_agreement(model, frame);
  ModelRecipe tiny;  // descriptors shorter than one vector
  tiny.embedding = {1};
  tiny.axis = 1;
  tiny.fitting = {3};
  expect_agreement(random_model(tiny), frame);
  tiny.embedding = {3};
  tiny.axis = 2;
  expect_agreement(random_model(tiny), frame);
}

TEST(FastPath, PairsBelowTheTableUseTheExactNet) {
  const Model model = random_model();
  Frame frame;
  frame.add_atom("Li", Vec3(0, 0, 0));
  frame.add_atom("O", Vec3(0.3, 0.1, 0));
  frame.add_atom("Cl", Vec3(-0.2, 0.4, 0.1));
  frame.add_atom("Li", Vec3(2, 0, 0));
  const Evaluation exact = evaluate(model, frame, Path::reference);
  // Forces of close pairs are large: relative in both precisions.
  expect_agreement(model, frame, Path::fast_double, 1e-9, 0);
  expect_agreement(model, frame, Path::fast_single, 3e-6, 0);
  frame.positions[1] = frame.positions[0];
  EXPECT_THROW(evaluate(model, frame, Path::fast_double), InputError);
}

TEST(FastPath, EveryNumberOfThreadsGivesTheSameForces) {
  const Model model = random_model();
  const Frame frame = random_frame(200, 3);
  const Evaluation one = evaluate(model, frame, Path::fast_double, 1);
  for (const int threads : {2, 3, 7}) {
    const Evaluation many = evaluate(model, frame, Path::fast_double, threads);
    for (std::size_t i = 0; i < frame.n_atoms(); ++i)
      EXPECT_LE((many.forces[i] - one.forces[i]).norm(), 1e-12 * (1 + largest(one.forces)));
    const Evaluation again = evaluate(model, frame, Path::fast_double, threads);
    EXPECT_EQ(again.energy, many.energy);
    EXPECT_EQ(again.forces, many.forces);
  }
}

TEST(FastPath, TheOrderOfTheAtomsDoesNotMatter) {
  const Model model = random_model();
  const Frame frame = random_frame(300, 3);
  Frame shuffled = frame;
  std::vector<std::size_t> from(frame.n_atoms());
  for (std::size_t i = 0; i < from.size(); ++i)
    from[i] = (i * 113) % from.size();  // 113 and 300 share no factor
  for (std::size_t i = 0; i < from.size(); ++i) {
    shuffled.positions[i] = frame.positions[from[i]];
    shuffled.types[i] = frame.types[from[i]];
  }
  const Evaluation a = evaluate(model, frame, Path::fast_double);
  const Evaluation b = evaluate(model, shuffled, Path::fast_double);
  EXPECT_NEAR(a.energy, b.energy, 1e-12 * (1 + std::abs(a.energy)));
  for (std::size_t i = 0; i < from.size(); ++i)
    EXPECT_LE((b.forces[i] - a.forces[from[i]]).norm(), 1e-12 * (1 + largest(a.forces)));
}

TEST(FastPath, AMemberOfACommitteeUsesTheListOfTheFirst) {
  ModelRecipe recipe;
  const auto one = std::make_shared<const Model>(random_model(recipe));
  recipe.seed = 2;
  const auto two = std::make_shared<const Model>(random_model(recipe));
  recipe.rcut = 4.5;
  const auto wide = std::make_shared<const Model>(random_model(recipe));
  const Frame frame = random_frame(60, 3);
  DeepPotential first(one), second(two), third(wide);
  Evaluation a, b, c;
  first.evaluate(frame, everything, a);
  second.evaluate_beside(first, frame, everything, b);
  third.evaluate_beside(first, frame, everything, c);  // its cutoff is longer than that list's
  EXPECT_EQ(second.neighborhood().n_pairs(), 0U);
  EXPECT_GT(third.neighborhood().n_pairs(), 0U);
  EXPECT_EQ(b.forces, evaluate(*two, frame, Path::fast_double).forces);
  EXPECT_EQ(c.forces, evaluate(*wide, frame, Path::fast_double).forces);
}

TEST(FastPath, ForcesAreDerivativesOfItsOwnEnergy) {
  const Model model = random_model();
  const Frame frame = random_frame(40, 3);
  DeepPotential potential(std::make_shared<const Model>(model), {.path = Path::fast_double});
  const Evaluation result = potential.Potential::evaluate(frame, everything);
  // Atoms 0…5 one by one; the step balances the error of the formula (h²) against rounding (1e-15/h).
  constexpr double h = 1e-5;
  for (std::size_t i = 0; i < 6; ++i) {
    for (int k = 0; k < 3; ++k) {
      const auto energy = [&](double step) {
        Frame moved = frame;
        moved.positions[i][k] += step;
        return potential.Potential::evaluate(moved, everything).energy;
      };
      EXPECT_NEAR(-(energy(h) - energy(-h)) / (2 * h), result.forces[i][k],
                  1e-6 * (1 + largest(result.forces)));
    }
  }
}

TEST(FastPath, ReluFallsBackToTheReferencePath) {
  ModelRecipe recipe;
  recipe.activation = nn::Activation::relu;
  const DeepPotential potential(std::make_shared<const Model>(random_model(recipe)),
                                {.path = Path::fast_single});
  EXPECT_EQ(potential.path(), Path::reference);
}

TEST(Tables, ErrorIsControlled) {
  ModelRecipe recipe;
  recipe.embedding = {25, 50, 100};
  const Model model = random_model(recipe);
  const nn::Network& net = model.descriptor.embedding[0];
  const Table<double> table = make_table<double>(net, -0.7, 12.0, 104, {1e-12, 2e-11, 16384});
  ASSERT_GT(table.intervals, 0);
  double value = 0, slope = 0, scale = 0;
  for (int k = 0; k < 1000; ++k) {
    const double x = -0.7 + 12.7 * (k + 0.37) / 1000;
    const nn::Matrix<double> exact = embedding_jet(net, x);
    const double u = (x - table.low) * table.inverse_h;
    const int n = static_cast<int>(u);
    const auto w = hermite(u - n, table.inverse_h);
    for (int c = 0; c < 100; ++c) {
      double g = 0, dg = 0;
      for (int m = 0; m < 6; ++m) {
        g += w.value[m] * table.node(n)[m * 104 + c];
        dg += w.slope[m] * table.node(n)[m * 104 + c];
      }
      value = std::max(value, std::abs(g - exact(0, c)));
      slope = std::max(slope, std::abs(dg - exact(1, c)));
      scale = std::max(scale, std::abs(exact(1, c)));
    }
  }
  EXPECT_LE(value, 3e-12 * (1 + scale));
  EXPECT_LE(slope, 5e-11 * (1 + scale));
}

TEST(Tables, SlopeIsTheDerivativeOfTheValue) {
  constexpr double h = 1e-6;
  for (double t = 0.05; t < 1; t += 0.1) {
    const auto a = hermite(t - h, 2.0);
    const auto b = hermite(t + h, 2.0);
    const auto w = hermite(t, 2.0);
    for (int m = 0; m < 6; ++m) EXPECT_NEAR((b.value[m] - a.value[m]) / (2 * h) * 2.0, w.slope[m], 1e-8);
  }
}

}  // namespace
}  // namespace solion::dp
