// How a kernel's body speaks to whoever runs it: a CUDA block, or a plain loop on the host.
//
// A body is a small struct of numbers and pointers. A body for single items has `operator()(std::int64_t i)`.
// A body for blocks has `operator()(Block& block, std::int64_t i)`, which is a sequence of phases: what one
// phase writes, the next one sees. Both are compiled twice, by the host's compiler and by nvcc, from one
// text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "solion/base/both.hpp"

namespace solion::gpu {

/// *where += amount for integers, whoever does it at the same time; returns what stood there. Sums of
/// integers do not depend on the order, so that results stay the same to the last bit.
SOLION_BOTH inline int add(int* where, int amount) {
#ifdef __CUDA_ARCH__
  return atomicAdd(where, amount);
#else
  return __atomic_fetch_add(where, amount, __ATOMIC_RELAXED);
#endif
}

/// The same for large sums.
SOLION_BOTH inline void add(unsigned long long* where, unsigned long long amount) {
#ifdef __CUDA_ARCH__
  atomicAdd(where, amount);
#else
  __atomic_fetch_add(where, amount, __ATOMIC_RELAXED);
#endif
}

/// *where = max(*where, value).
SOLION_BOTH inline void raise(int* where, int value) {
#ifdef __CUDA_ARCH__
  atomicMax(where, value);
#else
  int seen = __atomic_load_n(where, __ATOMIC_RELAXED);
  while (seen < value &&
         !__atomic_compare_exchange_n(where, &seen, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
#endif
}

/// *where = min(*where, value).
SOLION_BOTH inline void lower(unsigned long long* where, unsigned long long value) {
#ifdef __CUDA_ARCH__
  atomicMin(where, value);
#else
  unsigned long long seen = __atomic_load_n(where, __ATOMIC_RELAXED);
  while (value < seen &&
         !__atomic_compare_exchange_n(where, &seen, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
#endif
}

/// A float in two parts for the tensor cores: `high` has the 11 bits of TF32, `low` is the exact rest.
/// a·b ≈ high·high + high·low + low·high is right to 2⁻²¹.
struct Halves {
  float high, low;
};
SOLION_BOTH inline Halves split(float x) {
  std::uint32_t bits = 0;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x1000U) & 0xffffe000U;
  float high = 0;
  memcpy(&high, &bits, sizeof high);
  return {high, x - high};
}

/// The left factor of a matrix product, row by row: the numbers as they are, or, for tensor cores, three
/// times `width` numbers: high parts, low parts and high parts again. The right factor then stands as its
/// high, high and low parts, one below the other, and one product of TF32 numbers is the sum of all three.
template <typename T>
struct Operand {
  T* data;
  std::int64_t stride;  ///< from row to row
  int width;
  int split;

  SOLION_BOTH void store(std::int64_t row, int column, T value) const {
    T* at = data + row * stride + column;
    if constexpr (sizeof(T) == sizeof(float)) {
      if (split != 0) {
        const Halves halves = gpu::split(value);
        at[0] = halves.high;
        at[width] = halves.low;
        at[2 * width] = halves.high;
        return;
      }
    }
    *at = value;
  }
  [[nodiscard]] SOLION_BOTH T value(std::int64_t row, int column) const {
    const T* at = data + row * stride + column;
    return split != 0 ? at[0] + at[width] : at[0];
  }
};

/// The block as plain loops.
struct HostBlock {
  char* memory;  ///< the body's scratch

  /// f(0) … f(n − 1), in any order.
  template <typename F>
  void for_each(int n, const F& f) const {
    for (int i = 0; i < n; ++i) f(i);
  }
  /// For every p < n: A sums[k] = 0; f(p, c, sums) for c < m adds to them; then g(p, sums).
  template <int k, typename A, typename F, typename G>
  void sum_each(int n, int m, const F& f, const G& g) const {
    for (int p = 0; p < n; ++p) {
      A sums[k] = {};
      for (int c = 0; c < m; ++c) f(p, c, sums);
      g(p, sums);
    }
  }
  /// For every i < n in order: where keep(i, state) holds, emit(i, place, state) with place = 0, 1, …;
  /// returns how many there were.
  template <typename State, typename Keep, typename Emit>
  int select(int n, const Keep& keep, const Emit& emit) const {
    int found = 0;
    for (int i = 0; i < n; ++i) {
      State state;
      if (keep(i, state)) emit(i, found++, state);
    }
    return found;
  }
};

}  // namespace solion::gpu
