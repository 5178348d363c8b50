// OpenBLAS behind the row-major products. Threads are ours (one task each), so its own are switched off.
#include "solion/nn/products.hpp"

#include <cblas.h>

namespace solion::nn {
namespace {

/// True once OpenBLAS was told to compute in the calling thread only.
bool one_thread() {
  static const bool done = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  return done;
}

blasint narrow(std::ptrdiff_t n) { return static_cast<blasint>(n); }

void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k,
          const float* a, std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb, float beta, float* c,
          std::ptrdiff_t ldc) {
  if (m == 0 || n == 0 || !one_thread()) return;
  cblas_sgemm(CblasRowMajor, ta, tb, narrow(m), narrow(n), narrow(k), 1.0F, a, narrow(lda), b, narrow(ldb),
              beta, c, narrow(ldc));
}

void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k,
          const double* a, std::ptrdiff_t lda, const double* b, std::ptrdiff_t ldb, double beta, double* c,
          std::ptrdiff_t ldc) {
  if (m == 0 || n == 0 || !one_thread()) return;
  cblas_dgemm(CblasRowMajor, ta, tb, narrow(m), narrow(n), narrow(k), 1.0, a, narrow(lda), b, narrow(ldb),
              beta, c, narrow(ldc));
}

}  // namespace

void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
             const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc) {
  gemm(CblasNoTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
             const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc) {
  gemm(CblasNoTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
                const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc) {
  gemm(CblasNoTrans, CblasTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
                const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc) {
  gemm(CblasNoTrans, CblasTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product_at(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
                const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc) {
  gemm(CblasTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product_at(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
                const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc) {
  gemm(CblasTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace solion::nn
