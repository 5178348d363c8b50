// Counter-based random numbers: a stream is named by (seed, purpose, index), so that results do not depend on
// threads.
#pragma once

#include <Random123/philox.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace solion {

/// Philox4x32-10 (Salmon et al., SC'11). Two streams with another seed, purpose or index are independent; the
/// whole state is `counter()`, which a restart file keeps. Satisfies std::uniform_random_bit_generator.
class RandomStream {
 public:
  using result_type = std::uint32_t;

  RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xffffffffU; }
  result_type operator()();

  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Standard normal (Box–Muller, one value a call, two words each).
  double normal();
  /// Gamma distribution of the given shape (> 0) and scale 1 (Marsaglia and Tsang 2000).
  double gamma(double shape);
  /// Uniform integer in [0, n), without bias; n > 0.
  std::size_t below(std::size_t n);

  /// How many 32-bit words were drawn; set it to go on where a stream was left.
  [[nodiscard]] std::uint64_t counter() const { return drawn_; }
  void set_counter(std::uint64_t drawn) { drawn_ = drawn; }

 private:
  r123::Philox4x32::key_type key_{};
  std::uint64_t index_ = 0;
  std::uint64_t drawn_ = 0;
};

}  // namespace solion
