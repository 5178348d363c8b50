// Tables and fast paths against the exact path: agreement, finite differences, threads, odd systems.
#include "solion/dp/fast_path.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "solion/base/errors.hpp"
#include "solion/dp/deep_potential.hpp"
#include "support/dp_models.hpp"
#include "support/instruction_sets.hpp"
#include "support/model_options.hpp"

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
void expect_agreement(const Model& model, const Frame& frame, const Evaluation& exact, const Evaluation& fast,
                      Path path, double relative, double absolute) {
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

/// With every instruction set.
void expect_agreement(const Model& model, const Frame& frame, Path path, double relative, double absolute) {
  const Evaluation exact = evaluate(model, frame, Path::reference);
  testing::with_every_instruction_set(
      [&] { expect_agreement(model, frame, exact, evaluate(model, frame, path), path, relative, absolute); });
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
  testing::for_every_model_option(
      [](const Model& model, const Frame& frame) { expect_agreement(model, frame); });
}

TEST(FastPath, AgreesForAStandardModel) {
  expect_agreement(random_model(testing::standard_recipe()), random_frame(40, 3));
}

TEST(FastPath, AgreesAcrossTheSegmentsOfAModelWithSharpFeatures) {
  ModelRecipe recipe;
  recipe.n_types = 2;
  Model model = random_model(recipe);
  for (nn::Network& net : model.descriptor.embedding) net.layers.front().w *= 20;
  const FastModel<double> fast(std::make_shared<const Model>(model));
  ASSERT_TRUE(fast.tabulated);
  for (const auto& table : fast.tables) ASSERT_GT(table.segments(), 1);
  // Forces of steep nets are large: relative in both precisions. Single: x itself has 6e-8 of its size.
  const Frame frame = random_frame(40, 2);
  expect_agreement(model, frame, Path::fast_double, 1e-9, rounding);
  expect_agreement(model, frame, Path::fast_single, 1e-4, 0);
  // One pair over the whole range, beyond the near end of the table (0.8 Å) to beyond the cutoff.
  DeepPotential exact(std::make_shared<const Model>(model), {.path = Path::reference});
  DeepPotential tabulated(std::make_shared<const Model>(model), {.path = Path::fast_double});
  Frame pair;
  pair.add_atom("Li", Vec3(0, 0, 0));
  pair.add_atom("O", Vec3(1, 0, 0));
  double most = 0, off = 0;
  for (int k = 0; k <= 3000; ++k) {
    pair.positions[1][0] = 0.75 + 3.3 * k / 3000;
    const Evaluation a = exact.Potential::evaluate(pair, everything);
    const Evaluation b = tabulated.Potential::evaluate(pair, everything);
    most = std::max(most, largest(a.forces));
    off = std::max(off, (a.forces[1] - b.forces[1]).norm());
  }
  EXPECT_LE(off, 1e-9 * most);
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

/// Value and slope of all channels of a table at x, as the kernels form them.
nn::Matrix<double> look_up(const Table<double>& table, double x, int channels) {
  const auto at = table_place(x, table.low, table.inverse_width, static_cast<double>(table.segments()),
                              table.first.data(), table.splits.data());
  const auto w = hermite(at.t, at.inverse_h);
  const double* node = table.node(at.node);
  nn::Matrix<double> out = nn::Matrix<double>::Zero(2, channels);
  for (int m = 0; m < 6; ++m) {
    for (int c = 0; c < channels; ++c) {
      out(0, c) += w.value[m] * node[m * table.stride + c];
      out(1, c) += w.slope[m] * node[m * table.stride + c];
    }
  }
  return out;
}

/// One layer, two channels: a step of width 1/`steepness` at `centre`, and a gentle one.
nn::Network step_net(double steepness, double centre, nn::Activation activation = nn::Activation::tanh) {
  nn::Network net;
  net.layers.emplace_back();
  nn::Layer& layer = net.layers.back();
  layer.w.resize(1, 2);
  layer.w << steepness, 0.3;
  layer.b.resize(2);
  layer.b << -steepness * centre, 0.1;
  layer.activation = activation;
  return net;
}

constexpr TableBound double_bound{1e-12, 2e-11, 1 << 20};

TEST(Tables, ErrorIsControlled) {
  ModelRecipe recipe;
  recipe.embedding = {25, 50, 100};
  const Model model = random_model(recipe);
  const nn::Network& net = model.descriptor.embedding[0];
  const Table<double> table = make_table<double>(net, -0.7, 12.0, 104, double_bound);
  ASSERT_GT(table.intervals, 0);
  EXPECT_LE(table.value_error, double_bound.value);
  EXPECT_LE(table.slope_error, double_bound.slope);
  double value = 0, slope = 0, scale = 0;
  for (int k = 0; k < 1000; ++k) {
    const double x = -0.7 + 12.7 * (k + 0.37) / 1000;
    const nn::Matrix<double> exact = embedding_jet(net, x);
    const nn::Matrix<double> found = look_up(table, x, 100);
    value = std::max(value, (found.row(0) - exact.row(0)).cwiseAbs().maxCoeff());
    slope = std::max(slope, (found.row(1) - exact.row(1)).cwiseAbs().maxCoeff());
    scale = std::max(scale, exact.row(1).cwiseAbs().maxCoeff());
  }
  EXPECT_LE(value, 3e-12 * (1 + scale));
  EXPECT_LE(slope, 5e-11 * (1 + scale));
}

TEST(Tables, OneSharpFeatureCostsLittleMemory) {
  // The step of tanh(100 (x − 3)) needs intervals of a hundredth of its width, the rest longer ones.
  const nn::Network net = step_net(100, 3);
  const Table<double> table = make_table<double>(net, -0.5, 12.0, 8, double_bound);
  ASSERT_GT(table.intervals, 0);
  const auto finest = *std::max_element(table.splits.begin(), table.splits.end());
  const double uniform = finest * table.segments();
  EXPECT_GT(uniform, 16384);
  EXPECT_LT(static_cast<double>(table.nodes.size()), 0.15 * uniform * 3 * table.stride);
  double value = 0, slope = 0;
  for (int k = 0; k <= 4000; ++k) {
    // Both ends of the range, everywhere between them, and densely around the step.
    const double x = k <= 2000 ? -0.5 + 12.5 * k / 2000 : 2.99 + 0.02 * (k - 2000) / 2000;
    const nn::Matrix<double> exact = embedding_jet(net, x);
    const nn::Matrix<double> found = look_up(table, x, 2);
    value = std::max(value, (found.row(0) - exact.row(0)).cwiseAbs().maxCoeff());
    slope = std::max(slope, (found.row(1) - exact.row(1)).cwiseAbs().maxCoeff());
  }
  // Bounds at the quarters hold between them up to the shape of the error; the places x themselves are
  // rounded, which the step multiplies by its second derivative.
  EXPECT_LE(value, 2 * 1e-12 + 100 * 1e-14);
  EXPECT_LE(slope, 2 * 2e-11 * 100 + 100 * 100 * 1e-14);
}

TEST(Tables, SegmentsMeetWithTheirFirstTwoDerivatives) {
  const nn::Network net = step_net(100, 3);
  const Table<double> table = make_table<double>(net, -0.5, 12.0, 8, double_bound);
  ASSERT_GT(table.segments(), 1);
  for (std::size_t s = 0; s + 1 < table.first.size(); ++s) {
    const double* left = table.node(static_cast<int>(table.first[s] + table.splits[s]));
    const double* right = table.node(static_cast<int>(table.first[s + 1]));
    const double ratio = table.splits[s] / table.splits[s + 1];  // of the lengths of the intervals
    for (int c = 0; c < 2; ++c) {
      EXPECT_EQ(left[c], right[c]);
      EXPECT_DOUBLE_EQ(left[8 + c] * ratio, right[8 + c]);
      EXPECT_DOUBLE_EQ(left[16 + c] * ratio * ratio, right[16 + c]);
    }
  }
}

TEST(Tables, ASmoothNetNeedsFewSegments) {
  const Table<float> table = make_table<float>(step_net(0.5, 3), -0.5, 12.0, 16, {1e-7, 1e-6, 1 << 15});
  ASSERT_GT(table.intervals, 0);
  EXPECT_LE(table.intervals, 64);
  const float finest = *std::max_element(table.splits.begin(), table.splits.end());
  EXPECT_LE(table.intervals + table.segments(), static_cast<int>(finest) * table.segments() + 1);
}

TEST(Tables, AKinkHasNone) {
  EXPECT_EQ(make_table<double>(step_net(1, 3, nn::Activation::relu), -0.5, 12.0, 8, double_bound).intervals,
            0);
}

TEST(Tables, SlopeIsTheDerivativeOfTheValue) {
  constexpr double h = 1e-6;
  for (int k = 0; k < 10; ++k) {
    const double t = 0.05 + 0.1 * k;
    const auto a = hermite(t - h, 2.0);
    const auto b = hermite(t + h, 2.0);
    const auto w = hermite(t, 2.0);
    for (int m = 0; m < 6; ++m) EXPECT_NEAR((b.value[m] - a.value[m]) / (2 * h) * 2.0, w.slope[m], 1e-8);
  }
}

}  // namespace
}  // namespace solion::dp
