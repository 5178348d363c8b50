// The passes of a training on a device against those on the processor: predictions, loss and gradient.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gpu/cases.hpp"
#include "solion/gpu/device_tape.hpp"
#include "solion/nn/tape.hpp"
#include "solion/train/engine.hpp"
#include "train/small_models.hpp"

namespace solion::gpu {
namespace {

using train::testing::ModelKind;

class Training : public OnDevice {};
INSTANTIATE_TEST_SUITE_P(Host, Training, ::testing::Values(host_kind), kind_name);
INSTANTIATE_TEST_SUITE_P(Cuda, Training, ::testing::Values(cuda_kind), kind_name);

const std::vector<ModelKind>& kinds() {
  static const std::vector<ModelKind> all{
      {.name = "one side"},
      {.name = "two sides", .type_one_side = false},
      {.name = "no means, no time steps", .resnet_dt = false, .zero_mean = true},
      {.name = "excluded", .type_one_side = false, .exclude = true},
      {.name = "excluded, one side", .exclude = true},
      {.name = "axis 16", .axis = 16},
      {.name = "gelu", .activation = nn::Activation::gelu},
      {.name = "relu", .activation = nn::Activation::relu}};
  return all;
}

template <typename T>
struct Batch {
  std::vector<train::Prepared<T>> prepared;
  std::vector<const train::Prepared<T>*> pointers;
  Batch(const std::vector<Frame>& frames, const dp::Model& model) {
    for (const Frame& frame : frames)
      prepared.push_back(train::prepare<T>(frame, model.type_map, model.descriptor.rcut, "test"));
    for (const auto& p : prepared) pointers.push_back(&p);
  }
};

/// |a − b| over |b|, as one number; NaN if either has one.
template <typename A, typename B>
double distance(const A& a, const B& b) {
  double square = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    square += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(square / size);
}

template <typename T>
void expect_equal_engines(Device& device, const ModelKind& kind, double tolerance) {
  const dp::Model model = train::testing::random_model(kind, 11);
  train::Engine<T> plain(model), moved(model);
  moved.compute_on(device);
  const std::vector<Frame> all = train::testing::mixed_frames();
  // Batches of several sizes one after another: buffers grow, and are larger than what stands in them.
  for (const std::vector<Frame>& frames :
       {std::vector<Frame>{all[0]}, all, std::vector<Frame>{all[1], all[0]}}) {
    const Batch<T> batch(frames, model);
    for (const train::LossWeights& weights :
         {train::LossWeights{1, 0, 0}, train::LossWeights{0, 1, 0}, train::LossWeights{0, 0, 1},
          train::LossWeights{0.7, 1.3, 0.4}}) {
      const double expected = plain.loss_and_gradient(batch.pointers, weights, 1).loss;
      const double found = moved.loss_and_gradient(batch.pointers, weights, 1).loss;
      EXPECT_NEAR(found, expected, tolerance * expected);
      EXPECT_LT(distance(moved.gradient(), plain.gradient()), tolerance);
    }
    for (std::size_t f = 0; f < frames.size(); ++f) {
      EXPECT_NEAR(moved.predictions()[f].energy, plain.predictions()[f].energy, tolerance * 10);
      EXPECT_LT(distance(moved.predictions()[f].forces, plain.predictions()[f].forces), tolerance);
      EXPECT_LT(distance(moved.predictions()[f].virial, plain.predictions()[f].virial), tolerance);
    }
  }
}

TEST_P(Training, GivesTheNumbersOfTheProcessor) {
  const auto device = make();
  for (const ModelKind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    // The two paths add up in another order: the bounds are 5e4 and 200 roundings of one number.
    expect_equal_engines<double>(*device, kind, 1e-11);
    expect_equal_engines<float>(*device, kind, 2e-5);
  }
}

TEST_P(Training, HandsOutEachPartOfTheGradientOnce) {
  const auto device = make();
  const dp::Model model = train::testing::random_model({}, 5);
  const Batch<double> batch(train::testing::mixed_frames(), model);
  train::Engine<double> engine(model);
  engine.compute_on(*device);
  engine.loss_and_gradient(batch.pointers, {1, 1, 1}, 1);
  const std::vector<double> whole(engine.gradient().begin(), engine.gradient().end());
  engine.evaluate_loss(batch.pointers, {1, 1, 1}, 2, {});
  std::vector<double> parts(whole.size(), std::nan(""));
  engine.hand_out_gradient(2, [&](std::size_t begin, std::size_t end, double* part) {
    std::copy(part, part + (end - begin), parts.begin() + static_cast<std::ptrdiff_t>(begin));
    std::fill(part, part + (end - begin), 7.0);  // it is scratch afterwards
  });
  EXPECT_EQ(parts, whole);  // to the last bit, also the second time
}

TEST_P(Training, DifferentiatesSumsOfEnergiesAndForces) {
  const auto device = make();
  const dp::Model model = train::testing::random_model({.type_one_side = false}, 5);
  const Batch<double> batch(train::testing::mixed_frames(), model);
  train::Engine<double> plain(model), moved(model);
  moved.compute_on(*device);
  const std::vector<double> energy{0.7, -0.4, 0.2};
  std::vector<double> force;
  for (const auto* frame : batch.pointers)
    for (int k = 0; k < 3 * frame->n_atoms; ++k) force.push_back(k % 5 == 0 ? 1.0 : -0.3);
  for (auto* engine : {&plain, &moved}) {
    engine->evaluate(batch.pointers, 1);
    engine->make_gradient_of(energy, force, 1);
  }
  EXPECT_LT(distance(moved.gradient(), plain.gradient()), 1e-11);
}

/// An atom without neighbours, and a type that the batch has not got.
TEST_P(Training, LonelyAtomsAndAbsentTypes) {
  const auto device = make();
  for (const bool zero_mean : {false, true}) {
    const dp::Model model = train::testing::random_model({.zero_mean = zero_mean}, 5);
    Frame frame;
    frame.type_map = TypeMap({"O"});
    frame.add_atom("O", Vec3(0, 0, 0));
    frame.labels.energy_eV = -3;
    frame.labels.forces_eV_per_A = {Vec3(0, 0, 0)};
    const Batch<double> batch({frame}, model);
    train::Engine<double> plain(model), moved(model);
    moved.compute_on(*device);
    const double expected = plain.loss_and_gradient(batch.pointers, {1, 1, 0}, 1).loss;
    EXPECT_NEAR(moved.loss_and_gradient(batch.pointers, {1, 1, 0}, 1).loss, expected, 1e-11);
    EXPECT_LT(distance(moved.gradient(), plain.gradient()), 1e-11);
  }
}

}  // namespace
}  // namespace solion::gpu
