// The machine that the kernels run on: its memory, its launches, its matrix products.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "solion/gpu/bodies.hpp"

namespace solion::gpu {

/// Work is done in the order in which it was asked for; `download` waits for it. Not for several threads at
/// once. Every function throws WorkError with the driver's words if the device fails.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  Device(Device&&) = delete;
  Device& operator=(Device&&) = delete;
  virtual ~Device() = default;

  /// Name and memory, one line.
  [[nodiscard]] virtual std::string description() const = 0;
  /// Bytes that can still be had.
  [[nodiscard]] virtual std::size_t free_bytes() const = 0;
  /// True if products in single precision are to be split for tensor cores (3×TF32).
  [[nodiscard]] virtual bool splits_products() const = 0;

  [[nodiscard]] virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
  virtual void download(void* to, const void* from, std::size_t bytes) = 0;
  virtual void clear(void* memory, std::size_t bytes) = 0;

  /// body(0) … body(n − 1).
  template <typename Body>
  void each(std::int64_t n, const Body& body) {
    static_assert(!BlockBody<Body> && std::is_trivially_copyable_v<Body> && Bodies::place<Body>() >= 0);
    if (n > 0) launch(Bodies::place<Body>(), n, 0, 0, &body);
  }
  /// body(block, 0) … body(block, n − 1), with `threads` threads each (a multiple of 32).
  template <typename Body>
  void blocks(std::int64_t n, int threads, const Body& body) {
    static_assert(BlockBody<Body> && std::is_trivially_copyable_v<Body> && Bodies::place<Body>() >= 0);
    if (n > 0) launch(Bodies::place<Body>(), n, threads, body.scratch(), &body);
  }
  virtual void product(const Product<float>& product) = 0;
  virtual void product(const Product<double>& product) = 0;

  /// Runs `work`, which only launches and multiplies; a device that can record it repeats the record as long
  /// as the same `key` is given (a new one for other arguments).
  virtual void repeat(std::uint64_t key, const std::function<void()>& work) {
    (void)key;
    work();
  }
  /// A key that `repeat` has not seen.
  std::uint64_t new_key() { return ++last_key_; }
  /// Seconds by kernel since the device was opened, where it measures them (SOLION_CUDA_PROFILE).
  [[nodiscard]] virtual std::vector<std::pair<std::string, double>> profile() const { return {}; }

 protected:
  virtual void launch(int body_number, std::int64_t n, int threads, std::size_t scratch,
                      const void* body) = 0;

 private:
  std::uint64_t last_key_ = 0;
};

/// An array on a device. Grows without keeping its content.
template <typename T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  DeviceArray(DeviceArray&& other) noexcept { swap(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceArray() {
    if (data_ != nullptr) device_->release(data_);
  }

  /// Room for n; what it held is lost if it must grow.
  void resize(Device& device, std::size_t n) {
    if (n > room_) {
      if (data_ != nullptr) device_->release(data_);
      data_ = nullptr;
      room_ = 0;
      device_ = &device;
      data_ = static_cast<T*>(device.allocate(n * sizeof(T)));
      room_ = n;
    }
    size_ = n;
  }
  void upload(Device& device, std::span<const T> values) {
    resize(device, values.size());
    if (!values.empty()) device.upload(data_, values.data(), values.size_bytes());
  }
  void download(std::span<T> values) const {
    if (!values.empty()) device_->download(values.data(), data_, values.size_bytes());
  }
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> all(size_);
    download(all);
    return all;
  }
  void clear() {
    if (size_ > 0) device_->clear(data_, size_ * sizeof(T));
  }
  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void swap(DeviceArray& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
  }

  Device* device_ = nullptr;
  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace solion::gpu
