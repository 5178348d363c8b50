// Thin products of any shape, strides and both orders of A against plain loops.
#include "solion/nn/thin_products.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "solion/base/random.hpp"
#include "support/instruction_sets.hpp"

namespace solion::nn {
namespace {

using std::ptrdiff_t;

template <typename T>
std::vector<T> numbers(ptrdiff_t n, RandomStream& random) {
  std::vector<T> v(static_cast<std::size_t>(n));
  for (T& x : v) x = static_cast<T>(random.normal());
  return v;
}

/// m, n, k with full and part vectors, tiles of fewer rows, and more than one stretch of k.
const std::vector<std::array<ptrdiff_t, 3>> shapes = {
    {1, 1, 1},     {3, 7, 5},    {8, 16, 16},   {9, 17, 400}, {40, 240, 385}, {5, 49, 64},
    {2, 33, 1000}, {17, 100, 3}, {24, 1600, 9}, {8, 9, 240},  {13, 2, 769},   {31, 25, 50},
    {120, 50, 25}, {1, 48, 384}, {7, 3, 0},     {0, 5, 4},    {23, 31, 130}};

template <typename T>
class ThinProduct : public ::testing::Test {
 protected:
  /// Expects c (rows ldc apart) to be Σ_p a(i,p)·b(p,j) + start(i,j), and nothing behind its n columns
  /// changed.
  template <typename A, typename B>
  static void expect(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const A& a, const B& b,
                     const std::vector<T>& start, bool add, const std::vector<T>& c, ptrdiff_t ldc) {
    for (ptrdiff_t i = 0; i < m; ++i) {
      for (ptrdiff_t j = 0; j < ldc; ++j) {
        const auto at = static_cast<std::size_t>(i * ldc + j);
        if (j >= n) {
          ASSERT_EQ(c[at], start[at]) << "behind row " << i << " of " << m << " × " << n << " × " << k;
          continue;
        }
        double exact = add ? static_cast<double>(start[at]) : 0.0, size = std::abs(exact);
        for (ptrdiff_t p = 0; p < k; ++p) {
          exact += static_cast<double>(a(i, p)) * static_cast<double>(b(p, j));
          size += std::abs(static_cast<double>(a(i, p)) * static_cast<double>(b(p, j)));
        }
        const double tolerance = static_cast<double>(std::numeric_limits<T>::epsilon()) * size *
                                 std::sqrt(static_cast<double>(k + 1));
        ASSERT_TRUE(std::abs(static_cast<double>(c[at]) - exact) <= tolerance)
            << i << ' ' << j << " of " << m << " × " << n << " × " << k << ": " << c[at] << " for " << exact;
      }
    }
  }
};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ThinProduct, Precisions);

TYPED_TEST(ThinProduct, IsTheSumInBothOrdersOfA) {
  using T = TypeParam;
  testing::with_every_instruction_set([&] {
    RandomStream random(1, "thin");
    for (const auto& [m, n, k] : shapes) {
      const ptrdiff_t lda = k + 3, lda_turned = m + 2, ldb = n + 1, ldc = n + 5;
      const std::vector<T> a = numbers<T>(m * lda, random), turned = numbers<T>(k * lda_turned, random);
      const std::vector<T> b = numbers<T>(k * ldb, random), start = numbers<T>(m * ldc, random);
      const auto of_b = [&](ptrdiff_t p, ptrdiff_t j) { return b[static_cast<std::size_t>(p * ldb + j)]; };
      for (const bool add : {false, true}) {
        std::vector<T> c = start;
        thin_product(m, n, k, a.data(), lda, 1, b.data(), ldb, add, c.data(), ldc);
        this->expect(
            m, n, k, [&](ptrdiff_t i, ptrdiff_t p) { return a[static_cast<std::size_t>(i * lda + p)]; }, of_b,
            start, add, c, ldc);
        c = start;
        thin_product(m, n, k, turned.data(), 1, lda_turned, b.data(), ldb, add, c.data(), ldc);
        this->expect(
            m, n, k,
            [&](ptrdiff_t i, ptrdiff_t p) { return turned[static_cast<std::size_t>(p * lda_turned + i)]; },
            of_b, start, add, c, ldc);
      }
    }
  });
}

TYPED_TEST(ThinProduct, IsTheSumWithBTurned) {
  using T = TypeParam;
  testing::with_every_instruction_set([&] {
    RandomStream random(2, "thin");
    for (const auto& [m, n, k] : shapes) {
      const ptrdiff_t lda = k + 3, ldb = k + 2, ldc = n + 5;
      const std::vector<T> a = numbers<T>(m * lda, random), b = numbers<T>(n * ldb, random);
      const std::vector<T> start = numbers<T>(m * ldc, random);
      std::vector<T> c = start;
      thin_product_bt(m, n, k, a.data(), lda, b.data(), ldb, c.data(), ldc);
      this->expect(
          m, n, k, [&](ptrdiff_t i, ptrdiff_t p) { return a[static_cast<std::size_t>(i * lda + p)]; },
          [&](ptrdiff_t p, ptrdiff_t j) { return b[static_cast<std::size_t>(j * ldb + p)]; }, start, false, c,
          ldc);
    }
  });
}

TYPED_TEST(ThinProduct, ARowDoesNotDependOnTheOthers) {
  using T = TypeParam;
  testing::with_every_instruction_set([&] {
    RandomStream random(3, "thin");
    constexpr ptrdiff_t m = 21, n = 77, k = 500;
    const std::vector<T> a = numbers<T>(m * k, random), b = numbers<T>(k * n, random);
    std::vector<T> all(m * n), one(n);
    thin_product(m, n, k, a.data(), k, 1, b.data(), n, false, all.data(), n);
    for (ptrdiff_t i = 0; i < m; ++i) {
      thin_product(1, n, k, a.data() + i * k, k, 1, b.data(), n, false, one.data(), n);
      for (ptrdiff_t j = 0; j < n; ++j)
        EXPECT_EQ(one[static_cast<std::size_t>(j)], all[static_cast<std::size_t>(i * n + j)]);
    }
  });
}

}  // namespace
}  // namespace solion::nn
