// The inner loops of the fast path, over plain arrays; the instruction set is chosen when the program runs.
// Theory: docs/theory/dp.md, section 4. Channels are padded to whole vectors of 64 bytes (`stride`) with
// zeros.
#pragma once

#include <cstddef>

namespace solion::dp {

/// What the pairs of one centre type with one neighbour type share.
template <typename T>
struct PairKind {
  T mean[4], inverse_deviation[4];
  // The table (tables.hpp): where it begins, its segments, and by segment the first node and the intervals.
  T low, inverse_width, segments;
  const T *first, *splits;
};

/// Pairs as one array a quantity. Kernels read and write whole vectors, up to 64 bytes behind the last pair.
template <typename T>
struct Pairs {
  T *x, *y, *z;    ///< r_ij, Å
  T* inverse_r;    ///< 1/r
  T *q, *ds, *dq;  ///< see environment.hpp
  T* row[4];       ///< normalised row of the environment matrix
  T* t;            ///< place in the interval of the table
  T* inverse_h;    ///< of that interval
  T* left;         ///< number of the node at its left end; −1 beyond the table
  const T** node;  ///< two nodes, [6][stride]

  [[nodiscard]] Pairs from(std::ptrdiff_t first) const {
    return {x + first,    y + first,
            z + first,    inverse_r + first,
            q + first,    ds + first,
            dq + first,   {row[0] + first, row[1] + first, row[2] + first, row[3] + first},
            t + first,    inverse_h + first,
            left + first, node + first};
  }
};

template <typename T>
struct Kernels {
  /// All of Pairs but `node` from r_ij and r².
  void (*prepare)(std::ptrdiff_t n, const T* x, const T* y, const T* z, const T* r2, T rcut, T rcut_smth,
                  T protection, const PairKind<T>& kind, const Pairs<T>& out);
  /// T [4][stride] += Σ Rᵀ·G. `weights` has room for 6·(n rounded up to 64 bytes) numbers.
  void (*environment)(std::ptrdiff_t n, const Pairs<T>& pairs, std::ptrdiff_t stride, T* weights, T* t);
  /// d = the products Σ_x T[x][k]·T[x][c], k < m2, c = k … m1 − 1, one row behind the other. Writes up to 64
  /// bytes behind the end and reads as much behind T.
  void (*descriptor)(const T* t, std::ptrdiff_t stride, std::ptrdiff_t m1, std::ptrdiff_t m2, T* d);
  /// grad_t [4][stride] = ∂E/∂T from a = ∂E/∂d. Reads up to 64 bytes behind `a`; channels from m1
  /// on get numbers without meaning, which meet the zeros of the tables.
  void (*descriptor_gradient)(const T* a, const T* t, std::ptrdiff_t stride, std::ptrdiff_t m1,
                              std::ptrdiff_t m2, T* grad_t);
  /// ∂E/∂r_ij of n pairs of one kind: gx, gy, gz, and −Σ r⊗g added to virial[9] (row-major). `weights` has
  /// room for 12·(n rounded up), `sums` for 4·(n rounded up) numbers.
  void (*gradients)(std::ptrdiff_t n, const Pairs<T>& pairs, const PairKind<T>& kind, const T* grad_t,
                    std::ptrdiff_t stride, T* weights, T* sums, T* gx, T* gy, T* gz, double* virial);
};

/// Those of the instruction set in use (nn/instruction_set.hpp).
template <typename T>
[[nodiscard]] Kernels<T> kernels();

}  // namespace solion::dp
