// exp(x²)·erfc(x) against the standard library.
#if defined(__GNUC__) && !defined(__clang__)
// A false alarm of GCC 12 about its own AVX-512 headers, under Eigen's arrays.
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "solion/potential/scaled_erfc.hpp"

#include <gtest/gtest.h>

namespace solion {
namespace {

TEST(ScaledErfc, AgreesWithTheStandardLibrary) {
  const ScaledErfc scaled_erfc;
  using Pack = Eigen::Array<double, 8, 1>;
  for (int i = 0; i <= 8000; i += 8) {
    const Pack x = Pack::LinSpaced(8, i, i + 7) * 1e-3;
    const Pack got = scaled_erfc(x.min(ScaledErfc::x_max).eval());
    for (int k = 0; k < 8; ++k) {
      const auto xk = std::min(static_cast<long double>(x[k]), static_cast<long double>(ScaledErfc::x_max));
      const auto expected = static_cast<double>(std::exp(xk * xk) * std::erfc(xk));
      EXPECT_NEAR(got[k], expected, 5e-15 * expected) << "x = " << x[k];
    }
  }
}

}  // namespace
}  // namespace solion
