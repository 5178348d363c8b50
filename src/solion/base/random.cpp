// Philox streams and the few distributions that must be the same on every platform.
#include "solion/base/random.hpp"

#include <cmath>

#include "solion/base/random_block.hpp"

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
  const auto key = random_key(seed, purpose);
  key_[0] = key[0];
  key_[1] = key[1];
}

std::array<std::uint32_t, 2> random_key(std::uint64_t seed, std::string_view purpose) {
  const std::uint64_t key = seed * 0x9E3779B97F4A7C15ULL ^ hash_of(purpose);
  return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32U)};
}

RandomStream::result_type RandomStream::operator()() {
  const std::uint64_t at = drawn_++;
  return random_block(key_.v, index_, at / 4)[at % 4];
}

double RandomStream::uniform() {
  const std::uint32_t first = (*this)();
  const std::uint32_t second = (*this)();
  return uniform_from(first, second);
}

double RandomStream::normal() {
  const double u = uniform();
  return normal_from(u, uniform());
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
