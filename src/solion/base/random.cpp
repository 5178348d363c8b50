// Philox streams and the few distributions that must be the same on every platform.
#include "solion/base/random.hpp"

#include <cmath>

#include "solion/base/constants.hpp"

namespace solion {
namespace {

/// FNV-1a, 64 bit: a purpose becomes part of the key.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 1469598103934665603ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return h;
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index)
    : index_(index) {
  const std::uint64_t key = seed * 0x9E3779B97F4A7C15ULL ^ hash_of(purpose);
  key_[0] = static_cast<std::uint32_t>(key);
  key_[1] = static_cast<std::uint32_t>(key >> 32U);
}

RandomStream::result_type RandomStream::operator()() {
  const std::uint64_t block = drawn_ / 4;
  const r123::Philox4x32::ctr_type counter{
      {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32U),
       static_cast<std::uint32_t>(index_), static_cast<std::uint32_t>(index_ >> 32U)}};
  return r123::Philox4x32()(counter, key_)[drawn_++ % 4];
}

double RandomStream::uniform() {
  const std::uint64_t high = (*this)() >> 5U;
  const std::uint64_t low = (*this)() >> 6U;
  return (static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) / 9007199254740992.0;
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * constants::pi * uniform());
}

double RandomStream::gamma(double shape) {
  if (shape < 1.0) return gamma(shape + 1.0) * std::pow(1.0 - uniform(), 1.0 / shape);
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = 1.0 + c * x;
    if (v <= 0.0) continue;
    const double v3 = v * v * v;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v3 + d * std::log(v3)) return d * v3;
  }
}

std::size_t RandomStream::below(std::size_t n) {
  // Reject the tail so that every residue is equally likely.
  const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % n;
  for (;;) {
    const std::uint64_t high = (*this)();
    const std::uint64_t word = high << 32U | (*this)();
    if (word < limit) return static_cast<std::size_t>(word % n);
  }
}

}  // namespace solion
