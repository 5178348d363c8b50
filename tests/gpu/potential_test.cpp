// The kernels' bodies, run as loops, against the exact path; the same cases run on a GPU in cuda_test.cpp.
#include <functional>

#include "gpu/cases.hpp"
#include "solion/base/errors.hpp"

namespace solion::gpu {
namespace {

using testing::ModelRecipe;
using testing::random_frame;
using testing::random_model;

std::shared_ptr<SharedDevice> host(const HostOptions& options = {}) {
  return shared(make_host_device(options));
}

TEST(HostDevice, AgreesForEveryOption) {
  const auto check = [](
                         const std::string& name, const std::function<void(ModelRecipe&)>& change_recipe,
                         const std::function<void(dp::Model&)>& change_model = [](dp::Model&) {}) {
    SCOPED_TRACE(name);
    ModelRecipe recipe;
    change_recipe(recipe);
    dp::Model model = random_model(recipe);
    change_model(model);
    Frame frame = random_frame(40, recipe.n_types);
    expect_agreement(host(), model, frame);
    frame.cell.reset();
    expect_agreement(host(), model, frame);
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
  check("silu", [](ModelRecipe& r) { r.activation = nn::Activation::silu; });
  check(
      "protection", [](ModelRecipe&) {}, [](dp::Model& m) { m.descriptor.env_protection = 0.3; });
  check(
      "excluded in the descriptor", [](ModelRecipe&) {},
      [](dp::Model& m) {
        m.descriptor.exclude_types = {{0, 1}, {1, 0}};
      });
  check(
      "excluded pairs", [](ModelRecipe&) {},
      [](dp::Model& m) {
        m.pair_exclude_types = {{0, 0}, {1, 2}, {2, 1}};
      });
  check(
      "excluded atoms", [](ModelRecipe&) {}, [](dp::Model& m) { m.atom_exclude_types = {0}; });
}

TEST(HostDevice, AgreesForAStandardModel) {
  ModelRecipe recipe;
  recipe.embedding = {25, 50, 100};
  recipe.axis = 16;
  recipe.fitting = {240, 240, 240};
  recipe.resnet_dt = true;
  recipe.rcut = 6;
  recipe.rcut_smth = 0.5;
  recipe.sel = 60;
  const dp::Model model = random_model(recipe);
  const Frame frame = random_frame(40, 3);
  expect_agreement(host(), model, frame);
  SCOPED_TRACE("products in three parts of TF32");
  expect_agreement(host({.split_products = true}), model, frame, Precision::single_precision, 0, 2e-5);
}

TEST(HostDevice, SmallCellsSingleAtomsAndEmptyFrames) {
  const dp::Model model = random_model();
  expect_agreement(host(), model, random_frame(3, 3));
  Frame frame;
  frame.add_atom("O", Vec3(1, 2, 3));
  expect_agreement(host(), model, frame);
  frame.cell = Cell::cubic(2.0);  // the atom is its own neighbour, 32 times
  expect_agreement(host(), model, frame);
  Mat3 flat;  // wide one way, five images deep the other, and skewed
  flat << 30, 0, 0, 11, 2.1, 0, -9, 0.7, 2.3;
  frame.cell = Cell(flat);
  frame.add_atom("Li", Vec3(9, 1.1, 1.0));
  expect_agreement(host(), model, frame);
  DevicePotential potential(host(), std::make_shared<const dp::Model>(model));
  EXPECT_EQ(potential.evaluate(Frame{}, everything).energy, 0);
}

TEST(HostDevice, ObeysWhatEveryPotentialObeys) {
  ModelRecipe recipe;
  recipe.rcut = 3.5;
  DevicePotential potential(host(), std::make_shared<const dp::Model>(random_model(recipe)),
                            {.precision = Precision::double_precision});
  testing::check_potential(potential, random_frame(12, 3));
}

TEST(HostDevice, ClosePairsHaveATableOfTheirOwnAndAnEnd) {
  const dp::Model model = random_model();
  Frame frame;
  frame.add_atom("Li", Vec3(0, 0, 0));
  frame.add_atom("O", Vec3(0.3, 0.1, 0));
  frame.add_atom("Cl", Vec3(-0.2, 0.4, 0.1));
  frame.add_atom("Li", Vec3(2, 0, 0));
  // Forces of close pairs are large: relative in both precisions.
  expect_agreement(host(), model, frame, Precision::double_precision, 1e-9, 0);
  expect_agreement(host(), model, frame, Precision::single_precision, 3e-6, 0);
  DevicePotential potential(host(), std::make_shared<const dp::Model>(model));
  frame.positions[1] = frame.positions[0];
  try {
    (void)potential.evaluate(frame);
    FAIL() << "two atoms at one place";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("atoms 1 and 2 "), std::string::npos) << error.what();
  }
  frame.positions[1] = Vec3(0.6, 0.1, 0);  // the next frame does not remember it
  EXPECT_TRUE(std::isfinite(potential.evaluate(frame).energy));
  frame.positions[1][0] = std::nan("");
  EXPECT_THROW((void)potential.evaluate(frame), WorkError);
}

TEST(HostDevice, RepeatsToTheLastBitWithAnyNumberOfThreads) {
  const auto model = std::make_shared<const dp::Model>(random_model());
  const Frame frame = random_frame(500, 3);
  for (const Precision precision : {Precision::single_precision, Precision::double_precision}) {
    DevicePotential one(host(), model, {.precision = precision});
    const Evaluation a = one.evaluate(frame, everything);
    DevicePotential three(host({.threads = 3}), model, {.precision = precision});
    const Evaluation b = three.evaluate(frame, everything);
    EXPECT_EQ(a.energy, b.energy);
    EXPECT_EQ(a.forces, b.forces);
    EXPECT_EQ(a.virial, b.virial);
    EXPECT_EQ(a.atomic_energies, b.atomic_energies);
    EXPECT_EQ(a.atomic_virials, b.atomic_virials);
  }
}

TEST(HostDevice, RefusesWhatHasNoTable) {
  ModelRecipe recipe;
  recipe.activation = nn::Activation::relu;
  EXPECT_THROW(DevicePotential(host(), std::make_shared<const dp::Model>(random_model(recipe))), InputError);
}

}  // namespace
}  // namespace solion::gpu
