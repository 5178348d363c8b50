// Row-major matrix products: the one place that knows who multiplies.
#pragma once

#include <cstddef>

namespace solion::nn {

/// C(m,n) = A(m,k)·B(k,n) + beta·C. All row-major; `lda` … are the distances between rows. One thread; safe
/// to call from several threads at once.
void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
             const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc);
void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
             const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc);

/// C(m,n) = A(m,k)·B(n,k)ᵀ + beta·C.
void product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
                const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc);
void product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
                const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc);

/// C(m,n) = A(k,m)ᵀ·B(k,n) + beta·C.
void product_at(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
                const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc);
void product_at(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
                const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc);

}  // namespace solion::nn
