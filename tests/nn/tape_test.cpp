// The passes over a network against finite differences, for every activation and kind of skip connection.
#include "solion/nn/tape.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "solion/base/random.hpp"
#include "solion/nn/activation.hpp"
#include "solion/nn/adam.hpp"

namespace solion::nn {
namespace {

constexpr std::array all_activations{Activation::linear, Activation::tanh,     Activation::relu,
                                     Activation::relu6,  Activation::softplus, Activation::sigmoid,
                                     Activation::gelu,   Activation::silu};

TEST(Activation, DerivativesAreThoseOfTheValue) {
  for (const Activation activation : all_activations) {
    // The points keep away from the kinks of relu (0) and relu6 (0 and 6).
    for (const double x : {-4.0, -1.3, -0.2, 0.1, 0.9, 2.5, 5.5, 7.0}) {
      const auto at = [&](double h) {
        std::array<double, 3> out{};
        double state = h;
        activate(activation, &state, 1);
        value(activation, &state, 1, out.data());
        slope_and_curvature(activation, &state, 1, &out[1], &out[2]);
        return out;
      };
      constexpr double step = 1e-5;
      const auto here = at(x);
      const auto up = at(x + step);
      const auto down = at(x - step);
      // Central differences: error O(step²) ≈ 1e-10 plus rounding 1e-16/1e-5.
      EXPECT_NEAR(here[1], (up[0] - down[0]) / (2 * step), 1e-9) << activation_name(activation) << " " << x;
      EXPECT_NEAR(here[2], (up[1] - down[1]) / (2 * step), 1e-9) << activation_name(activation) << " " << x;
    }
  }
}

TEST(Activation, TanhIsThatOfTheCLibrary) {
  for (int k = 0; k <= 162; ++k) {
    const double x = -30 + 0.37 * k;
    double t = x;
    activate(Activation::tanh, &t, 1);
    EXPECT_NEAR(t, std::tanh(x), 4e-16);
    auto f = static_cast<float>(x);
    activate(Activation::tanh, &f, 1);
    EXPECT_NEAR(f, std::tanh(x), 3e-7);
  }
  double huge = 1000;
  activate(Activation::tanh, &huge, 1);
  EXPECT_EQ(huge, 1.0);
}

struct Shape {
  const char* name;
  std::vector<int> widths;
  bool resnet;
  bool idt;
  bool bias;
};

Network random_network(const Shape& shape, Activation activation, RandomStream& random) {
  Network network;
  for (std::size_t l = 1; l < shape.widths.size(); ++l) {
    Layer layer;
    layer.activation = activation;
    layer.resnet = shape.resnet;
    const int n_in = shape.widths[l - 1];
    const int n_out = shape.widths[l];
    const auto draw = [&] { return random.normal() * 0.7; };
    layer.w = Matrix<double>::NullaryExpr(n_in, n_out, draw);
    if (shape.bias) layer.b = Row<double>::NullaryExpr(n_out, draw);
    if (shape.idt) layer.idt = Row<double>::NullaryExpr(n_out, draw);
    network.layers.push_back(layer);
  }
  return network;
}

/// J = Σ ȳ·y(x) + Σ g·ẏ, with everything but the parameters and x fixed.
class TapeTest : public ::testing::TestWithParam<Shape> {
 protected:
  static constexpr std::ptrdiff_t n = 5;

  void prepare(Activation activation) {
    RandomStream random(3, "tape");
    const Network network = random_network(GetParam(), activation, random);
    layout = layout_of(network, 7);
    flat.assign(layout.end, 0.0);
    pack(network, layout, flat.data());
    const auto fill = [&](std::ptrdiff_t count) {
      std::vector<double> v(static_cast<std::size_t>(count));
      for (double& value : v) value = random.normal();
      return v;
    };
    x = fill(n * layout.n_in());
    dx = fill(n * layout.n_in());
    y_bar = fill(n * layout.n_out());
    g = fill(n * layout.n_out());
  }

  double functional(const std::vector<double>& parameters, const std::vector<double>& input,
                    const std::vector<double>& input_tangent) const {
    Tape<double> tape(layout);
    tape.resize(n);
    std::copy(input.begin(), input.end(), tape.input());
    std::copy(input_tangent.begin(), input_tangent.end(), tape.input_tangent());
    tape.forward(parameters.data(), 0, n);
    tape.tangent(parameters.data(), 0, n);
    double sum = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      sum += y_bar[i] * tape.output()[i] + g[i] * tape.output_tangent()[i];
    }
    return sum;
  }

  NetworkLayout layout;
  std::vector<double> flat, x, dx, y_bar, g;
};

/// Central difference of f at v[i]; the step keeps truncation (step²) and rounding (1e-16/step) near 1e-10.
double difference(const std::function<double(const std::vector<double>&)>& f, std::vector<double> v,
                  std::size_t i) {
  constexpr double step = 2e-6;
  const double centre = v[i];
  v[i] = centre + step;
  const double up = f(v);
  v[i] = centre - step;
  return (up - f(v)) / (2 * step);
}

TEST_P(TapeTest, AgreesWithFiniteDifferences) {
  for (const Activation activation : all_activations) {
    SCOPED_TRACE(activation_name(activation));
    prepare(activation);
    Tape<double> tape(layout);
    std::vector<double> memory(rows_size<double>(layout, n));
    tape.resize(n, memory.data());
    std::copy(x.begin(), x.end(), tape.input());
    std::copy(dx.begin(), dx.end(), tape.input_tangent());
    std::copy(g.begin(), g.end(), tape.output_adjoint());
    std::copy(y_bar.begin(), y_bar.end(), tape.output_cotangent());
    const std::vector<double> sevens(count_numbers({layout}), 7.0);  // all of which have to be replaced
    AlignedVector<double> grad = with_gaps<double>(sevens, {layout}, flat.size());
    // Two ranges of rows, and weight rows in two slices, must give what one would.
    for (const auto& [begin, end] : {std::pair{0L, 2L}, std::pair{2L, 5L}}) {
      tape.forward(flat.data(), begin, end);
      tape.backward(flat.data(), begin, end, true);
      tape.tangent(flat.data(), begin, end);
      tape.tangent_backward(flat.data(), begin, end, true);
    }
    for (std::size_t l = 0; l < layout.layers.size(); ++l) {
      const std::ptrdiff_t n_in = layout.layers[l].n_in;
      const std::ptrdiff_t half = (n_in + 1) / 2;
      // Out of the memory that another process would see, and out of the tape itself.
      const LayerLayout& layer = layout.layers[l];
      weight_gradient(layer, rows_in(std::as_const(memory).data(), layout, l, n), 0, half, false,
                      grad.data() + weight_row(layer, 0));
      if (half < n_in)
        weight_gradient(layer, tape.rows(l), half, n_in, false, grad.data() + weight_row(layer, half));
      tape.bias_gradient(l, grad.data());
    }
    constexpr double tolerance = 2e-8;  // of numbers of size 1 to 100
    for (std::size_t i = layout.begin; i < layout.end; ++i) {
      const double fd = difference([&](const auto& p) { return functional(p, x, dx); }, flat, i);
      EXPECT_NEAR(grad[i], fd, tolerance * (1 + std::abs(fd))) << "parameter " << i;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double by_x = difference([&](const auto& v) { return functional(flat, v, dx); }, x, i);
      EXPECT_NEAR(tape.input_cotangent()[i], by_x, tolerance * (1 + std::abs(by_x))) << "x " << i;
      const double by_dx = difference([&](const auto& v) { return functional(flat, x, v); }, dx, i);
      EXPECT_NEAR(tape.input_adjoint()[i], by_dx, tolerance * (1 + std::abs(by_dx))) << "dx " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, TapeTest,
                         ::testing::Values(Shape{"embedding", {1, 3, 6, 12}, true, false, true},
                                           Shape{"embedding_idt", {1, 2, 4}, true, true, true},
                                           Shape{"fitting", {6, 4, 4, 1}, true, true, true},
                                           Shape{"plain", {2, 5, 3}, false, false, true},
                                           Shape{"no_bias", {3, 3, 6}, true, false, false}),
                         [](const auto& shape) { return shape.param.name; });

TEST(Parameters, PackAndUnpackAreInverse) {
  RandomStream random(4, "pack");
  const Network network = random_network({"", {2, 4, 8}, true, true, true}, Activation::tanh, random);
  const NetworkLayout layout = layout_of(network, 3);
  EXPECT_EQ(count_numbers({layout}), network.n_parameters());
  std::vector<double> flat(layout.end);
  pack(network, layout, flat.data());
  Network copy = network;
  for (Layer& layer : copy.layers) layer.w.setZero();
  unpack(flat.data(), layout, copy);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    EXPECT_EQ(copy.layers[l].w, network.layers[l].w);
    EXPECT_EQ(copy.layers[l].idt, network.layers[l].idt);
  }
}

TEST(Parameters, MatricesBeginOnCacheLinesAndFilesHaveNoGaps) {
  RandomStream random(4, "gaps");
  std::vector<NetworkLayout> nets;
  for (const bool idt : {true, false}) {
    const Network network = random_network({"", {1, 3, 7}, true, idt, true}, Activation::tanh, random);
    nets.push_back(layout_of(network, nets.empty() ? 0 : nets.back().end));
    for (const LayerLayout& layer : nets.back().layers) EXPECT_EQ(layer.w % 16, 0U);
  }
  std::vector<float> numbers(count_numbers(nets));
  EXPECT_LT(numbers.size(), nets.back().end);
  std::iota(numbers.begin(), numbers.end(), 1.0F);
  const AlignedVector<float> flat = with_gaps<float>(numbers, nets, nets.back().end + 2);
  ASSERT_EQ(flat.size(), nets.back().end + 2);
  EXPECT_EQ(flat[nets[1].layers[1].w], 1.0F + 3 + 3 + 3 + 21 + 7 + 7 + 3 + 3);  // behind one net and a layer
  EXPECT_EQ(std::accumulate(flat.begin(), flat.end(), 0.0F),
            std::accumulate(numbers.begin(), numbers.end(), 0.0F));
  EXPECT_TRUE(std::ranges::equal(without_gaps<float>(flat, nets), numbers));
}

TEST(Adam, FollowsThePublishedAlgorithm) {
  // Two steps of algorithm 1 of arXiv 1412.6980 by hand for one number.
  Adam<double> adam(1);
  double p = 1.0;
  double m = 0;
  double v = 0;
  double expected = 1.0;
  for (int t = 1; t <= 2; ++t) {
    double g = t == 1 ? 0.5 : -0.25;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    expected -= 0.01 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    adam.update(0.01, &p, &g, {}, 1);
    EXPECT_NEAR(p, expected, 1e-15);
  }
}

TEST(Adam, MovesPartsAsItMovesTheWhole) {
  const auto numbers = [](std::size_t n, const char* name) {
    RandomStream random(9, name);
    std::vector<double> x(n);
    for (double& value : x) value = random.normal();
    return x;
  };
  constexpr std::size_t n = 5000;
  Adam<double> whole(n, {.weight_decay = 0.01}), parts(n, {.weight_decay = 0.01});
  std::vector<unsigned char> trained(n, 1);
  for (std::size_t i = 0; i < n; i += 3) trained[i] = 0;
  std::vector<double> p = numbers(n, "p"), q = p;
  for (int t = 0; t < 3; ++t) {
    std::vector<double> g = numbers(n, t == 0 ? "g" : "h"), h = g;
    whole.update(0.01, p.data(), g.data(), trained, 1);
    const auto step = parts.next(0.01);
    // In another order and with other cuts than those of the sweep.
    for (const auto& [begin, end] : {std::pair{3001UL, n}, std::pair{0UL, 777UL}, std::pair{777UL, 3001UL}})
      parts.move(step, begin, end, q.data(), h.data() + begin, trained);
  }
  EXPECT_NE(p, numbers(n, "p"));
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(p[i], q[i], 1e-15) << i;
}

TEST(Adam, LeavesFrozenParametersAlone) {
  Adam<float> adam(3);
  std::vector<float> p{1, 2, 3};
  std::vector<float> g{1, 1, 1};
  adam.update(0.1, p.data(), g.data(), {1, 0, 1}, 2);
  EXPECT_NE(p[0], 1.0F);
  EXPECT_EQ(p[1], 2.0F);
  EXPECT_NE(p[2], 3.0F);
}

}  // namespace
}  // namespace solion::nn
