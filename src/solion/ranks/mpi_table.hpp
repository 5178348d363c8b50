// What the module with MPI (src/mpi) offers to the program that loads it: plain C, so that neither needs the
// other's libraries.
#pragma once

#include <cstddef>

#define SOLION_MPI_TABLE_VERSION 3

struct SolionMpiTable {
  int version;                         ///< SOLION_MPI_TABLE_VERSION
  const char* (*library)(void);        ///< which MPI, one line
  void (*init)(int* rank, int* size);  ///< MPI_Init_thread
  /// Begins to add up n numbers of 4 or 8 bytes into those of rank `root`.
  void (*sum)(void* values, std::size_t n, std::size_t bytes_each, int root);
  /// Begins to copy bytes from rank `root` to all others.
  void (*copy)(void* values, std::size_t bytes, int root);
  /// Memory that all processes read and write: `bytes` of this process's, zero, from a cache line on; one
  /// address a process. 0 where the processes do not share a machine, or one of them has no room. Called by
  /// all.
  int (*share)(std::size_t bytes, void** of_processes);
  int (*test)(void);          ///< 1 when all that was begun is done
  void (*finish)(void);       ///< MPI_Finalize
  void (*abort)(int status);  ///< MPI_Abort of all
};
