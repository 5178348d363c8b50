// Loops over items and blocks; products in a fixed order.
#include "solion/gpu/host_device.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "solion/base/aligned.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"

namespace solion::gpu {
namespace {

using Runner = void (*)(std::int64_t begin, std::int64_t end, const void* body, char* scratch);

template <typename Body>
void run_body(std::int64_t begin, std::int64_t end, const void* memory, char* scratch) {
  const Body& body = *static_cast<const Body*>(memory);
  if constexpr (BlockBody<Body>) {
    HostBlock block{scratch};
    for (std::int64_t i = begin; i < end; ++i) body(block, i);
  } else {
    (void)scratch;
    for (std::int64_t i = begin; i < end; ++i) body(i);
  }
}

template <typename... Body>
constexpr std::array<Runner, sizeof...(Body)> runners(BodyList<Body...> /*list*/) {
  return {run_body<Body>...};
}

/// What a tensor core sees of a number: TF32 has 10 bits behind the first.
float cut(float x) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  bits &= 0xffffe000U;
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}

/// c += a·b for one row, k by k: its bits do not depend on the other rows.
template <typename T, typename See>
void add_row(std::int64_t m, const Product<T>& p, T* c, const See& see) {
  const std::int64_t next_a = p.a_turned != 0 ? p.lda : 1, next_b = p.b_turned != 0 ? p.ldb : 1;
  const T* a = p.a + m * (p.a_turned != 0 ? 1 : p.lda);
  for (std::int64_t k = 0; k < p.k; ++k) {
    const T factor = see(a[k * next_a]);
    const T* row = p.b + k * (p.b_turned != 0 ? 1 : p.ldb);
    for (std::int64_t n = 0; n < p.n; ++n) c[n] += factor * see(row[n * next_b]);
  }
}

class HostDevice final : public Device {
 public:
  explicit HostDevice(const HostOptions& options) : options_(options) {}

  [[nodiscard]] std::string description() const override {
    return fmt::format("the processor itself ({} thread{})", options_.threads,
                       options_.threads == 1 ? "" : "s");
  }
  [[nodiscard]] std::size_t free_bytes() const override {
    return static_cast<std::size_t>(::sysconf(_SC_AVPHYS_PAGES)) *
           static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }
  [[nodiscard]] bool splits_products() const override { return options_.split_products; }

  void* allocate(std::size_t bytes) override {
    void* memory = std::aligned_alloc(cache_line, (bytes + cache_line - 1) / cache_line * cache_line);
    if (memory == nullptr) throw WorkError("{} bytes of memory cannot be had", bytes);
    // What is read before it was written shows in the tests.
    std::memset(memory, 0xff, bytes);
    return memory;
  }
  void release(void* memory) noexcept override { std::free(memory); }
  void upload(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
  void download(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
  void clear(void* memory, std::size_t bytes) override { std::memset(memory, 0, bytes); }

  void product(const Product<float>& p) override { multiply(p); }
  void product(const Product<double>& p) override { multiply(p); }

 protected:
  void launch(int body_number, std::int64_t n, int /*threads*/, std::size_t scratch,
              const void* body) override {
    static constexpr auto table = runners(Bodies());
    parallel_for(static_cast<std::size_t>(n), options_.threads,
                 [&](std::size_t begin, std::size_t end, int /*thread*/) {
                   AlignedVector<char> memory(scratch);
                   table[static_cast<std::size_t>(body_number)](
                       static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end), body, memory.data());
                 });
  }

 private:
  template <typename T>
  void multiply(const Product<T>& p) {
    parallel_for(static_cast<std::size_t>(p.m), options_.threads,
                 [&](std::size_t begin, std::size_t end, int /*thread*/) {
                   for (std::size_t row = begin; row < end; ++row)
                     multiply_row(p, static_cast<std::int64_t>(row));
                 });
  }
  template <typename T>
  static void multiply_row(const Product<T>& p, std::int64_t row) {
    T* c = p.c + row * p.ldc;
    if (p.add == 0) std::fill_n(c, p.n, T(0));
    if constexpr (std::is_same_v<T, float>) {
      if (p.tensor != 0) return add_row(row, p, c, cut);
    }
    add_row(row, p, c, [](T x) { return x; });
  }

  HostOptions options_;
};

}  // namespace

std::unique_ptr<Device> make_host_device(const HostOptions& options) {
  return std::make_unique<HostDevice>(options);
}

}  // namespace solion::gpu
