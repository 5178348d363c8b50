// Who multiplies the fitting nets' matrices fastest: packed weights, OpenBLAS or Eigen? (GFLOP/s, one thread)
#include <benchmark/benchmark.h>

#include "solion/nn/network.hpp"
#include "solion/nn/packed.hpp"
#include "solion/nn/products.hpp"

namespace {

using solion::nn::Matrix;

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
    solion::nn::product(m, n, k, a.data(), k, b.data(), n, T(0), c.data(), n);
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
    solion::nn::product_bt(m, n, k, a.data(), k, b.data(), k, T(0), c.data(), n);
    benchmark::DoNotOptimize(c.data());
  }
  rate<T>(state);
}

void shapes(benchmark::internal::Benchmark* b) {
  for (const int m : {24, 48, 96, 250, 1000}) b->Args({m, 1600, 240})->Args({m, 240, 240});
  b->Args({96, 240, 1600})->Args({96, 320, 64})->Args({96, 64, 64});
}

BENCHMARK_TEMPLATE(packed, float)->Apply(shapes);
BENCHMARK_TEMPLATE(packed, double)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas, float)->Apply(shapes);
BENCHMARK_TEMPLATE(eigen, float)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas_bt, float)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas, double)->Apply(shapes);
BENCHMARK_TEMPLATE(eigen, double)->Apply(shapes);
BENCHMARK_TEMPLATE(openblas_bt, double)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
