// Finds and loads the module; turns its codes into exceptions.
#include "solion/gpu/cuda_device.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <system_error>

#include "solion/base/errors.hpp"
#include "solion/gpu/cuda_table.hpp"

namespace solion::gpu {
namespace {

constexpr const char* module_name = "solion-cuda.so";

const SolionCudaTable& load() {
  const std::filesystem::path file = find_cuda_module();
  void* module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays loaded
  if (module == nullptr) throw InputError("the part for CUDA cannot be loaded: {}", ::dlerror());
  const auto* table = static_cast<const SolionCudaTable*>(::dlsym(module, "solion_cuda_table"));
  if (table == nullptr || table->version != SOLION_CUDA_TABLE_VERSION ||
      table->signature != Bodies::signature())
    throw InputError("{}: not the part for CUDA of this version of solion", file.string());
  return *table;
}

/// How many devices there are; InputError with the driver's words where there is none.
int count_devices(const SolionCudaTable& table) {
  int n = 0;
  if (table.count(&n) != 0) throw InputError("no CUDA device: {}", table.error());
  if (n == 0) throw InputError("no CUDA device: the driver knows of none");
  return n;
}

class CudaDevice final : public Device {
 public:
  CudaDevice(const SolionCudaTable& table, const CudaOptions& options)
      : table_(table), options_(options), device_(table.open(options.number)) {
    if (device_ == nullptr)
      throw InputError("CUDA device {} cannot be used: {}", options.number, table_.error());
  }
  ~CudaDevice() override { table_.close(device_); }
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;
  CudaDevice(CudaDevice&&) = delete;
  CudaDevice& operator=(CudaDevice&&) = delete;

  [[nodiscard]] std::string description() const override { return table_.describe(device_); }
  [[nodiscard]] std::size_t free_bytes() const override {
    std::size_t free = 0, total = 0;
    check(table_.memory(device_, &free, &total));
    return free;
  }
  [[nodiscard]] bool splits_products() const override { return options_.split_products; }

  void* allocate(std::size_t bytes) override {
    void* memory = table_.allocate(device_, bytes);
    if (memory == nullptr)
      throw WorkError("the device has no {:.2f} GB more memory: {}", static_cast<double>(bytes) * 1e-9,
                      table_.error());
    return memory;
  }
  void release(void* memory) noexcept override { table_.release(device_, memory); }
  void upload(void* to, const void* from, std::size_t bytes) override {
    check(table_.upload(device_, to, from, bytes));
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    check(table_.download(device_, to, from, bytes));
  }
  void clear(void* memory, std::size_t bytes) override { check(table_.clear(device_, memory, bytes)); }
  void product(const Product<float>& p) override { check(table_.product_single(device_, &p)); }
  void product(const Product<double>& p) override { check(table_.product_double(device_, &p)); }

  void repeat(std::uint64_t key, const std::function<void()>& work) override {
    if (!records_) return work();
    if (table_.play(device_, key) == 0) return;
    // The first time counts the work's own demands (workspaces of a library); the second one is recorded.
    if (key != seen_) {
      seen_ = key;
      return work();
    }
    if (table_.record(device_) == 0) {
      work();
      if (table_.keep(device_, key) == 0 && table_.play(device_, key) == 0) return;
    }
    records_ = false;  // launches one by one are slower and as right
    work();
  }

  [[nodiscard]] std::vector<std::pair<std::string, double>> profile() const override {
    std::vector<std::pair<std::string, double>> result;
    for (int body = -1; body < Bodies::size; ++body) {
      double seconds = 0;
      std::int64_t launches = 0;
      if (table_.profile(device_, body, &seconds, &launches) == 0 && launches > 0)
        result.emplace_back(body < 0 ? "products" : body_name(body), seconds);
    }
    return result;
  }

 protected:
  void launch(int body_number, std::int64_t n, int threads, std::size_t scratch, const void* body) override {
    check(table_.launch(device_, body_number, n, threads, scratch, body));
  }

 private:
  void check(int status) const {
    if (status != 0) throw WorkError("the CUDA device failed: {}", table_.error());
  }

  const SolionCudaTable& table_;
  CudaOptions options_;
  void* device_;
  bool records_ = true;
  std::uint64_t seen_ = 0;
};

std::string look_for_cuda() {
  const SolionCudaTable& table = load();
  const int n = count_devices(table);
  void* device = table.open(0);
  if (device == nullptr) throw InputError("the device cannot be used: {}", table.error());
  std::string text = fmt::format("{} (toolkit {}){}", table.describe(device), table.toolkit,
                                 n > 1 ? fmt::format(" and {} more", n - 1) : "");
  table.close(device);
  return text;
}

}  // namespace

std::filesystem::path find_cuda_module() {
  namespace fs = std::filesystem;
  std::vector<fs::path> places;
  if (const char* chosen = std::getenv("SOLION_CUDA"); chosen != nullptr && *chosen != '\0')
    places.emplace_back(chosen);
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  places.push_back(folder / "cuda");
  places.push_back(folder.parent_path() / "lib/solion/cuda");
  std::string looked;
  for (const fs::path& place : places) {
    if (fs::is_regular_file(place / module_name, ignored)) return place / module_name;
    looked += (looked.empty() ? "" : ", ") + place.string();
  }
  throw InputError(
      "this solion was built without CUDA: build it where nvcc 12 or newer is found (script/build); looked "
      "for {} in {}",
      module_name, looked);
}

std::unique_ptr<Device> open_cuda_device(const CudaOptions& options) {
  const SolionCudaTable& table = load();
  const int n = count_devices(table);
  if (options.number < 0 || options.number >= n)
    throw InputError("there is no CUDA device {}: the driver knows of {}", options.number, n);
  return std::make_unique<CudaDevice>(table, options);
}

std::vector<OptionalPart> optional_parts() {
  return {{"cuda", "molecular dynamics and training on a GPU (--device gpu)", look_for_cuda}};
}

}  // namespace solion::gpu
