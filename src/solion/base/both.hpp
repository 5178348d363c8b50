// Marks inline functions that are compiled for the host and, by nvcc, for a GPU: one body, one truth.
#pragma once

#ifdef __CUDACC__
#define SOLION_BOTH __host__ __device__
#else
#define SOLION_BOTH
#endif
