// The kernels against the exact path: as loops on the host, and on a GPU where there is one.
#include <functional>

#include "gpu/cases.hpp"
#include "solion/base/errors.hpp"
#include "support/model_options.hpp"

namespace solion::gpu {
namespace {

using testing::ModelRecipe;
using testing::random_frame;
using testing::random_model;

using Potentials = OnDevice;
INSTANTIATE_TEST_SUITE_P(Host, Potentials, ::testing::Values(host_kind), kind_name);
INSTANTIATE_TEST_SUITE_P(Cuda, Potentials, ::testing::Values(cuda_kind), kind_name);

TEST_P(Potentials, AgreesForEveryOption) {
  testing::for_every_model_option(
      [&](const dp::Model& model, const Frame& frame) { expect_agreement(device(), model, frame); });
}

TEST_P(Potentials, AgreesForAStandardModel) {
  const dp::Model model = random_model(testing::standard_recipe());
  const Frame frame = random_frame(40, 3);
  expect_agreement(device(), model, frame);
  SCOPED_TRACE("products without tensor cores");
  expect_agreement(device(false), model, frame, Precision::single_precision, 0, 2e-5);
}

TEST_P(Potentials, SmallCellsSingleAtomsAndEmptyFrames) {
  const dp::Model model = random_model();
  expect_agreement(device(), model, random_frame(3, 3));
  Frame frame;
  frame.add_atom("O", Vec3(1, 2, 3));
  expect_agreement(device(), model, frame);
  frame.cell = Cell::cubic(2.0);  // the atom is its own neighbour, 32 times
  expect_agreement(device(), model, frame);
  Mat3 flat;  // wide one way, five images deep the other, and skewed
  flat << 30, 0, 0, 11, 2.1, 0, -9, 0.7, 2.3;
  frame.cell = Cell(flat);
  frame.add_atom("Li", Vec3(9, 1.1, 1.0));
  expect_agreement(device(), model, frame);
  DevicePotential potential(device(), std::make_shared<const dp::Model>(model));
  EXPECT_EQ(potential.evaluate(Frame{}, everything).energy, 0);
}

TEST_P(Potentials, ObeysWhatEveryPotentialObeys) {
  ModelRecipe recipe;
  recipe.rcut = 3.5;
  DevicePotential potential(device(), std::make_shared<const dp::Model>(random_model(recipe)),
                            {.precision = Precision::double_precision});
  testing::check_potential(potential, random_frame(12, 3));
}

TEST_P(Potentials, ClosePairsHaveATableOfTheirOwnAndAnEnd) {
  const dp::Model model = random_model();
  Frame frame;
  frame.add_atom("Li", Vec3(0, 0, 0));
  frame.add_atom("O", Vec3(0.3, 0.1, 0));
  frame.add_atom("Cl", Vec3(-0.2, 0.4, 0.1));
  frame.add_atom("Li", Vec3(2, 0, 0));
  // Forces of close pairs are large: relative in both precisions.
  expect_agreement(device(), model, frame, Precision::double_precision, 1e-9, 0);
  expect_agreement(device(), model, frame, Precision::single_precision, 3e-6, 0);
  DevicePotential potential(device(), std::make_shared<const dp::Model>(model));
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

TEST_P(Potentials, RepeatToTheLastBit) {
  const auto model = std::make_shared<const dp::Model>(random_model());
  const Frame frame = random_frame(500, 3);
  for (const Precision precision : {Precision::single_precision, Precision::double_precision}) {
    DevicePotential one(device(), model, {.precision = precision});
    DevicePotential two(device(), model, {.precision = precision});
    const Evaluation a = one.evaluate(frame, everything);
    for (int k = 0; k < 4; ++k) {  // recorded launches give what single ones gave
      const Evaluation b = two.evaluate(frame, everything);
      EXPECT_EQ(a.energy, b.energy);
      EXPECT_EQ(a.forces, b.forces);
      EXPECT_EQ(a.virial, b.virial);
      EXPECT_EQ(a.atomic_energies, b.atomic_energies);
      EXPECT_EQ(a.atomic_virials, b.atomic_virials);
    }
  }
}

TEST(HostDevice, AnyNumberOfThreadsAndAnyChunkGiveTheSameBits) {
  const auto model = std::make_shared<const dp::Model>(random_model());
  const Frame frame = random_frame(200, 3);
  const auto run = [&](int threads, int chunk) {
    const auto device = make_host_device({.threads = threads});
    const auto batch = make_batch(*device, model, Precision::single_precision, {.chunk = chunk});
    const BatchCell cell{frame.types, frame.positions, *frame.cell};
    batch->set_cells(std::span(&cell, 1));
    batch->evaluate();
    return batch->forces().values();
  };
  const std::vector<double> forces = run(1, 65536);
  EXPECT_EQ(run(3, 65536), forces);
  EXPECT_EQ(run(2, 17), forces);
}

/// A list keeps serving while atoms move within the skin, and not beyond; rows grow when atoms gather.
TEST_P(Potentials, MovingAtomsKeepTheirForces) {
  const auto model = std::make_shared<const dp::Model>(random_model());
  dp::DeepPotential oracle(model, {.path = dp::Path::reference});
  DevicePotential potential(device(), model, {.precision = Precision::double_precision});
  Frame frame = random_frame(60, 3, 1, 0.03);
  const Mat3 h = frame.cell->matrix();
  for (int k = 0; k < 12; ++k) {
    const Evaluation exact = oracle.evaluate(frame, everything);
    const Evaluation found = potential.evaluate(frame, everything);
    for (std::size_t i = 0; i < frame.n_atoms(); ++i)
      ASSERT_LE((found.forces[i] - exact.forces[i]).norm(), 1e-9 * (1 + largest(exact.forces)))
          << "step " << k;
    // Shrinks by 4 % a step and shakes: the density doubles and more.
    for (Vec3& r : frame.positions) r *= 0.96;
    frame.cell = Cell(Mat3(h * std::pow(0.96, k + 1)));
    frame = testing::shaken(frame, 0.02, static_cast<std::uint64_t>(k));
  }
}

TEST_P(Potentials, RefusesWhatHasNoTable) {
  ModelRecipe recipe;
  recipe.activation = nn::Activation::relu;
  EXPECT_THROW(DevicePotential(device(), std::make_shared<const dp::Model>(random_model(recipe))),
               InputError);
}

}  // namespace
}  // namespace solion::gpu
