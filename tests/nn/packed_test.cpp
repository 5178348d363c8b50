// Packed products, the fast tanh and the packed network against plain loops, the C library and the tape.
#include "solion/nn/packed.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solion/base/random.hpp"
#include "solion/nn/packed_network.hpp"
#include "solion/nn/tape.hpp"
#include "support/instruction_sets.hpp"

namespace solion::nn {
namespace {

template <typename T>
Matrix<T> random_matrix(Eigen::Index rows, Eigen::Index columns, RandomStream& random) {
  Matrix<T> m(rows, columns);
  for (Eigen::Index k = 0; k < m.size(); ++k) m.data()[k] = static_cast<T>(random.normal());
  return m;
}

template <typename T>
class Packed : public ::testing::Test {};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Packed, Precisions);

TYPED_TEST(Packed, ProductOfAnyShape) {
  using T = TypeParam;
  testing::with_every_instruction_set([&] {
    using P = PackedMatrix<T>;
    RandomStream random(1, "packed");
    for (const auto& [m, k, n] : std::vector<std::array<std::ptrdiff_t, 3>>{{1, 1, 1},
                                                                            {3, 5, 7},
                                                                            {8, 16, 16},
                                                                            {9, 400, 17},
                                                                            {40, 385, 240},
                                                                            {5, 64, 49},
                                                                            {2, 1000, 33},
                                                                            {17, 3, 100}}) {
      const Matrix<T> x = random_matrix<T>(P::padded_rows(m), k, random);
      const Matrix<T> w = random_matrix<T>(k, n, random);
      const Matrix<T> wt = w.transpose();
      AlignedVector<T> bias(static_cast<std::size_t>(P::padded_columns(n)));
      for (T& b : bias) b = static_cast<T>(random.normal());
      for (const bool with_bias : {true, false}) {
        for (const bool transposed : {true, false}) {
          const P packed(transposed ? wt.data() : w.data(), k, n, transposed ? k : n, transposed);
          EXPECT_EQ(packed.n_in(), k);
          EXPECT_EQ(packed.n_out(), n);
          Matrix<T> y(P::padded_rows(m), P::padded_columns(n));
          packed.multiply(m, x.data(), k, with_bias ? bias.data() : nullptr, y.data(), y.cols());
          for (std::ptrdiff_t r = 0; r < m; ++r) {
            for (std::ptrdiff_t c = 0; c < n; ++c) {
              double exact = with_bias ? static_cast<double>(bias[static_cast<std::size_t>(c)]) : 0.0,
                     size = std::abs(exact);
              for (std::ptrdiff_t p = 0; p < k; ++p) {
                exact += static_cast<double>(x(r, p)) * static_cast<double>(w(p, c));
                size += std::abs(static_cast<double>(x(r, p)) * static_cast<double>(w(p, c)));
              }
              // Every addition rounds what has come together by then.
              const double tolerance =
                  size * std::numeric_limits<T>::epsilon() * std::sqrt(static_cast<double>(k + 4));
              ASSERT_LE(std::abs(static_cast<double>(y(r, c)) - exact), tolerance)
                  << m << " " << k << " " << n;
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(Packed, TanhIsAccurate) {
  using T = TypeParam;
  testing::with_every_instruction_set([&] {
    constexpr double bound = sizeof(T) == sizeof(double) ? 4e-16 : 3e-7;
    std::vector<T> x;
    for (int k = -250000; k <= 250000; ++k) x.push_back(static_cast<T>(1e-4 * k));
    for (const double small : {1e-30, 1e-12, 1e-6, 3e-5}) x.push_back(static_cast<T>(small));
    x.push_back(std::numeric_limits<T>::infinity());
    x.push_back(-std::numeric_limits<T>::infinity());
    std::vector<T> t = x;
    tanh_in_place(t.data(), static_cast<std::ptrdiff_t>(t.size()));
    double worst = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      worst = std::max(worst, std::abs(static_cast<double>(t[k]) - std::tanh(static_cast<double>(x[k]))));
      ASSERT_LE(std::abs(t[k]), T(1));
    }
    EXPECT_LE(worst, bound);
    T nan = std::numeric_limits<T>::quiet_NaN();
    tanh_in_place(&nan, 1);
    EXPECT_TRUE(std::isnan(nan));
  });
}

Network network_of(Activation activation, bool idt, const std::vector<int>& widths, RandomStream& random) {
  Network network;
  int n_in = 13;
  for (const int n : widths) {
    Layer layer;
    layer.w = random_matrix<double>(n_in, n, random) / std::sqrt(n_in);
    layer.b = random_matrix<double>(1, n, random);
    layer.activation = activation;
    layer.resnet = n != 1;
    if (idt && layer.skip() != 0) layer.idt = random_matrix<double>(1, n, random);
    network.layers.push_back(layer);
    n_in = n;
  }
  network.layers.back().activation = Activation::linear;
  return network;
}

TYPED_TEST(Packed, NetworkIsTheTapes) {
  using T = TypeParam;
  testing::with_every_instruction_set([&] {
    RandomStream random(2, "packed network");
    for (const Activation activation :
         {Activation::tanh, Activation::linear, Activation::relu, Activation::softplus, Activation::sigmoid,
          Activation::gelu, Activation::silu}) {
      for (const bool idt : {false, true}) {
        for (const int m : {1, 8, 21}) {
          const Network network = network_of(activation, idt, {13, 26, 30, 30, 1}, random);
          const PackedNetwork<T> packed(network);
          const std::ptrdiff_t rows = PackedMatrix<T>::padded_rows(m), stride = packed.row_stride();
          Matrix<T> x = Matrix<T>::Zero(rows, stride);
          x.topLeftCorner(m, 13) = random_matrix<T>(m, 13, random);
          const NetworkLayout layout = layout_of(network, 0);
          std::vector<double> flat(layout.end);
          pack(network, layout, flat.data());
          Tape<double> tape(layout);
          tape.resize(m);
          for (int r = 0; r < m; ++r) {
            for (int c = 0; c < 13; ++c) tape.input()[r * 13 + c] = static_cast<double>(x(r, c));
          }
          tape.forward(flat.data(), 0, m);
          std::fill_n(tape.output_adjoint(), m, 1.0);
          tape.backward(flat.data(), 0, m, true);
          typename PackedNetwork<T>::Workspace work;
          const T* y = packed.forward(m, x.data(), work);
          // Some dozens of roundings of numbers of the order of the results.
          const double tolerance = 200 * std::numeric_limits<T>::epsilon();
          for (int r = 0; r < m; ++r) {
            const double exact = tape.output()[r];
            ASSERT_LE(std::abs(static_cast<double>(y[r * PackedMatrix<T>::lanes]) - exact),
                      tolerance * (1 + std::abs(exact)));
          }
          packed.backward(m, x.data(), work);
          for (int r = 0; r < m; ++r) {
            for (int c = 0; c < 13; ++c) {
              const double exact = tape.input_adjoint()[r * 13 + c];
              ASSERT_LE(std::abs(static_cast<double>(x(r, c)) - exact), tolerance * (1 + std::abs(exact)));
            }
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace solion::nn
