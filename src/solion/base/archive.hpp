// A state as bytes and back, each type described once for both directions.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "solion/base/errors.hpp"

namespace solion {

namespace archive {

template <class T>
concept Plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

/// A class takes part with a public
///     template <class Archive, class Self> static void archive(Archive& a, Self& self) { a(self.x, self.y);
///     }
template <class T, class Archive>
concept Described = requires(Archive& a, T& value) {
  std::remove_cv_t<T>::archive(a, value);
};

/// Eigen's matrices and arrays, without their headers.
template <class T>
concept Matrix = requires(T& m) {
  m.rows();
  m.cols();
  m.data();
  T::SizeAtCompileTime;
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace archive

/// Appends values to a string of bytes: numbers as they are in memory (all bits; for the same kind of
/// machine), containers with their sizes, classes by their `archive`.
class StateWriter {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (write(values), ...);
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  void raw(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  template <class T>
  void write(const T& value) {
    if constexpr (archive::Plain<T>) {
      raw(&value, sizeof value);
    } else if constexpr (archive::Described<const T, StateWriter>) {
      T::archive(*this, value);
    } else if constexpr (archive::Matrix<T>) {
      if constexpr (T::SizeAtCompileTime < 0)
        (*this)(static_cast<std::int64_t>(value.rows()), static_cast<std::int64_t>(value.cols()));
      raw(value.data(), static_cast<std::size_t>(value.size()) * sizeof(*value.data()));
    } else if constexpr (archive::is_optional<T>) {
      write(value.has_value());
      if (value) write(*value);
    } else {
      write(static_cast<std::uint64_t>(value.size()));
      for (const typename T::value_type& item : value) write(item);
    }
  }

  std::string bytes_;
};

/// Reads in the same order what a StateWriter wrote. InputError where the bytes end early.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (read(values), ...);
  }
  /// InputError if something is left.
  void finish() const {
    if (!bytes_.empty()) throw InputError("a saved state is {} bytes too long", bytes_.size());
  }

 private:
  void raw(void* data, std::size_t size) {
    if (bytes_.size() < size) throw InputError("a saved state is cut short");
    if (size > 0) std::memcpy(data, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  template <class T>
  void read(T& value) {
    if constexpr (archive::Plain<T>) {
      raw(&value, sizeof value);
    } else if constexpr (archive::Described<T, StateReader>) {
      T::archive(*this, value);
    } else if constexpr (archive::Matrix<T>) {
      if constexpr (T::SizeAtCompileTime < 0) {
        std::int64_t rows = 0, cols = 0;
        (*this)(rows, cols);
        if (rows < 0 || cols < 0 ||
            (rows > 0 && static_cast<std::size_t>(cols) > bytes_.size() / static_cast<std::size_t>(rows)))
          throw InputError("a saved state is cut short");
        value.resize(rows, cols);
      }
      raw(value.data(), static_cast<std::size_t>(value.size()) * sizeof(*value.data()));
    } else if constexpr (archive::is_optional<T>) {
      bool there = false;
      read(there);
      value.reset();
      if (there) read(value.emplace());
    } else {
      std::uint64_t size = 0;
      read(size);
      if (size > bytes_.size()) throw InputError("a saved state is cut short");  // an item has a byte or more
      if constexpr (requires { value.resize(size); }) {
        value.resize(size);
      } else if (size != value.size()) {
        throw InputError("a saved state has {} items instead of {}", size, value.size());
      }
      for (std::size_t i = 0; i < size; ++i) {
        typename T::value_type item{};
        read(item);
        value[i] = std::move(item);
      }
    }
  }

  std::string_view bytes_;
};

/// The bytes of one object with an `archive`.
template <class T>
std::string save_state(const T& value) {
  StateWriter writer;
  writer(value);
  return writer.take();
}

/// The object as it was saved; InputError if the bytes are not all of one.
template <class T>
void load_state(std::string_view bytes, T& value) {
  StateReader reader(bytes);
  reader(value);
  reader.finish();
}

/// Bytes as text (RFC 4648, with padding), and back; InputError for other text.
std::string base64(std::string_view bytes);
std::string from_base64(std::string_view text);

}  // namespace solion
