// Who multiplies: our own kernel for thin matrices, OpenBLAS for the others. Threads are ours (one task
// each), so OpenBLAS's own are switched off. The limits are those of benchmarks/gemm_small.cpp.
#include "solion/nn/products.hpp"

#include <cblas.h>

#include "solion/nn/thin_products.hpp"

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

/// Few rows, or (double; single loses more to columns that do not fill a vector) few columns.
template <typename T>
bool thin(std::ptrdiff_t m, std::ptrdiff_t n, T beta) {
  return (beta == 0 || beta == 1) && (m <= 256 || (sizeof(T) == sizeof(double) && n <= 256));
}
template <typename T>
bool thin_bt(std::ptrdiff_t m, std::ptrdiff_t n, T beta) {
  return beta == 0 && (m <= 128 || m >= n);
}
template <typename T>
bool thin_at(std::ptrdiff_t m, std::ptrdiff_t k, T beta) {
  return (beta == 0 || beta == 1) && (m <= 256 || k <= 256);
}

}  // namespace

void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
             const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc) {
  if (thin(m, n, beta)) return thin_product(m, n, k, a, lda, 1, b, ldb, beta == 1, c, ldc);
  gemm(CblasNoTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
             const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc) {
  if (thin(m, n, beta)) return thin_product(m, n, k, a, lda, 1, b, ldb, beta == 1, c, ldc);
  gemm(CblasNoTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
                const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc) {
  if (thin_bt(m, n, beta)) return thin_product_bt(m, n, k, a, lda, b, ldb, c, ldc);
  gemm(CblasNoTrans, CblasTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product_bt(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
                const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc) {
  if (thin_bt(m, n, beta)) return thin_product_bt(m, n, k, a, lda, b, ldb, c, ldc);
  gemm(CblasNoTrans, CblasTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product_at(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a, std::ptrdiff_t lda,
                const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc) {
  if (thin_at(m, k, beta)) return thin_product(m, n, k, a, 1, lda, b, ldb, beta == 1, c, ldc);
  gemm(CblasTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
void product_at(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const double* a, std::ptrdiff_t lda,
                const double* b, std::ptrdiff_t ldb, double beta, double* c, std::ptrdiff_t ldc) {
  if (thin_at(m, k, beta)) return thin_product(m, n, k, a, 1, lda, b, ldb, beta == 1, c, ldc);
  gemm(CblasTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace solion::nn
