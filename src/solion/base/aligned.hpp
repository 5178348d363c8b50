// Numbers that begin on a cache line, whatever instruction set the compiler was told of.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace solion {

/// No vector register is wider than this, so no load of a whole register touches two lines.
constexpr std::size_t cache_line = 64;

template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>& /*other*/) {}
  [[nodiscard]] T* allocate(std::size_t n) {
    if (n > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(cache_line)));
  }
  void deallocate(T* p, std::size_t /*n*/) { ::operator delete(p, std::align_val_t(cache_line)); }
  template <typename U>
  bool operator==(const CacheLineAllocator<U>& /*other*/) const {
    return true;
  }
};

template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace solion
