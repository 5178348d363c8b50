// What the module with CUDA (src/cuda) offers to the program that loads it: plain C, so that the program
// needs no CUDA library and the module none of the program's.
#pragma once

#include <cstddef>
#include <cstdint>

#define SOLION_CUDA_TABLE_VERSION 1

/// Functions that return int give 0 where they worked; `error` then says why one did not. A device is opened
/// once and used by one thread at a time.
struct SolionCudaTable {
  int version;                   ///< SOLION_CUDA_TABLE_VERSION
  unsigned long long signature;  ///< Bodies::signature()
  const char* toolkit;           ///< version of CUDA at build time
  const char* (*error)(void);    ///< the driver's words about the last failure
  int (*count)(int* devices);
  void* (*open)(int number);  ///< null if it failed
  void (*close)(void* device);
  const char* (*describe)(void* device);  ///< name, memory, driver
  int (*memory)(void* device, std::size_t* free, std::size_t* total);
  void* (*allocate)(void* device, std::size_t bytes);  ///< null if it failed
  void (*release)(void* device, void* memory);
  int (*upload)(void* device, void* to, const void* from, std::size_t bytes);
  int (*download)(void* device, void* to, const void* from, std::size_t bytes);  ///< waits
  int (*clear)(void* device, void* memory, std::size_t bytes);
  /// A body of bodies.hpp by its place, for n items or blocks.
  int (*launch)(void* device, int body, std::int64_t n, int threads, std::size_t scratch, const void* data);
  int (*product_single)(void* device, const void* product);  ///< Product<float>
  int (*product_double)(void* device, const void* product);
  /// Between record and play, work is only written down. play: 0 if there is such a record and it was
  /// started.
  int (*record)(void* device);
  int (*keep)(void* device, std::uint64_t key);  ///< ends the record and gives it a name
  int (*play)(void* device, std::uint64_t key);
  /// Seconds and launches of body k (−1: products) where they are measured; 0 where there is no such body.
  int (*profile)(void* device, int body, double* seconds, std::int64_t* launches);
};
