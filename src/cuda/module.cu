// The module with CUDA: the kernels' bodies as grids, matrix products by cuBLAS, as the table that the
// program loads when a device is asked for.
#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "solion/gpu/bodies.hpp"
#include "solion/gpu/cuda_table.hpp"

namespace solion::gpu {
namespace {

#ifdef __CUDA_ARCH__
/// Four sums over the lanes of a warp with 10 shuffles in place of 20: each quarter of the warp finishes one.
template <typename A>
__device__ void add_four(int lane, A* sums) {
  constexpr unsigned all = 0xffffffffU;
  const bool upper = (lane & 16) != 0, odd = (lane & 8) != 0;
  A first = upper ? sums[2] : sums[0], second = upper ? sums[3] : sums[1];
  first += __shfl_xor_sync(all, upper ? sums[0] : sums[2], 16);
  second += __shfl_xor_sync(all, upper ? sums[1] : sums[3], 16);
  A one = odd ? second : first;
  one += __shfl_xor_sync(all, odd ? first : second, 8);
#pragma unroll
  for (int step = 4; step > 0; step /= 2) one += __shfl_xor_sync(all, one, step);
#pragma unroll
  for (int q = 0; q < 4; ++q) sums[q] = __shfl_sync(all, one, 8 * q);
}
#endif

/// A CUDA block (block.hpp says what the phases mean).
struct CudaBlock {
  char* memory;

  template <typename F>
  SOLION_BOTH void for_each(int n, const F& f) const {
#ifdef __CUDA_ARCH__
    for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x)) f(i);
    __syncthreads();
#endif
  }

  /// A warp for every p; the sums of its lanes are added in one order.
  template <int k, typename A, typename F, typename G>
  SOLION_BOTH void sum_each(int n, int m, const F& f, const G& g) const {
#ifdef __CUDA_ARCH__
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warps = static_cast<int>(blockDim.x) / 32;
    for (int p = static_cast<int>(threadIdx.x) / 32; p < n; p += warps) {
      A sums[k] = {};
      for (int c = lane; c < m; c += 32) f(p, c, sums);
      if constexpr (k == 4) {
        add_four(lane, sums);
      } else {
#pragma unroll
        for (int q = 0; q < k; ++q) {
#pragma unroll
          for (int step = 16; step > 0; step /= 2) sums[q] += __shfl_xor_sync(0xffffffffU, sums[q], step);
        }
      }
      if (lane == 0) g(p, sums);
    }
    __syncthreads();
#endif
  }

  template <typename State, typename Keep, typename Emit>
  SOLION_BOTH int select(int n, const Keep& keep, const Emit& emit) const {
#ifdef __CUDA_ARCH__
    __shared__ int found_by[32];
    const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    const int warp = thread / 32;
    int found = 0;
    for (int begin = 0; begin < n; begin += threads) {
      const int i = begin + thread;
      State state;
      const bool kept = i < n && keep(i, state);
      const unsigned mask = __ballot_sync(0xffffffffU, kept);
      if (thread % 32 == 0) found_by[warp] = __popc(mask);
      __syncthreads();
      int before = 0, all = 0;
      for (int w = 0; w < threads / 32; ++w) {
        if (w < warp) before += found_by[w];
        all += found_by[w];
      }
      if (kept) emit(i, found + before + __popc(mask & ((1U << (thread % 32)) - 1U)), state);
      found += all;
      __syncthreads();
    }
    return found;
#else
    return 0;
#endif
  }
};

template <typename Body>
__global__ void run_items(std::int64_t n, const Body body) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step)
    body(i);
}

template <typename Body>
__global__ void run_blocks(const Body body) {
  extern __shared__ __align__(16) char scratch[];
  CudaBlock block{scratch};
  body(block, static_cast<std::int64_t>(blockIdx.x));
}

/// The words of the last failure, by thread.
std::string& failure() {
  static thread_local std::string text;
  return text;
}
bool failed(cudaError_t status) {
  if (status == cudaSuccess) return false;
  failure() = cudaGetErrorString(status);
  return true;
}
bool failed(cublasStatus_t status) {
  if (status == CUBLAS_STATUS_SUCCESS) return false;
  failure() = std::string("cuBLAS: ") + cublasGetStatusString(status);
  return true;
}

/// Time spent by kind of work.
struct Spent {
  double seconds = 0;
  std::int64_t launches = 0;
};

struct Opened {
  int number = 0;
  cudaStream_t stream = nullptr;
  cublasHandle_t blas = nullptr;
  void* workspace = nullptr;
  std::string description;
  std::map<std::uint64_t, cudaGraphExec_t> records;
  bool recording = false;
  bool measures = false;
  std::map<int, Spent> spent;
  cudaEvent_t begin = nullptr, end = nullptr;

  /// Runs work that is launched inside; waits for it where times are measured.
  template <typename F>
  int timed(int body, const F& work) {
    if (!measures || recording) return work();
    cudaEventRecord(begin, stream);
    const int status = work();
    cudaEventRecord(end, stream);
    cudaEventSynchronize(end);
    float ms = 0;
    cudaEventElapsedTime(&ms, begin, end);
    spent[body].seconds += 1e-3 * static_cast<double>(ms);
    ++spent[body].launches;
    return status;
  }
};
/// The current device belongs to the thread; the program may come from several.
Opened& opened(void* device) {
  Opened& d = *static_cast<Opened*>(device);
  cudaSetDevice(d.number);
  return d;
}

const char* error() { return failure().c_str(); }

int count(int* devices) { return failed(cudaGetDeviceCount(devices)) ? 1 : 0; }

void close_device(void* device) {
  Opened& d = opened(device);
  if (d.stream != nullptr) cudaStreamSynchronize(d.stream);
  for (auto& [key, record] : d.records) cudaGraphExecDestroy(record);
  if (d.blas != nullptr) cublasDestroy(d.blas);
  if (d.workspace != nullptr) cudaFree(d.workspace);
  if (d.begin != nullptr) cudaEventDestroy(d.begin);
  if (d.end != nullptr) cudaEventDestroy(d.end);
  if (d.stream != nullptr) cudaStreamDestroy(d.stream);
  delete &d;
}

bool start(Opened& d, int number) {
  d.number = number;
  constexpr std::size_t workspace_bytes = std::size_t{64}
                                          << 20;  // what cuBLAS advises for Hopper is half of it
  if (failed(cudaSetDevice(number)) || failed(cudaStreamCreateWithFlags(&d.stream, cudaStreamNonBlocking)) ||
      failed(cublasCreate(&d.blas)) || failed(cublasSetStream(d.blas, d.stream)) ||
      failed(cudaMalloc(&d.workspace, workspace_bytes)) ||
      failed(cublasSetWorkspace(d.blas, d.workspace, workspace_bytes)) || failed(cudaEventCreate(&d.begin)) ||
      failed(cudaEventCreate(&d.end)))
    return false;
  cudaDeviceProp properties{};
  int driver = 0;
  if (failed(cudaGetDeviceProperties(&properties, number)) || failed(cudaDriverGetVersion(&driver)))
    return false;
  char text[512];
  std::snprintf(text, sizeof text, "%s, %.0f GB, compute capability %d.%d, driver for CUDA %d.%d",
                properties.name, static_cast<double>(properties.totalGlobalMem) * 1e-9, properties.major,
                properties.minor, driver / 1000, driver % 1000 / 10);
  d.description = text;
  const char* measure = std::getenv("SOLION_CUDA_PROFILE");
  d.measures = measure != nullptr && *measure != '\0';
  return true;
}

void* open_device(int number) {
  auto* d = new Opened;
  if (start(*d, number)) return d;
  const std::string why = failure();
  close_device(d);
  failure() = why;
  return nullptr;
}

const char* describe(void* device) { return opened(device).description.c_str(); }

int memory(void* device, std::size_t* free, std::size_t* total) {
  opened(device);
  return failed(cudaMemGetInfo(free, total)) ? 1 : 0;
}

void* allocate(void* device, std::size_t bytes) {
  void* memory = nullptr;
  // What still runs may use what was released before.
  if (failed(cudaStreamSynchronize(opened(device).stream)) ||
      failed(cudaMalloc(&memory, bytes > 0 ? bytes : 1)))
    return nullptr;
  return memory;
}

void release(void* device, void* memory) {
  cudaStreamSynchronize(opened(device).stream);
  cudaFree(memory);
}

int upload(void* device, void* to, const void* from, std::size_t bytes) {
  return failed(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, opened(device).stream)) ? 1 : 0;
}
int download(void* device, void* to, const void* from, std::size_t bytes) {
  Opened& d = opened(device);
  return failed(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, d.stream)) ||
                 failed(cudaStreamSynchronize(d.stream))
             ? 1
             : 0;
}
int clear(void* device, void* memory, std::size_t bytes) {
  return failed(cudaMemsetAsync(memory, 0, bytes, opened(device).stream)) ? 1 : 0;
}

template <typename Body>
int launch_body(Opened& d, std::int64_t n, int threads, std::size_t scratch, const void* data) {
  const Body& body = *static_cast<const Body*>(data);
  if constexpr (BlockBody<Body>) {
    constexpr std::size_t usual = std::size_t{47} << 10;  // 48 with what a body has of its own
    if (scratch > usual &&
        failed(cudaFuncSetAttribute(run_blocks<Body>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(scratch))))
      return 1;
    run_blocks<Body><<<static_cast<unsigned>(n), static_cast<unsigned>(threads), scratch, d.stream>>>(body);
  } else {
    constexpr std::int64_t width = 256, most = 1 << 20;
    const std::int64_t grid = (n + width - 1) / width;
    run_items<Body><<<static_cast<unsigned>(grid < most ? grid : most), width, 0, d.stream>>>(n, body);
  }
  return failed(cudaGetLastError()) ? 1 : 0;
}

using Launcher = int (*)(Opened&, std::int64_t, int, std::size_t, const void*);
template <typename... Body>
Launcher launcher(BodyList<Body...> /*list*/, int place) {
  static constexpr Launcher table[] = {launch_body<Body>...};
  return table[place];
}

int launch(void* device, int body, std::int64_t n, int threads, std::size_t scratch, const void* data) {
  Opened& d = opened(device);
  return d.timed(body, [&] { return launcher(Bodies(), body)(d, n, threads, scratch, data); });
}

cublasOperation_t turned(int turned) { return turned != 0 ? CUBLAS_OP_T : CUBLAS_OP_N; }

// Row-major is column-major of the transposed: Cᵀ = Bᵀ·Aᵀ.
int product_single(void* device, const void* data) {
  Opened& d = opened(device);
  const auto& p = *static_cast<const Product<float>*>(data);
  const float one = 1, kept = p.add != 0 ? 1 : 0;
  return d.timed(-1, [&] {
    return failed(cublasGemmEx(d.blas, turned(p.b_turned), turned(p.a_turned), static_cast<int>(p.n),
                               static_cast<int>(p.m), static_cast<int>(p.k), &one, p.b, CUDA_R_32F,
                               static_cast<int>(p.ldb), p.a, CUDA_R_32F, static_cast<int>(p.lda), &kept, p.c,
                               CUDA_R_32F, static_cast<int>(p.ldc),
                               p.tensor != 0 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F_PEDANTIC,
                               CUBLAS_GEMM_DEFAULT))
               ? 1
               : 0;
  });
}

int product_double(void* device, const void* data) {
  Opened& d = opened(device);
  const auto& p = *static_cast<const Product<double>*>(data);
  return d.timed(-1, [&] {
    const double one = 1, kept = p.add != 0 ? 1 : 0;
    return failed(cublasDgemm(d.blas, turned(p.b_turned), turned(p.a_turned), static_cast<int>(p.n),
                              static_cast<int>(p.m), static_cast<int>(p.k), &one, p.b,
                              static_cast<int>(p.ldb), p.a, static_cast<int>(p.lda), &kept, p.c,
                              static_cast<int>(p.ldc)))
               ? 1
               : 0;
  });
}

int record(void* device) {
  Opened& d = opened(device);
  if (d.measures || failed(cudaStreamBeginCapture(d.stream, cudaStreamCaptureModeThreadLocal))) return 1;
  d.recording = true;
  return 0;
}

int keep(void* device, std::uint64_t key) {
  Opened& d = opened(device);
  d.recording = false;
  cudaGraph_t graph = nullptr;
  if (failed(cudaStreamEndCapture(d.stream, &graph)) || graph == nullptr) return 1;
  cudaGraphExec_t record = nullptr;
  const bool bad = failed(cudaGraphInstantiate(&record, graph, 0));
  cudaGraphDestroy(graph);
  if (bad) return 1;
  constexpr std::size_t most = 8;
  while (d.records.size() >= most) {  // the oldest key is the smallest
    cudaGraphExecDestroy(d.records.begin()->second);
    d.records.erase(d.records.begin());
  }
  d.records[key] = record;
  return 0;
}

int play(void* device, std::uint64_t key) {
  Opened& d = opened(device);
  const auto found = d.records.find(key);
  if (found == d.records.end()) return 1;
  return failed(cudaGraphLaunch(found->second, d.stream)) ? 1 : 0;
}

int profile(void* device, int body, double* seconds, std::int64_t* launches) {
  Opened& d = opened(device);
  if (!d.measures || body >= Bodies::size) return 1;
  *seconds = d.spent[body].seconds;
  *launches = d.spent[body].launches;
  return 0;
}

constexpr const char* toolkit = SOLION_CUDA_TOOLKIT;

}  // namespace
}  // namespace solion::gpu

extern "C" __attribute__((visibility("default")))
const SolionCudaTable solion_cuda_table{SOLION_CUDA_TABLE_VERSION,   solion::gpu::Bodies::signature(),
                                        solion::gpu::toolkit,        solion::gpu::error,
                                        solion::gpu::count,          solion::gpu::open_device,
                                        solion::gpu::close_device,   solion::gpu::describe,
                                        solion::gpu::memory,         solion::gpu::allocate,
                                        solion::gpu::release,        solion::gpu::upload,
                                        solion::gpu::download,       solion::gpu::clear,
                                        solion::gpu::launch,         solion::gpu::product_single,
                                        solion::gpu::product_double, solion::gpu::record,
                                        solion::gpu::keep,           solion::gpu::play,
                                        solion::gpu::profile};
