// What the module with MPI (src/mpi) offers to the program that loads it: plain C, so that neither needs the
// other's libraries.
#pragma once

#include <cstddef>

#define SOLION_MPI_TABLE_VERSION 2

struct SolionMpiTable {
  int version;                         ///< SOLION_MPI_TABLE_VERSION
  const char* (*library)(void);        ///< which MPI, one line
  void (*init)(int* rank, int* size);  ///< MPI_Init_thread
  /// Begins to add up n numbers of 4 or 8 bytes into those of rank `root`.
  void (*sum)(void* values, std::size_t n, std::size_t bytes_each, int root);
  /// Begins to copy bytes from rank `root` to all others.
  void (*copy)(void* values, std::size_t bytes, int root);
  /// Memory of every process that all can read, at least `bytes` each, one address a process; two of them
  /// (turn 0 and 1) stay until more is asked for. 0 where the processes do not share a machine. Called by
  /// all.
  int (*windows)(std::size_t bytes, int turn, void** of_processes);
  /// Begins to wait for all; what one wrote into its window before, the others read after it.
  void (*meet)(void);
  int (*test)(void);          ///< 1 when all that was begun is done
  void (*finish)(void);       ///< MPI_Finalize
  void (*abort)(int status);  ///< MPI_Abort of all
};
