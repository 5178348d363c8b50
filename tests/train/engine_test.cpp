// The training engine: the same energies and forces as the reference path, and a loss gradient that agrees
// with finite differences of the loss for every parameter.
#include "solion/train/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "solion/dp/deep_potential.hpp"
#include "train/small_models.hpp"

namespace solion::train {
namespace {

using testing::ModelKind;

template <typename T>
struct Batch {
  std::vector<Prepared<T>> prepared;
  std::vector<const Prepared<T>*> pointers;
  Batch(const std::vector<Frame>& frames, const dp::Model& model) {
    for (const Frame& frame : frames) {
      prepared.push_back(prepare<T>(frame, model.type_map, model.descriptor.rcut, "test"));
    }
    for (const auto& p : prepared) pointers.push_back(&p);
  }
};

class EngineTest : public ::testing::TestWithParam<ModelKind> {
 protected:
  dp::Model model = testing::random_model(GetParam(), 11);
  std::vector<Frame> frames = testing::mixed_frames();
};

TEST_P(EngineTest, SaysWhatTheReferencePathSays) {
  Engine<double> engine(model);
  Engine<float> single(model);
  const Batch<double> batch(frames, model);
  const Batch<float> batch_single(frames, model);
  const auto& said = engine.evaluate(batch.pointers, 1);
  const auto& said_single = single.evaluate(batch_single.pointers, 1);
  dp::DeepPotential reference(std::make_shared<dp::Model>(model));
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const Evaluation expected = reference.evaluate(frames[f]);
    // Double: the same formula in another order of sums. Single: 1e-7 relative of sums of terms of order
    // 1–10.
    EXPECT_NEAR(said[f].energy, expected.energy, 1e-11);
    EXPECT_NEAR(said_single[f].energy, expected.energy, 1e-4);
    for (std::size_t k = 0; k < said[f].forces.size(); ++k) {
      const double force = expected.forces[k / 3][static_cast<Eigen::Index>(k % 3)];
      EXPECT_NEAR(said[f].forces[k], force, 1e-10) << "frame " << f << " component " << k;
      EXPECT_NEAR(said_single[f].forces[k], force, 1e-3);
    }
    for (std::size_t k = 0; k < 9; ++k) {
      EXPECT_NEAR(said[f].virial[k], expected.virial.data()[k], 1e-10) << "frame " << f << " component " << k;
    }
  }
}

TEST_P(EngineTest, LossGradientAgreesWithFiniteDifferences) {
  const Batch<double> batch(frames, model);
  // Each term alone and all together.
  for (const LossWeights& weights :
       {LossWeights{1, 0, 0}, LossWeights{0, 1, 0}, LossWeights{0, 0, 1}, LossWeights{0.7, 1.3, 0.4}}) {
    Engine<double> engine(model);
    const LossTerms terms = engine.loss_and_gradient(batch.pointers, weights, 1);
    const auto loss = [&] {
      engine.evaluate(batch.pointers, 1);
      return engine.loss(batch.pointers, weights).loss;
    };
    EXPECT_NEAR(terms.loss, loss(), 1e-12 * terms.loss);
    double largest = 0;
    for (const double g : engine.gradient()) largest = std::max(largest, std::abs(g));
    ASSERT_GT(largest, 1e-3);
    for (std::size_t i = 0; i < engine.parameters().size(); ++i) {
      double& p = engine.parameters()[i];
      const double centre = p;
      // Five points: truncation step⁴ ≈ 1e-15, rounding 1e-16·L/step.
      constexpr double step = 2e-4;
      const auto at = [&](double x) {
        p = centre + x;
        return loss();
      };
      const double fd = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      p = centre;
      EXPECT_NEAR(engine.gradient()[i], fd, 1e-8 * largest + 1e-7 * std::abs(fd)) << "parameter " << i;
    }
  }
}

TEST_P(EngineTest, GradientOfSumsAgreesWithFiniteDifferences) {
  const Batch<double> batch(frames, model);
  Engine<double> engine(model);
  std::vector<double> energy;
  std::vector<double> force;
  for (const auto* frame : batch.pointers) {
    energy.push_back(energy.empty() ? 0.7 : -0.4);
    for (int k = 0; k < 3 * frame->n_atoms; ++k) force.push_back(k % 5 == 0 ? 1.0 : -0.3);
  }
  const auto sum = [&] {
    double s = 0;
    std::size_t at = 0, frame = 0;
    for (const Prediction& said : engine.evaluate(batch.pointers, 1)) {
      s += energy[frame++] * said.energy;
      for (const double f : said.forces) s += force[at++] * f;
    }
    return s;
  };
  sum();
  engine.make_gradient_of(energy, force, 1);
  const std::vector<double> gradient(engine.gradient().begin(), engine.gradient().end());
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  ASSERT_GT(largest, 1e-3);
  for (std::size_t i = 0; i < gradient.size(); i += 7) {
    double& p = engine.parameters()[i];
    const double centre = p;
    constexpr double step = 2e-4;
    const auto at = [&](double x) {
      p = centre + x;
      return sum();
    };
    const double fd = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
    p = centre;
    EXPECT_NEAR(gradient[i], fd, 1e-8 * largest + 1e-7 * std::abs(fd)) << "parameter " << i;
  }
}

TEST_P(EngineTest, SinglePrecisionGradientIsThatOfDouble) {
  const LossWeights weights{0.7, 1.3, 0.4};
  Engine<double> engine(model);
  Engine<float> single(model);
  engine.loss_and_gradient(Batch<double>(frames, model).pointers, weights, 1);
  single.loss_and_gradient(Batch<float>(frames, model).pointers, weights, 1);
  double square = 0;
  double difference = 0;
  for (std::size_t i = 0; i < engine.gradient().size(); ++i) {
    square += engine.gradient()[i] * engine.gradient()[i];
    difference += std::pow(engine.gradient()[i] - static_cast<double>(single.gradient()[i]), 2);
  }
  EXPECT_LT(std::sqrt(difference / square), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Models, EngineTest,
    ::testing::Values(
        ModelKind{.name = "one_side"}, ModelKind{.name = "two_sides", .type_one_side = false},
        ModelKind{.name = "zero_mean_no_dt", .resnet_dt = false, .zero_mean = true},
        ModelKind{.name = "excluded", .type_one_side = false, .exclude = true},
        ModelKind{.name = "axis_8", .axis = 8}, ModelKind{.name = "axis_16", .axis = 16},
        ModelKind{.name = "gelu", .activation = nn::Activation::gelu},
        ModelKind{.name = "softplus", .type_one_side = false, .activation = nn::Activation::softplus}),
    [](const auto& kind) { return kind.param.name; });

TEST(Engine, AnyNumberOfThreadsGivesTheSameBits) {
  const dp::Model model = testing::random_model({}, 5);
  std::vector<Frame> frames(4);
  for (std::size_t k = 0; k < frames.size(); ++k)
    frames[k] = testing::random_frame(30, Mat3(Mat3::Identity() * 7.0), true, 20 + static_cast<int>(k));
  const Batch<float> batch(frames, model);
  Engine<float> one(model);
  Engine<float> three(model);
  const double l1 = one.loss_and_gradient(batch.pointers, {1, 1, 1}, 1).loss;
  const double l3 = three.loss_and_gradient(batch.pointers, {1, 1, 1}, 3).loss;
  EXPECT_EQ(l1, l3);
  EXPECT_TRUE(std::ranges::equal(one.gradient(), three.gradient()));
}

TEST(Engine, HandsOutTheGradientThatItMakes) {
  const dp::Model model = testing::random_model({}, 5);
  const Batch<float> batch(testing::mixed_frames(), model);
  Engine<float> engine(model);
  const double loss = engine.loss_and_gradient(batch.pointers, {1, 1, 1}, 1).loss;
  const std::vector<float> whole(engine.gradient().begin(), engine.gradient().end());
  for (const int threads : {1, 3}) {
    EXPECT_EQ(engine.evaluate_loss(batch.pointers, {1, 1, 1}, threads, {}).loss, loss);
    std::vector<float> parts(whole.size(), 0);
    std::vector<std::atomic<int>> times(whole.size());
    engine.hand_out_gradient(threads, [&](std::size_t begin, std::size_t end, float* part) {
      for (std::size_t i = begin; i < end; ++i) {
        ++times[i];
        parts[i] = std::exchange(part[i - begin], 7.0F);  // it is scratch afterwards
      }
    });
    EXPECT_TRUE(std::ranges::equal(parts, whole)) << threads << " threads";
    std::size_t once = 0;
    for (const auto& t : times) {
      ASSERT_LE(t.load(), 1);
      once += static_cast<std::size_t>(t.load());
    }
    EXPECT_EQ(once, nn::count_numbers(engine.layout()));
  }
}

TEST(Engine, ABatchIsTheMeanOfItsFrames) {
  const dp::Model model = testing::random_model({}, 5);
  const std::vector<Frame> frames = testing::mixed_frames();
  const Batch<double> batch(frames, model);
  Engine<double> together(model);
  Engine<double> apart(model);
  const double loss = together.loss_and_gradient(batch.pointers, {0.5, 1, 0.1}, 1).loss;
  double sum = 0;
  std::vector<double> gradient(apart.gradient().size());
  for (const auto* frame : batch.pointers) {
    sum += apart.loss_and_gradient(std::span(&frame, 1), {0.5, 1, 0.1}, 1).loss;
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += apart.gradient()[i];
  }
  EXPECT_NEAR(loss, sum / 3, 1e-12 * loss);
  for (std::size_t i = 0; i < together.gradient().size(); ++i) {
    EXPECT_NEAR(together.gradient()[i], gradient[i] / 3, 1e-10);
  }
}

TEST(Engine, StoreIsTheInverseOfTheConstructor) {
  const dp::Model model = testing::random_model({}, 5);
  Engine<double> engine(model);
  dp::Model other = testing::random_model({}, 6);
  engine.store(engine.parameters(), other);
  EXPECT_EQ(other.fitting[1].layers[1].w, model.fitting[1].layers[1].w);
  EXPECT_EQ(other.descriptor.embedding[1].layers[1].b, model.descriptor.embedding[1].layers[1].b);
}

}  // namespace
}  // namespace solion::train
