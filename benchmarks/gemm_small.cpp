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

/// Times multiply(a, b, c), of so many multiplications with an addition.
template <typename T, typename F>
void time_product(benchmark::State& state, long products, const Matrix<T>& a, const Matrix<T>& b, Matrix<T> c,
                  const F& multiply) {
  for (auto _ : state) {
    multiply(a.data(), b.data(), c.data());
    benchmark::DoNotOptimize(c.data());
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(products), benchmark::Counter::kIsIterationInvariantRate);
}

/// Arguments: m (atoms), k (inputs), n (outputs); X (m, k)·W (k, n).
struct Shape {
  explicit Shape(const benchmark::State& state) : m(state.range(0)), k(state.range(1)), n(state.range(2)) {}
  long m, k, n;
};

template <typename T, typename F>
void forward(benchmark::State& state, const F& multiply) {
  const Shape s(state);
  time_product<T>(state, s.m * s.k * s.n, Matrix<T>::Random(s.m, s.k), Matrix<T>::Random(s.k, s.n),
                  Matrix<T>(s.m, s.n), [&](const T* a, const T* b, T* c) { multiply(s, a, b, c); });
}

/// X (m, k)·Wᵀ with W (n, k), as in backpropagation.
template <typename T, typename F>
void backward(benchmark::State& state, const F& multiply) {
  const Shape s(state);
  time_product<T>(state, s.m * s.k * s.n, Matrix<T>::Random(s.m, s.k), Matrix<T>::Random(s.n, s.k),
                  Matrix<T>(s.m, s.n), [&](const T* a, const T* b, T* c) { multiply(s, a, b, c); });
}

/// Gradients of weights: XᵀH (k, n) of 2m rows (values and tangents).
template <typename T, typename F>
void gradient(benchmark::State& state, const F& multiply) {
  const Shape s(state);
  time_product<T>(state, 2 * s.m * s.k * s.n, Matrix<T>::Random(2 * s.m, s.k),
                  Matrix<T>::Random(2 * s.m, s.n), Matrix<T>(s.k, s.n),
                  [&](const T* a, const T* b, T* c) { multiply(s, a, b, c); });
}

template <typename T>
void openblas(benchmark::State& state) {
  forward<T>(state, [](const Shape& s, const T* a, const T* b, T* c) {
    blas(CblasNoTrans, CblasNoTrans, s.m, s.n, s.k, a, s.k, b, s.n, c);
  });
}
template <typename T>
void openblas_bt(benchmark::State& state) {
  backward<T>(state, [](const Shape& s, const T* a, const T* b, T* c) {
    blas(CblasNoTrans, CblasTrans, s.m, s.n, s.k, a, s.k, b, s.k, c);
  });
}
template <typename T>
void openblas_at(benchmark::State& state) {
  gradient<T>(state, [](const Shape& s, const T* a, const T* b, T* c) {
    blas(CblasTrans, CblasNoTrans, s.k, s.n, 2 * s.m, a, s.k, b, s.n, c);
  });
}
template <typename T>
void thin(benchmark::State& state) {
  forward<T>(state, [](const Shape& s, const T* a, const T* b, T* c) {
    solion::nn::thin_product(s.m, s.n, s.k, a, s.k, 1, b, s.n, false, c, s.n);
  });
}
template <typename T>
void thin_bt(benchmark::State& state) {
  backward<T>(state, [](const Shape& s, const T* a, const T* b, T* c) {
    solion::nn::thin_product_bt(s.m, s.n, s.k, a, s.k, b, s.k, c, s.n);
  });
}
template <typename T>
void thin_at(benchmark::State& state) {
  gradient<T>(state, [](const Shape& s, const T* a, const T* b, T* c) {
    solion::nn::thin_product(s.k, s.n, 2 * s.m, a, 1, s.k, b, s.n, false, c, s.n);
  });
}

template <typename T>
void eigen(benchmark::State& state) {
  forward<T>(state, [](const Shape& s, const T* a, const T* b, T* c) {
    using In = Eigen::Map<const Matrix<T>>;
    Eigen::Map<Matrix<T>>(c, s.m, s.n).noalias() = In(a, s.m, s.k) * In(b, s.k, s.n);
  });
}

/// Weights packed once, as in the fast path's fitting nets.
template <typename T>
void packed(benchmark::State& state) {
  using P = solion::nn::PackedMatrix<T>;
  const Shape s(state);
  const Matrix<T> w = Matrix<T>::Random(s.k, s.n);
  const P panels(w.data(), s.k, s.n, s.n, false);
  const long rows = P::padded_rows(s.m), columns = P::padded_columns(s.n);
  time_product<T>(state, s.m * s.k * s.n, Matrix<T>::Random(rows, s.k), w, Matrix<T>(rows, columns),
                  [&](const T* a, const T*, T* c) { panels.multiply(s.m, a, s.k, nullptr, c, columns); });
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
