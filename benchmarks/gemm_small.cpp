// Who multiplies the fitting nets' matrices fastest: packed weights, thin products, OpenBLAS or Eigen?
// (GFLOP/s, one thread)
#include <benchmark/benchmark.h>
#include <cblas.h>

#include "solion/nn/network.hpp"
#include "solion/nn/packed.hpp"
#include "solion/nn/thin_products.hpp"

namespace {

using solion::nn::Matrix;

using Transposed = CBLAS_TRANSPOSE;

void blas(Transposed ta, Transposed tb, long m, long n, long k, const float* a, long lda, const float* b,
          long ldb, float* c) {
  cblas_sgemm(CblasRowMajor, ta, tb, int(m), int(n), int(k), 1, a, int(lda), b, int(ldb), 0, c, int(n));
}
void blas(Transposed ta, Transposed tb, long m, long n, long k, const double* a, long lda, const double* b,
          long ldb, double* c) {
  cblas_dgemm(CblasRowMajor, ta, tb, int(m), int(n), int(k), 1, a, int(lda), b, int(ldb), 0, c, int(n));
}

template <typename T>
void rate(benchmark::State& state) {
  const auto flops = 2.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2));
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

/// Arguments: m (atoms), k (inputs), n (outputs).
template <typename T>
void openblas(benchmark::State& state) {
  const auto m = state.range(0), k = state.range(1), n = state.range(2);
  const Matrix<T> a = Matrix<T>::Random(m, k), b = Matrix<T>::Random(k, n);
  Matrix<T> c(m, n);
  for (auto _ : state) {
    blas(CblasNoTrans, CblasNoTrans, m, n, k, a.data(), k, b.data(), n, c.data());
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

template <typename T>
void eigen(benchmark::State& state) {
  const auto m = state.range(0), k = state.range(1), n = state.range(2);
  const Matrix<T> a = Matrix<T>::Random(m, k), b = Matrix<T>::Random(k, n);
  Matrix<T> c(m, n);
  for (auto _ : state) {
    c.noalias() = a * b;
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

/// Weights packed once, as in the fast path's fitting nets.
template <typename T>
void packed(benchmark::State& state) {
  using solion::nn::PackedMatrix;
  const auto m = state.range(0), k = state.range(1), n = state.range(2);
  const Matrix<T> a = Matrix<T>::Random(PackedMatrix<T>::padded_rows(m), k), b = Matrix<T>::Random(k, n);
  const PackedMatrix<T> w(b.data(), k, n, n, false);
  Matrix<T> c(a.rows(), PackedMatrix<T>::padded_columns(n));
  for (auto _ : state) {
    w.multiply(m, a.data(), k, nullptr, c.data(), c.cols());
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

/// The same with B transposed, as in backpropagation.
template <typename T>
void openblas_bt(benchmark::State& state) {
  const auto m = state.range(0), k = state.range(1), n = state.range(2);
  const Matrix<T> a = Matrix<T>::Random(m, k), b = Matrix<T>::Random(n, k);
  Matrix<T> c(m, n);
  for (auto _ : state) {
    blas(CblasNoTrans, CblasTrans, m, n, k, a.data(), k, b.data(), k, c.data());
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

/// The weights where they lie.
template <typename T>
void thin(benchmark::State& state) {
  const auto m = state.range(0), k = state.range(1), n = state.range(2);
  const Matrix<T> a = Matrix<T>::Random(m, k), b = Matrix<T>::Random(k, n);
  Matrix<T> c(m, n);
  for (auto _ : state) {
    solion::nn::thin_product(m, n, k, a.data(), k, 1, b.data(), n, false, c.data(), n);
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

template <typename T>
void thin_bt(benchmark::State& state) {
  const auto m = state.range(0), k = state.range(1), n = state.range(2);
  const Matrix<T> a = Matrix<T>::Random(m, k), b = Matrix<T>::Random(n, k);
  Matrix<T> c(m, n);
  for (auto _ : state) {
    solion::nn::thin_product_bt(m, n, k, a.data(), k, b.data(), k, c.data(), n);
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

/// Gradients of weights, Aᵀ (k, m)·B: `k` is twice the number of atoms, m and n the layer's width.
template <typename T>
void openblas_at(benchmark::State& state) {
  const auto k = 2 * state.range(0), m = state.range(1), n = state.range(2);
  const Matrix<T> a = Matrix<T>::Random(k, m), b = Matrix<T>::Random(k, n);
  Matrix<T> c(m, n);
  for (auto _ : state) {
    blas(CblasTrans, CblasNoTrans, m, n, k, a.data(), m, b.data(), n, c.data());
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

template <typename T>
void thin_at(benchmark::State& state) {
  const auto k = 2 * state.range(0), m = state.range(1), n = state.range(2);
  const Matrix<T> a = Matrix<T>::Random(k, m), b = Matrix<T>::Random(k, n);
  Matrix<T> c(m, n);
  for (auto _ : state) {
    solion::nn::thin_product(m, n, k, a.data(), 1, m, b.data(), n, false, c.data(), n);
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

void shapes(benchmark::internal::Benchmark* b) {
  for (const int m : {24, 48, 96, 250, 1000}) b->Args({m, 1600, 240})->Args({m, 240, 240});
  b->Args({96, 240, 1600})->Args({96, 320, 64})->Args({96, 64, 64});
  for (const int m : {8, 24}) b->Args({m, 240, 1600});
  b->Args({8, 1600, 240})
      ->Args({3000, 50, 100})
      ->Args({3000, 25, 50})
      ->Args({3000, 100, 50});  // embedding nets
}

BENCHMARK_TEMPLATE(packed, float)->Apply(shapes);
BENCHMARK_TEMPLATE(packed, double)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas, float)->Apply(shapes);
BENCHMARK_TEMPLATE(thin, float)->Apply(shapes);
BENCHMARK_TEMPLATE(thin_bt, float)->Apply(shapes);
BENCHMARK_TEMPLATE(thin_at, float)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas_at, float)->Apply(shapes);
BENCHMARK_TEMPLATE(eigen, float)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas_bt, float)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas, double)->Apply(shapes);
BENCHMARK_TEMPLATE(thin, double)->Apply(shapes);
BENCHMARK_TEMPLATE(thin_bt, double)->Apply(shapes);
BENCHMARK_TEMPLATE(thin_at, double)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas_at, double)->Apply(shapes);
BENCHMARK_TEMPLATE(eigen, double)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas_bt, double)->Apply(shapes);

}  // namespace

int main(int argc, char** argv) {
  openblas_set_num_threads(1);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
