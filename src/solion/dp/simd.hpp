// Vectors of 64 bytes as the compiler's own vector type: one register with AVX-512, two with AVX2, four with
// NEON.
#pragma once

#include <cstring>

namespace solion::dp {

template <typename T>
struct Simd {
  static constexpr int lanes = 64 / static_cast<int>(sizeof(T));
  typedef T Vector __attribute__((vector_size(64)));
  typedef T Half __attribute__((vector_size(32)));
  typedef T Quarter __attribute__((vector_size(16)));

  static Vector zero() { return Vector{}; }
  static Vector load(const T* p) {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(T* p, const Vector& v) { std::memcpy(p, &v, sizeof v); }
  static T sum(const Vector& v) {
    Half low, high;
    std::memcpy(&low, &v, sizeof low);
    std::memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof low, sizeof high);
    low += high;
    Quarter a, b;
    std::memcpy(&a, &low, sizeof a);
    std::memcpy(&b, reinterpret_cast<const char*>(&low) + sizeof a, sizeof b);
    a += b;
    if constexpr (sizeof(T) == 8) {
      return a[0] + a[1];
    } else {
      return (a[0] + a[2]) + (a[1] + a[3]);
    }
  }
  /// n rounded up to whole vectors.
  static constexpr int padded(int n) { return (n + lanes - 1) / lanes * lanes; }
};

}  // namespace solion::dp
