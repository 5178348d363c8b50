// Row-major products of thin matrices, as the passes over a batch need them, straight from where the matrices
// lie.
#pragma once

#include <cstddef>

namespace solion::nn {

/// C(m,n) = A·B(k,n), or C += A·B with `add`; element (i, p) of A lies at a[i·a_row + p·a_inner], so that A
/// may be the transpose of what is stored. B and C are row-major with rows ldb and ldc apart. No copies are
/// made of A and B: faster than BLAS where few rows (or few inner indices) meet a matrix of weights. One
/// row's result does not depend on the others'. One thread; the instruction set is chosen when the program
/// runs.
void thin_product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t a_row,
                  std::ptrdiff_t a_inner, const float* b, std::ptrdiff_t ldb, bool add, float* c,
                  std::ptrdiff_t ldc);
void thin_product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t a_row,
                  std::ptrdiff_t a_inner, const double* b, std::ptrdiff_t ldb, bool add, double* c,
                  std::ptrdiff_t ldc);

/// C(m,n) = A(m,k)·B(n,k)ᵀ, all row-major. Turns whichever of the two has fewer rows.
void thin_product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
                     const float* b, std::ptrdiff_t ldb, float* c, std::ptrdiff_t ldc);
void thin_product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a,
                     std::ptrdiff_t lda, const double* b, std::ptrdiff_t ldb, double* c, std::ptrdiff_t ldc);

}  // namespace solion::nn
