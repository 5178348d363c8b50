// The reference path against DeePMD-kit's numbers, finite differences, symmetries and its own definition of
// padding.
#include "solion/dp/reference_path.hpp"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <Eigen/Geometry>
#include <filesystem>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/dp/model_file.hpp"
#include "support/dp_models.hpp"

namespace solion::dp {
namespace {

using testing::ModelRecipe;
using testing::random_frame;
using testing::random_model;

constexpr Request everything{true, true, true};

Evaluation evaluate(const Model& model, const Frame& frame) {
  DeepPotential potential(std::make_shared<const Model>(model), {.path = Path::reference});
  return potential.Potential::evaluate(frame, everything);
}

TEST(ReferencePath, AgreesWithDeepmdKit) {
  const std::string folder = SOLION_SHARED_DIR "/reference/deepmd/";
  if (!std::filesystem::exists(folder + "deeppot-testcase.yaml"))
    GTEST_SKIP() << "needs " << folder << "deeppot-testcase.yaml";
  const Model model = read_model(folder + "deeppot_sea.yaml");
  const YAML::Node cases = YAML::LoadFile(folder + "deeppot-testcase.yaml")["results"];
  ASSERT_EQ(cases.size(), 3U);
  for (const YAML::Node& c : cases) {
    const auto coord = c["coord"].as<std::vector<double>>();
    const auto types = c["atype"].as<std::vector<int>>();
    Frame frame;
    for (std::size_t i = 0; i < types.size(); ++i)
      frame.add_atom(types[i] == 0 ? "O" : "H", Vec3(coord[3 * i], coord[3 * i + 1], coord[3 * i + 2]));
    if (c["box"].IsSequence()) {
      const auto box = c["box"].as<std::vector<double>>();
      frame.cell = Cell(Eigen::Map<const Mat3>(box.data()));
    }
    const Evaluation result = evaluate(model, frame);
    const auto energy = c["atomic_energy"].as<std::vector<double>>();
    const auto force = c["force"].as<std::vector<double>>();
    const auto virial = c["atomic_virial"].as<std::vector<double>>();
    Mat3 total = Mat3::Zero();
    for (std::size_t i = 0; i < types.size(); ++i) {
      EXPECT_NEAR(result.atomic_energies[i], energy[i], 1e-9);
      for (std::size_t k = 0; k < 3; ++k)
        EXPECT_NEAR(result.forces[i][static_cast<int>(k)], force[3 * i + k], 1e-9);
      total += Eigen::Map<const Mat3>(&virial[9 * i]);
    }
    EXPECT_NEAR(result.energy, std::accumulate(energy.begin(), energy.end(), 0.0), 1e-9);
    EXPECT_LT((result.virial - total).cwiseAbs().maxCoeff(), 1e-9);
  }
}

/// Central differences of the energy against forces and virial. The step balances the error of the formula
/// (h²) against rounding (1e-16·E/h); both are then below 1e-7.
void expect_consistent(const Model& model, const Frame& frame) {
  const Evaluation result = evaluate(model, frame);
  constexpr double h = 1e-5;
  RandomStream random(3, "directions");
  for (int trial = 0; trial < 3; ++trial) {
    std::vector<Vec3> direction(frame.n_atoms());
    double expected = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      direction[i] = Vec3(random.normal(), random.normal(), random.normal());
      expected -= result.forces[i].dot(direction[i]);
    }
    const auto moved = [&](double step) {
      Frame copy = frame;
      for (std::size_t i = 0; i < direction.size(); ++i) copy.positions[i] += step * direction[i];
      return evaluate(model, copy).energy;
    };
    EXPECT_NEAR((moved(h) - moved(-h)) / (2 * h), expected, 1e-6 * (1 + std::abs(expected)));
    Mat3 strain;
    for (Eigen::Index k = 0; k < 9; ++k) strain.data()[k] = random.normal();
    strain = (strain + strain.transpose()).eval() / 2;
    const auto strained = [&](double step) {
      const Mat3 f = Mat3::Identity() + step * strain;
      Frame copy = frame;
      for (Vec3& r : copy.positions) r = f.transpose() * r;
      if (copy.cell) copy.cell = Cell(Mat3(copy.cell->matrix() * f));
      return evaluate(model, copy).energy;
    };
    const double slope = -result.virial.cwiseProduct(strain).sum();
    EXPECT_NEAR((strained(h) - strained(-h)) / (2 * h), slope, 1e-6 * (1 + std::abs(slope)));
  }
}

struct Variant {
  std::string name;
  ModelRecipe recipe;
  std::function<void(Model&)> change = [](Model&) {};
};

std::vector<Variant> variants() {
  std::vector<Variant> list;
  const auto add = [&](
                       const std::string& name, const std::function<void(ModelRecipe&)>& recipe,
                       const std::function<void(Model&)>& change = [](Model&) {}) {
    Variant v{name, {}, change};
    recipe(v.recipe);
    list.push_back(v);
  };
  add("plain", [](ModelRecipe&) {});
  add("two_sides", [](ModelRecipe& r) { r.type_one_side = false; });
  add("timestep", [](ModelRecipe& r) { r.resnet_dt = true; });
  add("one_type", [](ModelRecipe& r) { r.n_types = 1; });
  add("no_embedding_bias", [](ModelRecipe& r) { r.bias = false; });
  add("uneven_widths", [](ModelRecipe& r) {
    r.embedding = {1, 7, 5, 10};
    r.fitting = {11, 22, 13};
  });
  add("beyond_sel", [](ModelRecipe& r) { r.sel = 2; });
  add(
      "protection", [](ModelRecipe&) {}, [](Model& m) { m.descriptor.env_protection = 0.3; });
  add(
      "excluded_in_descriptor", [](ModelRecipe&) {},
      [](Model& m) {
        m.descriptor.exclude_types = {{0, 1}, {1, 0}};
      });
  add(
      "excluded_pairs", [](ModelRecipe&) {},
      [](Model& m) {
        m.pair_exclude_types = {{0, 0}, {1, 2}, {2, 1}};
      });
  add(
      "excluded_atoms", [](ModelRecipe&) {}, [](Model& m) { m.atom_exclude_types = {0}; });
  for (const auto activation : {nn::Activation::relu, nn::Activation::relu6, nn::Activation::softplus,
                                nn::Activation::sigmoid, nn::Activation::gelu, nn::Activation::silu}) {
    add(std::string(nn::activation_name(activation)), [=](ModelRecipe& r) { r.activation = activation; });
  }
  return list;
}

TEST(ReferencePath, ForcesAndVirialAreDerivativesOfTheEnergy) {
  for (const Variant& v : variants()) {
    SCOPED_TRACE(v.name);
    Model model = random_model(v.recipe);
    v.change(model);
    Frame frame = random_frame(24, v.recipe.n_types);
    expect_consistent(model, frame);
    frame.cell.reset();
    expect_consistent(model, frame);
  }
}

TEST(ReferencePath, CellSmallerThanTheCutoffIsItsSupercell) {
  const Model model = random_model();
  const Frame small = random_frame(4, 3);  // about 3.7 Å wide, cutoff 4 Å
  const Frame large = repeat(small, {2, 3, 2});
  const Evaluation a = evaluate(model, small);
  const Evaluation b = evaluate(model, large);
  EXPECT_NEAR(b.energy, 12 * a.energy, 1e-10 * std::abs(b.energy));
  EXPECT_LT((b.virial - 12 * a.virial).cwiseAbs().maxCoeff(), 1e-9);
  for (std::size_t i = 0; i < small.n_atoms(); ++i) EXPECT_LT((b.forces[i] - a.forces[i]).norm(), 1e-10);
  expect_consistent(model, small);
}

TEST(ReferencePath, EnergyIsInvariantAndForcesTurnAlong) {
  const Model model = random_model();
  const Frame frame = random_frame(30, 3);
  const Evaluation before = evaluate(model, frame);
  const Mat3 turn = Eigen::AngleAxisd(0.7, Vec3(1, 2, 3).normalized()).toRotationMatrix();
  Frame moved;
  moved.cell = Cell(Mat3(frame.cell->matrix() * turn.transpose()));
  for (std::size_t k = frame.n_atoms(); k-- > 0;)  // also permuted
    moved.add_atom(frame.element(k), turn * (frame.positions[k] + Vec3(0.3, -5, 2)));
  const Evaluation after = evaluate(model, moved);
  EXPECT_NEAR(after.energy, before.energy, 1e-11 * std::abs(before.energy));
  Vec3 sum = Vec3::Zero();
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    EXPECT_LT((after.forces[frame.n_atoms() - 1 - i] - turn * before.forces[i]).norm(), 1e-10);
    sum += before.forces[i];
  }
  EXPECT_LT(sum.norm(), 1e-11);
  EXPECT_LT((after.virial - turn * before.virial * turn.transpose()).cwiseAbs().maxCoeff(), 1e-9);
}

/// Between two neighbours inside the cutoff and none there is no jump: the pair's row turns into padding.
TEST(ReferencePath, AnAtomLeavesTheCutoffSmoothly) {
  const Model model = random_model();
  const auto energy = [&](double r) {
    Frame frame;
    frame.add_atom("Li", Vec3(0, 0, 0));
    frame.add_atom("O", Vec3(r, 0, 0));
    return evaluate(model, frame).energy;
  };
  EXPECT_NEAR(energy(3.99999), energy(4.00001), 1e-12);
}

/// The sum over real neighbours only equals the padded rows that DeePMD-kit spells out: with `sel` equal to
/// the neighbours there are no padded rows, and another `sel` changes the result only through Σsel.
TEST(ReferencePath, PaddingRowsAreAConstant) {
  ModelRecipe recipe;
  recipe.n_types = 1;
  Model model = random_model(recipe);
  for (auto& n : model.descriptor.normalisation) n.mean = {0, 0, 0, 0};
  // With zero mean a padded row is zero and adds nothing, so that T scales with 1/Σsel alone; a net that is
  // linear in D then scales with 1/Σsel².
  model.fitting[0].layers.clear();
  nn::Layer linear;
  linear.w = nn::Matrix<double>::Ones(model.n_embedding() * model.descriptor.axis_neuron, 1);
  linear.activation = nn::Activation::linear;
  model.fitting[0].layers.push_back(linear);
  model.bias_atom_e = model.out_bias = {0.0};
  const Frame frame = random_frame(20, 1);
  model.descriptor.sel = {10};
  const double tight = evaluate(model, frame).energy;
  model.descriptor.sel = {40};
  EXPECT_NEAR(evaluate(model, frame).energy * 16, tight, 1e-12 * std::abs(tight));
}

TEST(ReferencePath, AtomsAtTheSamePlaceAreAnError) {
  const Model model = random_model();
  Frame frame;
  frame.add_atom("Li", Vec3(0, 0, 0));
  frame.add_atom("O", Vec3(0, 0, 0));
  EXPECT_THROW(evaluate(model, frame), InputError);
  frame.positions[1] = Vec3(2, 0, 0);
  frame.add_atom("S", Vec3(0, 2, 0));
  EXPECT_THROW(evaluate(model, frame), InputError);  // an element the model does not know
}

TEST(ReferencePath, SingleAtomAndEmptyTypesWork) {
  const Model model = random_model();
  Frame frame;
  frame.add_atom("O", Vec3(1, 2, 3));
  const Evaluation alone = evaluate(model, frame);
  EXPECT_TRUE(std::isfinite(alone.energy));
  EXPECT_EQ(alone.forces[0].norm(), 0);
  frame.cell = Cell::cubic(50);
  EXPECT_EQ(evaluate(model, frame).energy, alone.energy);
  frame.cell = Cell::cubic(2.5);
  EXPECT_NE(evaluate(model, frame).energy, alone.energy);
  EXPECT_LT(evaluate(model, frame).forces[0].norm(), 1e-12);
}

}  // namespace
}  // namespace solion::dp
